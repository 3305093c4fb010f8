package validation

import (
	"fmt"
	"time"

	"antin/certs"
	"antin/internal/text"
)

// Rule says what a policy makes of a finding that standards leave open.
type Rule string

// The rules. The zero value is the strictest reading.
const (
	RuleFail         Rule = ""             // invalid
	RuleInconclusive Rule = "inconclusive" // INDETERMINATE
	RuleNote         Rule = "note"
	RuleSilent       Rule = "silent"
)

// Policy holds the choices that EN 319 102-1 calls validation constraints, as
// plain data. The zero value is not usable; take one by PolicyByName. A
// Validator with a zero Policy uses DefaultPolicy.
type Policy struct {
	Name, Version string
	// OCSPMaxAge bounds the age of an OCSP response on the signer at the time it
	// is judged for; 0 asks for data issued at or after that time.
	OCSPMaxAge time.Duration
	// CRLMaxAge bounds the age of a CRL in the same way; a negative value lets a
	// CRL serve until its own next update.
	CRLMaxAge time.Duration
	// EarlierRevocationData judges data on the signing certificate from before a
	// proven best signature time, though fresh at it.
	EarlierRevocationData Rule
	// UncoveredChange judges a visible change that no later intact signature
	// covers and no DocMDP permits.
	UncoveredChange Rule
	// BelowBaseline judges a missing mandatory or present forbidden signed attribute.
	BelowBaseline Rule
	// MissingTimestamp judges a signature without any usable proof of time.
	MissingTimestamp Rule
	// RequireCARevocation asks for revocation data also on a CA certificate that
	// names no place to obtain it.
	RequireCARevocation bool
	// RequireLongTerm judges a signature that does not reach B-LT.
	RequireLongTerm Rule
	// AgingAlgorithm judges algorithms that were strong enough at the proven time
	// and are no longer at the time of validation.
	AgingAlgorithm Rule
	// ExpiredRevocationIssuer judges revocation data whose maker's certificate had
	// ended before anything proves that the data existed.
	ExpiredRevocationIssuer Rule
	// UncheckedSignaturePolicy judges a signature made under a signature policy of
	// which nothing is known here.
	UncheckedSignaturePolicy Rule
	// OldPractice judges what older national tools do otherwise than today's
	// standards; each such practice is named in a reason of its own.
	OldPractice Rule
	// SignaturePolicies are the signature policies known here: the digest of each
	// document by its object identifier in dotted form. Read-only.
	SignaturePolicies map[string]KnownSignaturePolicy
	// Algorithms says until when algorithms count; one without a name is the table that
	// follows TS 119 312.
	Algorithms certs.CryptoPolicy
	// Domains lists, for each kind of signer, the domains of trust under which its
	// certificates have to stand; a kind without an entry may stand under any anchor.
	// Read-only.
	Domains map[SignerKind][]certs.Domain
	// Seals are the SHA-256 digests of the certificates that are agencies' seals, beside
	// those that the Validator knows. Read-only.
	Seals map[[32]byte]bool
}

// table is the dated table of algorithms in force under the policy.
func (p *Policy) table() certs.CryptoPolicy {
	if p.Algorithms.Name == "" {
		return certs.TS119312()
	}
	return p.Algorithms
}

// DefaultPolicy is the name of the policy used when none is asked for.
const DefaultPolicy = "vn-2026"

// day is the age up to which the national practice accepts an OCSP answer.
const day = 24 * time.Hour

// policies are dated data: a change of a value is a new version.
var policies = []Policy{
	{
		Name: "vn-2026", Version: "2",
		OCSPMaxAge: day, CRLMaxAge: -1,
		EarlierRevocationData: RuleNote, UncoveredChange: RuleFail, BelowBaseline: RuleNote,
		MissingTimestamp: RuleSilent, RequireLongTerm: RuleSilent, AgingAlgorithm: RuleSilent,
		ExpiredRevocationIssuer: RuleSilent, UncheckedSignaturePolicy: RuleSilent, OldPractice: RuleNote,
	},
	{
		Name: "eidas-like", Version: "2",
		OCSPMaxAge: day, CRLMaxAge: -1,
		EarlierRevocationData: RuleSilent, UncoveredChange: RuleNote, BelowBaseline: RuleNote,
		MissingTimestamp: RuleSilent, RequireLongTerm: RuleSilent, AgingAlgorithm: RuleNote, RequireCARevocation: true,
		ExpiredRevocationIssuer: RuleInconclusive, UncheckedSignaturePolicy: RuleSilent, OldPractice: RuleNote,
	},
	{
		Name: "strict", Version: "2",
		OCSPMaxAge: 0, CRLMaxAge: 0,
		EarlierRevocationData: RuleInconclusive, UncoveredChange: RuleFail, BelowBaseline: RuleInconclusive,
		MissingTimestamp: RuleNote, RequireLongTerm: RuleSilent, AgingAlgorithm: RuleNote, RequireCARevocation: true,
		ExpiredRevocationIssuer: RuleInconclusive, UncheckedSignaturePolicy: RuleInconclusive, OldPractice: RuleNote,
	},
	{
		Name: "archive", Version: "2",
		OCSPMaxAge: day, CRLMaxAge: -1,
		EarlierRevocationData: RuleNote, UncoveredChange: RuleFail, BelowBaseline: RuleNote,
		MissingTimestamp: RuleNote, RequireLongTerm: RuleNote, AgingAlgorithm: RuleNote,
		ExpiredRevocationIssuer: RuleNote, UncheckedSignaturePolicy: RuleNote, OldPractice: RuleNote,
	},
}

// PolicyByName returns the policy called name; "" is the default. The error is
// a *text.Error with code invalid-input that lists the names.
func PolicyByName(name string) (Policy, error) {
	if name == "" {
		name = DefaultPolicy
	}
	for _, p := range policies {
		if p.Name == name {
			return p, nil
		}
	}
	return Policy{}, text.Detailed(text.InvalidInput, fmt.Errorf("unknown policy %q", name), "validation.policy.unknown", name, policyNames())
}

func policyNames() string {
	s := ""
	for i, p := range policies {
		if i > 0 {
			s += ", "
		}
		s += p.Name
	}
	return s
}

// verdict is what the rule makes of the file.
func (r Rule) verdict() Verdict {
	switch r {
	case RuleSilent:
		return Valid
	case RuleNote:
		return ValidWithNotes
	case RuleInconclusive:
		return Inconclusive
	case RuleFail:
	}
	return Invalid
}
