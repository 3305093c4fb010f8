package web

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/validation"
)

// reportView is a validation report in plain words.
type reportView struct {
	Verdict    verdictView
	File       string
	Reasons    []string     // causes before consequences
	More       []string     // the reasons beyond those
	Changes    []changeLine // that not every signer permitted
	Permitted  []changeLine // permitted and protected by a later signature, such as the number that văn thư fills in
	Others     []changeLine // permitted besides: later signatures, evidence, what no signature protects
	Signatures []signatureView
	Details    []detail
	Sandbox    bool
}

// signatureView is one signature in a box of its own.
type signatureView struct {
	Kind    string // person, agency or time-stamp, in words
	Who     string
	Of      string // the organisation in the certificate, when it is another name
	Verdict verdictView
	When    string
	Facts   []string
	Details []detail
}

// changeLine is a change in words, leading to where it is on the pages shown.
type changeLine struct {
	Text string
	Href string // empty when it has no place, or the pages are not shown

	n, page int
}

// link has the changes lead to their places in v, which may be nil.
func (r *reportView) link(p page, v *paperView) {
	if v == nil || len(v.Pages) == 0 {
		return
	}
	shown := map[string]bool{}
	for _, s := range v.Pages {
		for _, c := range s.Places {
			shown[c.ID] = true
		}
	}
	for _, list := range [][]changeLine{r.Changes, r.Permitted, r.Others} {
		for i := range list {
			l := &list[i]
			switch on := "#page-" + strconv.Itoa(l.page); {
			case shown[changeID(l.n)]:
				l.Href = "#" + changeID(l.n)
			case l.page == 0 || l.page > v.Count:
			case l.page >= v.first && l.page < v.first+len(v.Pages):
				l.Href = on
			case v.Earlier != "" || v.Later != "":
				l.Href = withLang(addressOf(p, "from", strconv.Itoa(l.page)), p.Lang) + on
			}
		}
	}
}

// detail is a line of the folded technical part, where machine words are allowed.
type detail struct{ Name, Value string }

// sender is what is known of whoever should have sealed a document.
type sender struct {
	name  string
	seals [][]byte // SHA-256 of its seal certificates
}

// agencySeal reports whether s looks like an agency's signature: made with a
// certificate that the directory lists, or one in the name of an organisation.
func (f sender) agencySeal(s validation.Signature) bool {
	for _, sum := range f.seals {
		if s.Signer.SHA256 == hex.EncodeToString(sum) {
			return true
		}
	}
	cn := attribute(s.Signer.Subject, "CN")
	return cn != "" && (sameName(cn, f.name) || sameName(cn, attribute(s.Signer.Subject, "O")))
}

// own reports whether an agency's signature is that of the sender itself.
func (f sender) own(s validation.Signature) bool {
	for _, sum := range f.seals {
		if s.Signer.SHA256 == hex.EncodeToString(sum) {
			return true
		}
	}
	return sameName(attribute(s.Signer.Subject, "CN"), f.name)
}

func sameName(a, b string) bool {
	return a != "" && strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// viewReport puts r in the words of lang.
func viewReport(lang text.Lang, r *validation.Report, from sender) *reportView {
	say := func(key text.Key, args ...any) string { return text.Get(key, args...).In(lang) }
	v := &reportView{Verdict: viewVerdict(lang, exchange.Verdict(r.Verdict)), File: r.File, Sandbox: r.Sandbox}
	for _, follows := range []bool{false, true} {
		for _, x := range r.Reasons {
			if consequence(x.Code) == follows {
				v.Reasons = append(v.Reasons, x.Message.In(lang))
			}
		}
	}
	if len(v.Reasons) > shownReasons+1 { // one more takes no more room than saying so
		v.Reasons, v.More = v.Reasons[:shownReasons], v.Reasons[shownReasons:]
	}
	for i, c := range r.Changes {
		l := changeLine{Text: c.Message.In(lang), n: i, page: c.Page}
		switch {
		case !c.Allowed:
			v.Changes = append(v.Changes, l)
		case len(c.CoveredBy) > 0 && c.Kind != validation.ChangeSignature && c.Kind != validation.ChangeEvidence:
			v.Permitted = append(v.Permitted, l)
		default:
			v.Others = append(v.Others, l)
		}
	}
	for _, s := range r.Signatures {
		v.Signatures = append(v.Signatures, viewSignature(lang, s, from))
	}
	online := say("web.report.offline")
	if r.Online {
		online = say("web.report.online")
	}
	v.Details = []detail{
		{say("web.report.sha256"), r.SHA256},
		{say("web.report.policy"), r.Policy.Name + " (" + r.Policy.Version + ")"},
		{say("web.report.checked"), vnTime(r.CheckedAt.Time) + ", " + online},
	}
	for _, x := range r.Reasons {
		v.Details = append(v.Details, detail{say("web.report.code"), strings.TrimSpace(string(x.Code) + " " + x.Signature)})
	}
	return v
}

// shownReasons is how many reasons stand open; the rest is folded.
const shownReasons = 6

// consequence reports whether a reason mostly follows from another: a broken or
// untrusted signature leaves what it covers without protection.
func consequence(c validation.ReasonCode) bool {
	return c == validation.ReasonUncovered || c == validation.ReasonCoverUntrusted || c == validation.ReasonTimestamp
}

func viewSignature(lang text.Lang, s validation.Signature, from sender) signatureView {
	say := func(key text.Key, args ...any) string { return text.Get(key, args...).In(lang) }
	v := signatureView{Kind: say("web.signature.person"), Who: attribute(s.Signer.Subject, "CN"), Verdict: signatureVerdict(lang, s),
		When: whenSigned(lang, s), Details: signatureDetails(lang, s)}
	switch {
	case s.Type == validation.DocumentTimestamp:
		v.Kind = say("web.signature.timestamp")
	case v.Who == "":
		v.Kind = say("web.signature.any")
	case from.agencySeal(s):
		v.Kind = say("web.signature.agency")
	}
	if o := attribute(s.Signer.Subject, "O"); !sameName(o, v.Who) {
		v.Of = o
	}
	if v.Who == "" {
		v.Who = say("web.signature.unknown")
	}
	v.Facts = append(v.Facts, say(text.Key("web.integrity."+string(s.Integrity))))
	if s.Covers.Of > 0 && s.Integrity == validation.IntegrityOK {
		key := text.Key("web.covers.whole")
		if !s.Covers.WholeFile {
			key = "web.covers.part"
		}
		v.Facts = append(v.Facts, say(key, s.Covers.Revision, s.Covers.Of))
	}
	v.Facts = append(v.Facts, say(text.Key("web.modified."+string(s.Modifications))))
	v.Facts = append(v.Facts, revocationFact(lang, s.Revocation))
	return v
}

// signatureVerdict is the word for one signature alone.
func signatureVerdict(lang text.Lang, s validation.Signature) verdictView {
	v := viewVerdict(lang, exchange.VerdictInconclusive)
	switch s.Indication {
	case ades.TotalPassed:
		v = viewVerdict(lang, exchange.VerdictValid)
		if s.Modifications == validation.ModificationForbidden {
			v = viewVerdict(lang, exchange.VerdictInvalid)
		}
	case ades.TotalFailed:
		v = viewVerdict(lang, exchange.VerdictInvalid)
	case ades.Indeterminate:
	}
	v.Explain = ""
	return v
}

// whenSigned says the time of a signature and what vouches for it.
func whenSigned(lang text.Lang, s validation.Signature) string {
	say := func(key text.Key, args ...any) string { return text.Get(key, args...).In(lang) }
	best := vnTime(s.BestTime.Time)
	switch s.BestTimeSource {
	case validation.TimeSignatureTimestamp:
		for _, t := range s.Timestamps {
			if t.Time.Equal(s.BestTime.Time) {
				return say("web.when.tsa", best, attribute(t.TSA, "CN"))
			}
		}
		return say("web.when.timestamp", best)
	case validation.TimeDocumentTimestamp:
		return say("web.when.timestamp", best)
	case validation.TimeEvidence:
		return say("web.when.evidence", best)
	case validation.TimeNow:
	}
	if !s.ClaimedTime.IsZero() {
		return say("web.when.claimed", vnTime(s.ClaimedTime.Time))
	}
	return say("web.when.unknown")
}

func revocationFact(lang text.Lang, r validation.Revocation) string {
	switch r.Status {
	case "good":
		return text.Get("web.revocation.good").In(lang)
	case "revoked":
		return text.Get("web.revocation.revoked", vnTime(r.RevokedAt.Time)).In(lang)
	}
	return text.Get("web.revocation.unknown").In(lang)
}

func signatureDetails(lang text.Lang, s validation.Signature) []detail {
	say := func(key text.Key, args ...any) string { return text.Get(key, args...).In(lang) }
	out := []detail{
		{say("web.detail.field"), s.Field},
		{say("web.detail.indication"), strings.TrimSpace(string(s.Indication) + " " + string(s.SubIndication))},
		{say("web.detail.level"), strings.TrimSpace(s.Level + " · " + s.SubFilter)},
		{say("web.detail.algorithm"), fmt.Sprintf("%s · %s · %d bit", s.Algorithm, s.Digest, s.KeyBits)},
		{say("web.detail.subject"), s.Signer.Subject},
		{say("web.detail.serial"), s.Signer.Serial},
		{say("web.detail.validity"), vnTime(s.Signer.NotBefore.Time) + " – " + vnTime(s.Signer.NotAfter.Time)},
		{say("web.detail.chain"), strings.Join(names(s.Chain), " ← ")},
		{say("web.detail.revocation"), strings.TrimSpace(s.Revocation.Status + " · " + s.Revocation.Source + " · " + vnTime(s.Revocation.ThisUpdate.Time))},
	}
	for _, t := range s.Timestamps {
		out = append(out, detail{say("web.detail.timestamp"), vnTime(t.Time.Time) + " · " + attribute(t.TSA, "CN") + " · " + string(t.Indication)})
	}
	return out
}

func names(subjects []string) []string {
	out := make([]string, len(subjects))
	for i, s := range subjects {
		if out[i] = attribute(s, "CN"); out[i] == "" {
			out[i] = s
		}
	}
	return out
}

// attribute returns the first value of an attribute in a distinguished name
// written by RFC 4514; empty when there is none.
func attribute(name, kind string) string {
	for len(name) > 0 {
		var part strings.Builder
		i := 0
		for ; i < len(name) && name[i] != ','; i++ {
			if name[i] != '\\' || i+1 == len(name) {
				part.WriteByte(name[i])
				continue
			}
			i++
			if i+1 < len(name) {
				if b, err := hex.DecodeString(name[i : i+2]); err == nil {
					part.Write(b)
					i++
					continue
				}
			}
			part.WriteByte(name[i])
		}
		if k, v, ok := strings.Cut(part.String(), "="); ok && strings.TrimSpace(k) == kind {
			return v
		}
		name = name[min(i+1, len(name)):]
	}
	return ""
}
