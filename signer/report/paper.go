package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/compose"
	"antin/signer/validation"
)

// maxRows bounds the changes and the evidence listed on paper: the JSON has all
// of them, and nobody reads more.
const maxRows = 200

// vietnam is the zone in which people read times.
var vietnam = time.FixedZone("+07:00", 7*60*60)

// paper is the report as PDF: the verdict, then each signature with what it stands
// on, then every finding in words.
func paper(r *validation.Report, o Options) ([]byte, error) {
	p := &sheet{}
	p.heading("report.verdict", r.Headline.VI, r.Headline.EN)
	p.facts([][2]string{
		{word("report.file"), r.File}, {"SHA-256", spaced(r.SHA256)},
		{word("report.checked"), moment(r.CheckedAt)}, {word("report.policy"), r.Policy.Name + ", " + r.Policy.Version},
		{word("report.sources"), sources(r)}, {word("report.test"), sandbox(r)},
	})
	for i := range r.Signatures {
		p.signature(i+1, &r.Signatures[i])
	}
	p.findings(r)
	p.changes(r)
	p.evidence(r)
	p.signedBy(o)
	return compose.Sheet(compose.SheetForm{Agency: o.Agency, Title: word("report.title"), Body: p.blocks, Created: r.CheckedAt.Time})
}

// sheet collects the blocks.
type sheet struct{ blocks []compose.Block }

func word(k text.Key) string { return text.Get(k).VI }

func (p *sheet) heading(k text.Key, args ...any) {
	p.blocks = append(p.blocks, compose.Heading{Text: text.Get(k, args...).VI})
}

func (p *sheet) paragraph(s string, italic bool) {
	p.blocks = append(p.blocks, compose.Paragraph{Text: s, Italic: italic})
}

// facts sets pairs as a table; empty values are left out.
func (p *sheet) facts(pairs [][2]string) {
	t := compose.Table{Columns: []compose.Column{{Weight: 1}, {Weight: 2.6}}}
	for _, f := range pairs {
		if f[1] != "" {
			t.Rows = append(t.Rows, []string{f[0], f[1]})
		}
	}
	if len(t.Rows) > 0 {
		p.blocks = append(p.blocks, t)
	}
}

func (p *sheet) signature(n int, s *validation.Signature) {
	p.heading(text.Key("report."+string(s.Type)), n, s.Field)
	who, when, claimed := "verify.signed_by", signedWhen(s), text.Key("report.claimed")
	if s.Type == validation.DocumentTimestamp {
		who, when, claimed = "report.tsa", "", "report.stamped" // nobody signed: its own time is all there is
	}
	p.facts([][2]string{
		{word(text.Key(who)), s.Signer.Subject}, {word("verify.issuer"), s.Signer.Issuer},
		{word("report.serial"), s.Signer.Serial},
		{word("report.period"), period(s.Signer.NotBefore, s.Signer.NotAfter)},
		{word("report.indication"), indicated(s.Indication, s.SubIndication)}, {word("report.integrity"), word(text.Key("report.integrity." + string(s.Integrity)))},
		{word("verify.level"), s.Level}, {word("report.algorithm"), algorithm(s)},
		{word("verify.time"), when}, {word(claimed), moment(s.ClaimedTime)},
		{word("report.timestamps"), timestamps(s)}, {word("report.revocation"), revocation(s.Revocation)},
		{word("report.covers"), covers(s)},
		{word("report.modifications"), word(text.Key("report.modifications." + string(s.Modifications)))},
		{word("report.chain"), strings.Join(s.Chain, " ← ")},
		{word("report.statements"), statements(&s.Attributes)},
		{word("report.until"), moment(s.CheckableUntil)},
	})
}

func (p *sheet) findings(r *validation.Report) {
	if len(r.Reasons) == 0 {
		return
	}
	p.heading("verify.notes")
	for _, f := range r.Reasons {
		p.paragraph(f.Message.VI+" ["+string(f.Code)+"]", false)
	}
}

func (p *sheet) changes(r *validation.Report) {
	if len(r.Changes) == 0 {
		return
	}
	p.heading("verify.changes")
	for i, c := range r.Changes {
		if i == maxRows {
			p.paragraph(text.Get("report.more", len(r.Changes)-maxRows).VI, true)
			return
		}
		p.paragraph(c.Message.VI, false)
	}
}

// evidence lists what the verdict stands on by digest, so that it can be found again.
func (p *sheet) evidence(r *validation.Report) {
	t := compose.Table{Columns: []compose.Column{{Title: word("report.evidence.what"), Weight: 1.4}, {Title: "SHA-256", Weight: 2}}}
	seen := map[string]bool{}
	add := func(what string, der []byte) {
		sum := sha256.Sum256(der)
		h := hex.EncodeToString(sum[:])
		if seen[h] || len(t.Rows) == maxRows {
			return
		}
		seen[h] = true
		t.Rows = append(t.Rows, []string{what, spaced(h)})
	}
	for i := range r.Signatures {
		m := &r.Signatures[i].Material
		for _, c := range m.Path {
			add(text.Get("report.evidence.certificate", name(c)).VI, c.Raw)
		}
		for _, e := range m.Evidence {
			add(evidenceWords(e), e.DER)
		}
		for _, der := range m.Timestamps {
			add(word("report.evidence.timestamp"), der)
		}
	}
	if len(t.Rows) > 0 {
		p.heading("report.evidence")
		p.blocks = append(p.blocks, t)
	}
}

// signedBy says whether the report vouches for itself.
func (p *sheet) signedBy(o Options) {
	if o.Signed && o.Certificate != nil {
		p.paragraph(text.Get("report.signed", name(o.Certificate)).VI, true)
		return
	}
	p.paragraph(word("report.unsigned"), true)
}

func name(c *certs.Certificate) string {
	if c.CommonName != "" {
		return c.CommonName
	}
	return c.Subject
}

func evidenceWords(e certs.Evidence) string {
	if e.Kind == certs.EvidenceCRL {
		if l, err := certs.ParseCRL(e.DER); err == nil {
			return text.Get("report.evidence.crl", moment(validation.Time{Time: l.ThisUpdate})).VI
		}
	} else if o, err := certs.ParseOCSP(e.DER); err == nil {
		return text.Get("report.evidence.ocsp", moment(validation.Time{Time: o.ProducedAt})).VI
	}
	return string(e.Kind)
}

func moment(t validation.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(vietnam).Format("15:04:05 02/01/2006 -07:00")
}

func period(from, to validation.Time) string {
	if from.IsZero() && to.IsZero() {
		return ""
	}
	return moment(from) + " – " + moment(to)
}

func algorithm(s *validation.Signature) string {
	a := strings.TrimSpace(s.Algorithm + " " + s.Digest)
	if s.KeyBits > 0 {
		a += fmt.Sprintf(", %d bit", s.KeyBits)
	}
	return a
}

func signedWhen(s *validation.Signature) string {
	if s.BestTimeSource == validation.TimeNow {
		return word("verify.time.now")
	}
	return moment(s.BestTime) + " (" + word(text.Key("report.source."+string(s.BestTimeSource))) + ")"
}

func timestamps(s *validation.Signature) string {
	var lines []string
	for _, t := range s.Timestamps {
		lines = append(lines, moment(t.Time)+", "+t.TSA+", "+indicated(t.Indication, t.SubIndication))
	}
	return strings.Join(lines, "; ")
}

func revocation(r validation.Revocation) string {
	s := word(text.Key("report.revocation." + r.Status))
	if !r.RevokedAt.IsZero() {
		s += ", " + moment(r.RevokedAt) + " " + r.Reason
	}
	if r.Source != certs.SourceNone && r.Source != "" {
		s += " (" + strings.ToUpper(r.Source) + ", " + moment(r.ThisUpdate) + ")"
	}
	return s
}

func covers(s *validation.Signature) string {
	if s.Covers.WholeFile {
		return word("verify.whole")
	}
	return text.Get("verify.part", s.Covers.Revision, s.Covers.Of).VI
}

func sources(r *validation.Report) string {
	if r.Online {
		return word("verify.online")
	}
	return word("verify.offline")
}

func sandbox(r *validation.Report) string {
	if r.Sandbox {
		return word("report.test.yes")
	}
	return ""
}

// spaced parts hexadecimal digits into groups that a line can break between.
func spaced(h string) string {
	var b strings.Builder
	for i, c := range h {
		if i > 0 && i%16 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}
