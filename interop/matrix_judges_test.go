//go:build interop

package interop_test

import (
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// The judges, as counts and complaints name them.
const (
	judgePdfsig  = "pdfsig"
	judgeMutool  = "mutool"
	judgeQpdf    = "qpdf"
	judgeOpenSSL = "openssl cms"
	judgeTS      = "openssl ts"
	judgePyHanko = "pyHanko"
	judgeDSS     = "DSS"
	judgeVera    = "veraPDF"
	judgeUs      = "antin"
)

// judgement is one judge with how it is asked about a row.
type judgement struct {
	name  string
	judge func(w *world, r row, path string) error
}

// rowJudges lists who can judge r.
func rowJudges(r row) []judgement {
	all := []judgement{
		{judgePdfsig, func(_ *world, r row, path string) error { return pdfsigJudge(path, r.fields(), r.password()) }},
		{judgeMutool, (*world).mutoolRow},
		{judgeQpdf, func(_ *world, r row, path string) error { return qpdfJudge(r.path, path, r.password()) }},
		{judgeOpenSSL, (*world).opensslRow},
		{judgePyHanko, (*world).pyHankoRow},
		{judgeDSS, (*world).dssRow},
		{judgeUs, (*world).ourRow},
	}
	if r.level.AtLeast(ades.BT) {
		all = append(all, judgement{judgeTS, (*world).stampsRow})
	}
	if r.flavour != "" {
		all = append(all, judgement{judgeVera, (*world).veraRow})
	}
	return slices.DeleteFunc(all, func(j judgement) bool {
		return slices.Contains(r.notBy, j.name) || j.name == judgePyHanko && r.cipher != nil && r.beyondPyHanko()
	})
}

// beyondPyHanko names what pyHanko cannot do with an encrypted file: read the arrays
// of a seed value, and compare a page that came out of an object stream with one
// that an update holds in the open, as every further signature brings it.
func (r row) beyondPyHanko() bool {
	return r.sort.form == seeded || r.kind == padestest.ObjectStreams && r.sort.name == "several"
}

// mutoolRow lets mutool judge all signatures. It sees document time-stamps too.
func (w *world) mutoolRow(r row, path string) error {
	_, documents, err := w.stamps(r, path)
	if err != nil {
		return err
	}
	return mutoolJudge(path, len(r.fields()), documents, r.password())
}

// stamps counts the time-stamps of the file: in its signatures and over the document.
func (w *world) stamps(r row, path string) (inside, documents int, err error) {
	d := r.document
	d.path = path
	all, err := signaturesOf(d)
	if err != nil {
		return 0, 0, err
	}
	for _, s := range all {
		if s.isStamp {
			documents++
			continue
		}
		sd, err := cms.Parse(s.cms)
		if err != nil {
			return 0, 0, err
		}
		inside += len(sd.Signers[0].Timestamps())
	}
	return inside, documents, nil
}

// alone reports whether the signature of the row is the only one: then everything
// that long-term validation needs has to be in the file.
func (r row) alone() bool { return len(r.fields()) == 1 }

// last is the field of the row's own signature.
func (r row) last() string { f := r.fields(); return f[len(f)-1] }

// pyHankoRow lets pyHanko judge all fields with the network and, from B-LT on, the
// last one from the file alone.
func (w *world) pyHankoRow(r row, path string) error {
	fields := r.fields()
	inside, documents, err := w.stamps(r, path)
	if err != nil {
		return err
	}
	online, err := w.pyAsk(pyValidate{File: path, Root: w.root, Strict: r.strict(), Password: r.password()})
	if err != nil {
		return err
	}
	if len(online) != len(fields) {
		return fmt.Errorf("%d of %d signatures seen", len(online), len(fields))
	}
	for _, f := range fields {
		if bad := online[f].good(f == r.last() && inside > 0); bad != "" {
			return fmt.Errorf("%s: %s", f, bad)
		}
	}
	if !r.level.AtLeast(ades.BLT) || inside == 0 { // long-term, it wants a time-stamp in the signature
		return nil
	}
	if documents > 0 && r.sort.name == contentStamped && r.digest != crypto.SHA256 {
		return nil // pyHanko's archival process stops at a content time-stamp with a hash of its own: "this is a bug"
	}
	offline, err := w.pyAsk(pyValidate{File: path, Root: w.root, Strict: r.strict(), Password: r.password(), Offline: true, Archival: documents > 0})
	if err != nil {
		return err
	}
	if bad := offline[r.last()].good(inside > 0); bad != "" {
		return fmt.Errorf("without a network, %s: %s", r.last(), bad)
	}
	return nil
}

// dssRow wants TOTAL_PASSED and the level claimed of DSS: with the network, and
// from B-LT on from the file alone.
func (w *world) dssRow(r row, path string) error {
	level := "PAdES-BASELINE-" + strings.TrimPrefix(string(r.level), "B-")
	q := dssQuestion{root: w.root, password: r.password(), eddsa: r.key == keyEd25519}
	if r.level.AtLeast(ades.BLT) {
		a, err := w.dssJudge(path, q)
		if err != nil {
			return err
		}
		if err := a.passed(r.last(), level); err != nil {
			return fmt.Errorf("without a network: %w", err)
		}
		if r.alone() {
			return nil
		}
	}
	q.online = true
	a, err := w.dssJudge(path, q)
	if err != nil {
		return err
	}
	if len(a.Signatures) != len(r.fields()) {
		return fmt.Errorf("%d of %d signatures seen", len(a.Signatures), len(r.fields()))
	}
	for _, f := range r.fields() {
		want := ""
		if f == r.last() {
			want = level
		}
		if err := a.passed(f, want); err != nil {
			return err
		}
	}
	for _, s := range a.Timestamps {
		if s.Indication != dssStampPassed {
			return fmt.Errorf("time-stamp %s: %s %s %q", s.Type, s.Indication, s.Sub, s.Errors)
		}
	}
	return nil
}

// opensslRow lets OpenSSL judge the CMS of every field.
func (w *world) opensslRow(r row, path string) error {
	dir := strings.TrimSuffix(path, ".pdf") + ".cms"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	d := r.document
	d.path = path
	all, err := signaturesOf(d)
	if err != nil {
		return err
	}
	seen := 0
	for _, s := range all {
		if s.isStamp {
			continue
		}
		seen++
		if err := opensslJudge(dir, s, w.root); err != nil {
			return fmt.Errorf("field %s: %w", s.field, err)
		}
	}
	if seen != len(r.fields()) {
		return fmt.Errorf("%d signatures found, not %d", seen, len(r.fields()))
	}
	return nil
}

// stampsRow lets OpenSSL judge every time-stamp: that in the CMS over the signature
// value, and those of the document over the bytes that they cover.
func (w *world) stampsRow(r row, path string) error {
	dir := strings.TrimSuffix(path, ".pdf") + ".ts"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	d := r.document
	d.path = path
	all, err := signaturesOf(d)
	if err != nil {
		return err
	}
	inside, documents := 0, 0
	for _, s := range all {
		if s.isStamp {
			documents++
			if err := w.stampJudge(dir, s.cms, s.ranges); err != nil {
				return fmt.Errorf("document time-stamp %s: %w", s.field, err)
			}
			continue
		}
		sd, err := cms.Parse(s.cms)
		if err != nil {
			return err
		}
		for _, token := range sd.Signers[0].Timestamps() {
			inside++
			if err := w.stampJudge(dir, token, sd.Signers[0].Signature); err != nil {
				return fmt.Errorf("time-stamp of %s: %w", s.field, err)
			}
		}
	}
	if inside != 1 && !r.raised || inside+documents == 0 || documents == 0 && r.level.AtLeast(ades.BLTA) {
		return fmt.Errorf("%d time-stamps in signatures, %d over the document", inside, documents)
	}
	return nil
}

// stampJudge lets OpenSSL verify a token over data, and its path to the root.
func (w *world) stampJudge(dir string, token, data []byte) error {
	in, content := filepath.Join(dir, "token.der"), filepath.Join(dir, "data.bin")
	if err := errors.Join(os.WriteFile(in, token, 0o600), os.WriteFile(content, data, 0o600)); err != nil {
		return err
	}
	code, out, err := run("openssl", "ts", "-verify", "-token_in", "-in", in, "-data", content, "-CAfile", w.root, "-untrusted", w.issuing)
	if err == nil && (code != 0 || !strings.Contains(out, "Verification: OK")) {
		err = fmt.Errorf("openssl exited with %d: %s", code, out)
	}
	return err
}

// veraRow wants the file to keep to its profile as before.
func (w *world) veraRow(r row, path string) error {
	if err := w.veraJudge(r.path, r.flavour); err != nil {
		return fmt.Errorf("before signing: %w", err)
	}
	return w.veraJudge(path, r.flavour)
}

// ourRow wants our own verdict to be valid, from B-LT on from the file alone.
func (w *world) ourRow(r row, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	report, err := w.validateDocument(r.document, data, !r.alone() || !r.level.AtLeast(ades.BLT)) // earlier signatures hold no data
	if err != nil {
		return err
	}
	if report.Verdict != validation.Valid {
		return fmt.Errorf("our verdict is %s: %v", report.Verdict, reasons(report))
	}
	if got := levelOf(report, r.last()); got != "PAdES-"+string(r.level) {
		return fmt.Errorf("level %s, not %s", got, r.level)
	}
	return nil
}

// reasons is the codes of a report, with the field they concern.
func reasons(r *validation.Report) []string {
	var all []string
	for _, x := range r.Reasons {
		all = append(all, fmt.Sprintf("%s(%s): %s", x.Code, x.Signature, x.Message.EN))
	}
	return all
}

// levelOf is the level reached by the signature in field.
func levelOf(r *validation.Report, field string) string {
	for _, s := range r.Signatures {
		if s.Field == field {
			return s.Level
		}
	}
	return "none"
}
