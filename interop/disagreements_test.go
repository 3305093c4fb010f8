//go:build interop

package interop_test

import (
	"slices"
	"strings"

	"antin/signer/ades"
)

// changeDisagreements are the classes of disagreement on later changes that
// docs/explanation/disagreements.md explains under the same identifiers.
func changeDisagreements() []explained {
	class := func(names ...string) func(specimen) bool {
		return func(s specimen) bool { return slices.Contains(names, s.class) }
	}
	what := func(names ...string) func(specimen) bool {
		return func(s specimen) bool {
			return slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(s.what, n) })
		}
	}
	seed := func(names ...string) func(specimen) bool {
		return func(s specimen) bool {
			return slices.ContainsFunc(names, func(n string) bool { return strings.Contains(s.seed, n) })
		}
	}
	later := class("annotation", "saving", "shadow", "signature", "structure")
	emptied := class("forgery", "signature", "cms")
	behind := class("structure")
	form := what("viewers asked to draw all values", "the form's", "a font of the form exchanged", "the fields in another order")
	field := what("a field of another kind of text", "a field's font and size", "a field's alignment", "a field hidden", "a field that is not printed",
		"a field's look chosen among states", "a field's look under the mouse")
	indirect := what("ByteRange as an object of its own", "Contents as an object of its own")
	caption := what("a field's caption", "a field's background")
	return []explained{
		{"C1", byDSS, "no", notes, later},
		{"C1", byDSS, "no", notes, emptied},
		{"C1", byDSS, "no", notes, seed("sneaky", "not-all-paths")},
		{"C2", byDSS, "no", accepts, later},
		{"C3", byDSS, "no", accepts, emptied},
		{"C4", byDSS, "no", accepts, seed("tail-uncovered")},
		{"C5", byMutool, "no", notes, later},
		{"C5", byMutool, "no", notes, class(honest)},
		{"C6", byPyHanko, "no", accepts, behind},
		{"C6", byPyHanko, "no", notes, behind},
		{"C7", byPyHanko, "no", accepts, what("an author")},
		{"C7", byPyHanko, "no", notes, what("an author")},
		{"C8", byPyHanko, "no", notes, emptied},
		{"C9", byPyHanko, "yes", rejects, seed("certify-3")},
		{"C10", byDSS, "unsure", accepts, seed("ed448")},
		{"C10", byDSS, "unsure", cannot, seed("ed448")},
		{"C10", byDSS, "unsure", rejects, seed("ed448")},
		{"C10", byDSS, "no", unsure, seed("ed448")},
		{"C10", byPyHanko, "unsure", accepts, seed("ed448")},
		{"C10", byMutool, "unsure", rejects, seed("ed448")},
		{"C11", byMutool, "yes", rejects, class(honest)},
		{"C11", byMutool, "yes", blind, class(honest)},
		{"C11", byMutool, "yes", rejects, seed("pades-lta-dss")}, // honest too, and so with every change that we accept
		{"C12", byMutool, "no", accepts, seed("econtent")},
		{"C13", byDSS, "yes", blind, what("CMS cut short")},
		{"C13", byPyHanko, "yes", cannot, what("CMS cut short")},
		{"C13", byMutool, "yes", rejects, what("CMS cut short")},
		{"C14", byDSS, "unsure", rejects, what("signed attributes taken")},
		{"C14", byPyHanko, "unsure", rejects, what("signed attributes taken")},
		{"C14", byMutool, "unsure", rejects, what("signed attributes taken")},
		{"C15", byPyHanko, "no", accepts, what("two signers")},
		{"C15", byPyHanko, "no", notes, what("two signers")},
		{"C15", byMutool, "no", accepts, what("two signers")},
		{"C15", byMutool, "no", notes, what("two signers")},
		{"C16", byDSS, "no", accepts, class("reading")},
		{"C16", byDSS, "no", notes, class("reading")},
		{"C16", byMutool, "no", notes, class("reading")},
		{"C16", byPyHanko, "no", accepts, class("reading")},
		{"C16", byPyHanko, "no", notes, class("reading")},
		{"C17", byPyHanko, "no", notes, what("another look of a form field")},
		{"C18", byPyHanko, "no", accepts, form},
		{"C18", byPyHanko, "no", notes, form},
		{"C19", byPyHanko, "no", notes, field},
		{"C20", byMutool, "no", notes, indirect},
		{"C21", byPyHanko, "yes", rejects, caption},
	}
}

// differing is one class of differing answers on trust and time that the page
// explains.
type differing struct {
	id, judge string
	holds     func(c trustCase, our, their result) bool
}

// The indications.
const (
	passed        = "TOTAL_PASSED"
	indeterminate = "INDETERMINATE"
)

// trustDisagreements are the classes of differing answers on trust and time that
// docs/explanation/disagreements.md explains under the same identifiers.
func trustDisagreements() []differing {
	subs := func(ours string, theirs ades.SubIndication, when func(trustCase) bool) func(trustCase, result, result) bool {
		return func(c trustCase, our, their result) bool {
			return our.main == indeterminate && slices.Contains(strings.Fields(ours), our.sub) && their == result{indeterminate, string(theirs)} && when(c)
		}
	}
	pass := func(theirs ades.SubIndication, when func(trustCase) bool) func(trustCase, result, result) bool {
		return func(c trustCase, our, their result) bool {
			return our.main == passed && their == result{indeterminate, string(theirs)} && when(c)
		}
	}
	theyPass := func(ours string, when func(trustCase) bool) func(trustCase, result, result) bool {
		return func(c trustCase, our, their result) bool {
			return our.main == indeterminate && slices.Contains(strings.Fields(ours), our.sub) && their.main == passed && when(c)
		}
	}
	ended := func(c trustCase) bool { return c.moment == moments()[2] }
	always := func(trustCase) bool { return true }
	byIssuing := func(c trustCase) bool { return c.trust == trustIssuing }
	stored := func(c trustCase) bool { return c.level.AtLeast(ades.BLT) }
	return []differing{
		{"T1", byDSS, subs("TRY_LATER OUT_OF_BOUNDS_NO_POE REVOKED_NO_POE", ades.CertificateChainGeneralFailure, always)},
		{"T1", byPyHanko, subs("TRY_LATER OUT_OF_BOUNDS_NO_POE REVOKED_NO_POE NO_CERTIFICATE_CHAIN_FOUND", ades.CertificateChainGeneralFailure, always)},
		{"T2", byDSS, subs("OUT_OF_BOUNDS_NO_POE REVOKED_NO_POE TRY_LATER", ades.OutOfBoundsNotRevoked, func(c trustCase) bool { return byIssuing(c) && stored(c) })},
		{"T2", byPyHanko, subs("REVOKED_NO_POE TRY_LATER", ades.OutOfBoundsNoPOE, ended)},
		{"T3", byDSS, theyPass("TRY_LATER", func(c trustCase) bool { return byIssuing(c) && stored(c) && !c.online })},
		{"T4", byDSS, theyPass("REVOKED_NO_POE TRY_LATER", func(c trustCase) bool { return c.level == ades.BLTA && c.online })},
		{"T5", byDSS, pass(ades.CertificateChainGeneralFailure, func(c trustCase) bool { return ended(c) && c.online && c.level == ades.BT })},
		{"T6", byPyHanko, subs("TRY_LATER REVOKED_NO_POE OUT_OF_BOUNDS_NO_POE", ades.NoCertificateChainFound, byIssuing)},
		{"T6", byPyHanko, pass(ades.NoCertificateChainFound, byIssuing)},
		{"T7", byPyHanko, pass(ades.CertificateChainGeneralFailure, func(c trustCase) bool { return stored(c) && !c.online })},
		{"T8", byPyHanko, theyPass("TRY_LATER REVOKED_NO_POE OUT_OF_BOUNDS_NO_POE", func(c trustCase) bool { return ended(c) && c.online && c.level == ades.BT })},
		{"T10", byPyHanko, pass(ades.RevokedNoPOE, func(c trustCase) bool { return ended(c) && c.online && c.level == ades.BLTA })},
		{"T9", byPyHanko, subs("TRY_LATER", ades.RevokedNoPOE, func(c trustCase) bool { return c.status == statusSuspended })},
	}
}
