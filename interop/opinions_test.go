//go:build interop

package interop_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"antin/signer/ades"
	"antin/signer/validation"
)

// opinion is what a validator thinks of a whole file, in words that all of them
// share.
type opinion string

// The opinions. A file that a validator cannot read, or in which it sees no
// signature, is one that it does not accept.
const (
	accepts opinion = "accepts"
	notes   opinion = "accepts, with a word" // about what was changed later
	unsure  opinion = "is unsure"
	rejects opinion = "rejects"
	blind   opinion = "sees no signature"
	cannot  opinion = "cannot read it"
)

// side is yes, no or unsure: what counts when opinions are compared.
func (o opinion) side() string {
	switch o {
	case accepts, notes:
		return "yes"
	case unsure:
		return "unsure"
	case rejects, blind, cannot:
	}
	return "no"
}

// graver returns the less favourable of two opinions.
func graver(a, b opinion) opinion {
	order := []opinion{accepts, notes, unsure, blind, cannot, rejects}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// specimen is one file to be judged by all.
type specimen struct {
	name string // of the file, without a folder
	// seed and class say what was done to which honest file; what is that act by name.
	seed, class, what string
	path              string
	lenient           bool // pyHanko must not be strict: hybrid cross-references
}

// ourOpinion is our verdict on data without a network, trust left aside: where it
// is undecided for want of a path or of revocation data alone, integrity and later
// changes decide.
func (w *world) ourOpinion(data []byte) (opinion, *validation.Report) {
	r, err := w.validate(data, false)
	if err != nil {
		return cannot, &validation.Report{}
	}
	switch r.Verdict {
	case validation.Valid:
		return accepts, r
	case validation.ValidWithNotes:
		return notes, r
	case validation.Unsigned:
		return blind, r
	case validation.Invalid:
		return rejects, r
	case validation.Inconclusive:
	}
	o := accepts
	if slices.ContainsFunc(r.Reasons, func(x validation.Reason) bool { return x.Code == validation.ReasonTimestamp }) {
		o = notes
	}
	for _, sig := range r.Signatures {
		switch {
		case sig.Type == validation.DocumentTimestamp:
		case sig.Integrity != validation.IntegrityOK || sig.Indication != ades.TotalPassed && !untrusted(string(sig.SubIndication)):
			o = graver(o, unsure)
		case sig.Modifications == validation.ModificationForm, sig.Modifications == validation.ModificationAnnotation:
			o = graver(o, notes)
		}
	}
	return o, r
}

// untrusted reports whether nothing but trust is missing: a path, or word that no
// certificate of it was revoked.
func untrusted(sub string) bool {
	return slices.Contains([]string{"NO_CERTIFICATE_CHAIN_FOUND", "NO_CERTIFICATE_CHAIN_FOUND_NO_POE", "CERTIFICATE_CHAIN_GENERAL_FAILURE",
		"TRY_LATER", "OUT_OF_BOUNDS_NO_POE", "OUT_OF_BOUNDS_NOT_REVOKED", "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"}, sub)
}

// dssOpinion is what DSS thinks of the file, without a network.
func (w *world) dssOpinion(s specimen) (opinion, string) {
	a, err := w.dssJudge(s.path, dssQuestion{root: w.root})
	if err != nil {
		return cannot, err.Error()
	}
	o, why := blind, ""
	for i, sig := range a.Signatures {
		one := unsure
		switch {
		case sig.Indication == "TOTAL_FAILED":
			one = rejects
		case sig.Indication == dssPassed, untrusted(sig.Sub):
			one = accepts
			if slices.ContainsFunc(sig.Warnings, aboutChanges) {
				one = notes
			}
		}
		why += fmt.Sprintf("%s: %s %s %q %q; ", sig.Field, sig.Indication, sig.Sub, sig.Errors, sig.Warnings)
		if o = graver(o, one); i == 0 {
			o = one
		}
	}
	return o, why
}

// aboutChanges reports whether a warning of DSS speaks of later changes.
func aboutChanges(warning string) bool {
	return strings.Contains(warning, "modif") || strings.Contains(warning, "difference") || strings.Contains(warning, "change") || strings.Contains(warning, "overlap")
}

// pyOpinion is what pyHanko thinks of the signatures and of later changes, without
// revocation data and without a network.
func (w *world) pyOpinion(s specimen) (opinion, string) {
	all, err := w.pyAsk(pyValidate{File: s.path, Root: w.root, Local: true, Strict: !s.lenient})
	if err != nil {
		return cannot, err.Error()
	}
	if len(all) == 0 {
		return blind, ""
	}
	o, why := accepts, ""
	for _, name := range slices.Sorted(maps.Keys(all)) {
		sig, one := all[name], accepts
		switch {
		case !sig.Intact, !sig.Valid, !sig.DocMDPOK, !strings.HasPrefix(sig.Coverage, "ENTIRE_"):
			one = rejects
		case sig.Modifications != "NONE" && sig.Modifications != "LTA_UPDATES" && sig.Modifications != "":
			one = notes
		}
		o = graver(o, one)
		why += fmt.Sprintf("%s: %+v; ", name, sig)
	}
	return o, why
}

// mutoolOpinion is what mutool thinks of digest, signature value and later edits.
func mutoolOpinion(s specimen) (opinion, string) {
	_, out, err := runWithin(judgeTimeout, "mutool", "sign", "-v", s.path)
	if err != nil {
		return cannot, err.Error()
	}
	seen, good, edited := 0, 0, 0
	for line := range strings.Lines(out) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "Verifying signature "):
			seen++
		case line == mutoolUnchanged:
			good++
		case line == mutoolEdited:
			edited++
		}
	}
	stamps := strings.Count(out, "ETSI.RFC3161") // counted, never verified
	switch {
	case seen == 0:
		return blind, out
	case good+edited < seen-stamps:
		return rejects, out
	case edited > 0:
		return notes, out
	}
	return accepts, out
}

// explained is one class of disagreement that docs/explanation/disagreements.md
// explains under the identifier.
type explained struct {
	id     string
	judge  string
	ours   string // side
	theirs opinion
	// when tells which files it is about.
	when func(specimen) bool
}

// register collects opinions and the disagreements nobody has explained.
type register struct {
	mu     sync.Mutex
	table  []explained
	counts map[string]int // by class, our opinion, judge and theirs
	used   map[string]int
	files  int
	agreed map[string]int
}

func newRegister(table []explained) *register {
	return &register{table: table, counts: map[string]int{}, used: map[string]int{}, agreed: map[string]int{}}
}

// add enters one judgement. It returns the words for a disagreement that the table
// does not explain, else "".
func (r *register) add(s specimen, judge string, ours, theirs opinion) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[fmt.Sprintf("%-11s we %s: %s %s", s.class, ours, judge, theirs)]++
	if ours.side() == theirs.side() {
		r.agreed[judge]++
		return ""
	}
	for _, e := range r.table {
		if e.judge == judge && e.ours == ours.side() && e.theirs == theirs && e.when(s) {
			r.used[e.id]++
			return ""
		}
	}
	return fmt.Sprintf("we: %s, %s: %s", ours, judge, theirs)
}

// finish prints the table, and fails for explanations that explain nothing and
// for those that the page does not hold.
func (r *register) finish(t *testing.T, what string, least int) {
	t.Helper()
	for _, k := range slices.Sorted(maps.Keys(r.counts)) {
		t.Logf("table: %s: %-70s %4d", what, k, r.counts[k])
	}
	ids := map[string]bool{}
	for _, e := range r.table {
		ids[e.id] = true
	}
	checkPage(t, ids, r.used)
	t.Logf("counts: %s: %d files; agreed: %v; explained disagreements: %v", what, r.files, r.agreed, r.used)
	if r.files < least {
		t.Errorf("%d files, fewer than %d", r.files, least)
	}
}

// checkPage fails for explanations that explain nothing any more and for those that
// the page of disagreements does not hold.
func checkPage(t *testing.T, ids map[string]bool, used map[string]int) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "explanation", "disagreements.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if used[id] == 0 && os.Getenv("ANTIN_CORPUS") != "" { // some classes live in the corpus alone
			t.Errorf("nothing disagrees as %s says any more", id)
		}
		if !strings.Contains(string(page), "| "+id+" |") {
			t.Errorf("docs/explanation/disagreements.md does not explain %s", id)
		}
	}
}
