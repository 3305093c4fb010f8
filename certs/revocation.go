package certs

import (
	"slices"
	"strconv"
	"time"
)

// The values of RevocationStatus.Status, as reports show them.
const (
	StatusGood    = "good"
	StatusRevoked = "revoked"
	StatusUnknown = "unknown"
)

// The values of RevocationStatus.Source.
const (
	SourceOCSP = "ocsp"
	SourceCRL  = "crl"
	SourceNone = "none"
)

// The values of RevocationStatus.Why: why nothing better than "unknown" is
// known, the one nearest to an answer first.
const (
	WhyStale            = "stale"             // evidence is too old for At (or its age is not stated)
	WhyAfterExpiry      = "after-expiry"      // evidence was made after the certificate expired and does not say that it still covers it
	WhyPartial          = "partial"           // CRLs cover some reasons only
	WhyResponderUnknown = "responder-unknown" // the responder does not know the certificate
	WhySignature        = "signature"         // the evidence's signature does not verify
	WhyResponder        = "responder"         // whoever signed may not speak for the issuer
	WhyUnsupported      = "unsupported"       // a delta CRL without its list, an unknown critical extension or algorithm
	WhyOther            = "other-certificate" // the evidence is about other certificates
	WhyMalformed        = "malformed"         // the evidence cannot be read
	WhyNone             = "no-evidence"       // there was none
)

// RevocationOptions says how evidence is judged.
type RevocationOptions struct {
	// At is the time for which the status is wanted. Evidence from before At
	// counts while it is fresh, evidence from after it always.
	At time.Time
	// MaxOCSPAge and MaxCRLAge bound how much older than At evidence may be, in
	// addition to its own nextUpdate; 0 leaves nextUpdate alone.
	MaxOCSPAge, MaxCRLAge time.Duration
	// NotBefore, where set, refuses "good" from evidence issued earlier (compared
	// in whole seconds, the precision of the formats).
	NotBefore time.Time
	// Intermediates may hold certificates of responders and CRL issuers.
	Intermediates []*Certificate
	// Anchors, where set, let a CRL be signed by another certificate than the
	// issuer's: a path from it must end here. Give the anchor of the
	// certificate's own path only (RFC 5280, 6.3.3 (f)).
	Anchors []*Certificate
}

// RevocationStatus is what the evidence says about a certificate at a time. The
// zero value is not a status; CheckRevocation always sets Status and Source.
type RevocationStatus struct {
	Status string // StatusGood, StatusRevoked or StatusUnknown
	// RevokedAt is set whenever a revocation is known, also one after At, under
	// which the status at At is still good.
	RevokedAt time.Time
	Reason    string // of the revocation, by RFC 5280's name; empty when not revoked
	Source    string // SourceOCSP, SourceCRL or SourceNone

	// The dates of the evidence used, or of the stale one nearest to use.
	ThisUpdate, NextUpdate, ProducedAt time.Time
	Embedded                           bool
	Evidence                           Evidence
	// Delta is the delta CRL that brought Evidence, the complete CRL, up to date;
	// its zero value when none did.
	Delta Evidence
	// Issuer is the OCSP responder's or CRL issuer's certificate and IssuerPath
	// its path: up to the certificate's issuer when that one delegated, up to an
	// anchor when another CA signed the CRL. The caller checks the revocation of
	// Issuer itself, except where it is the certificate's issuer or carries
	// OCSPNoCheck.
	Issuer     *Certificate
	IssuerPath Path
	Why        string // why the status is unknown; empty otherwise
}

// FreshAt reports whether the evidence was issued no longer than maxAge before
// at, or after it; maxAge 0 asks for evidence not older than at. Seconds are whole.
func (s RevocationStatus) FreshAt(at time.Time, maxAge time.Duration) bool {
	return !s.ThisUpdate.IsZero() && !s.ThisUpdate.Before(at.Add(-maxAge).Truncate(time.Second))
}

// maxEvidence bounds how many pieces are looked at for one certificate; every
// piece may cost a signature verification.
const maxEvidence = 100

// CheckRevocation judges evidence about cert, issued by issuer. A proven
// revocation outweighs any "good", except a hold that newer evidence lifted;
// among equals the newest evidence is used, OCSP before CRL.
func CheckRevocation(cert, issuer *Certificate, ev []Evidence, o RevocationOptions) RevocationStatus {
	c := &revocationCheck{cert: cert, issuer: issuer, o: o, unknown: RevocationStatus{Status: StatusUnknown, Source: SourceNone, Why: WhyNone}}
	for _, e := range likeliest(ev) {
		switch e.Kind {
		case EvidenceOCSP:
			c.ocsp(e)
		case EvidenceCRL:
			c.crl(e)
		}
	}
	c.crls()
	return c.result()
}

// likeliest cuts ev to maxEvidence: what was asked for goes before what the document
// brought along, so that nobody can bury an answer under old ones.
func likeliest(ev []Evidence) []Evidence {
	if len(ev) <= maxEvidence {
		return ev
	}
	ev = slices.Clone(ev)
	slices.SortStableFunc(ev, func(a, b Evidence) int {
		embedded := func(e Evidence) int {
			if e.Origin == OriginEmbedded {
				return 1
			}
			return 0
		}
		return embedded(a) - embedded(b)
	})
	return ev[:maxEvidence]
}

type revocationCheck struct {
	cert, issuer *Certificate
	o            RevocationOptions
	known        []RevocationStatus // good (fresh) and revoked
	partial      []RevocationStatus // good for some reasons only
	complete     []usableCRL
	deltas       []usableCRL
	mask         reasonMask
	unknown      RevocationStatus
}

// whyOrder is how near to an answer a failure came, nearest first.
var whyOrder = []string{WhyStale, WhyAfterExpiry, WhyPartial, WhyResponderUnknown, WhySignature, WhyResponder, WhyUnsupported, WhyOther, WhyMalformed, WhyNone}

func (c *revocationCheck) fail(s RevocationStatus, why string) {
	if slices.Index(whyOrder, why) >= slices.Index(whyOrder, c.unknown.Why) {
		return
	}
	s.Status, s.Why, s.Source = StatusUnknown, why, SourceNone
	c.unknown = s
}

func (c *revocationCheck) result() RevocationStatus {
	slices.SortStableFunc(c.known, func(a, b RevocationStatus) int {
		if n := b.ThisUpdate.Compare(a.ThisUpdate); n != 0 {
			return n
		}
		return int(b.Source[0]) - int(a.Source[0]) // "ocsp" before "crl"
	})
	for _, s := range c.known {
		if s.Reason != "" && s.Reason != reasonName(reasonHold) {
			return c.at(s)
		}
	}
	if len(c.known) > 0 {
		return c.at(c.known[0])
	}
	if len(c.partial) > 0 {
		oldest := slices.MinFunc(c.partial, func(a, b RevocationStatus) int { return a.ThisUpdate.Compare(b.ThisUpdate) })
		if c.mask == allReasons {
			return oldest
		}
		c.fail(oldest, WhyPartial)
	}
	return c.unknown
}

// at turns a known revocation into the status at o.At.
func (c *revocationCheck) at(s RevocationStatus) RevocationStatus {
	if s.Reason != "" && !s.RevokedAt.After(c.o.At) {
		s.Status = StatusRevoked
		return s
	}
	s.Status = StatusGood
	return s
}

// stale says why evidence with these dates cannot show that the certificate was
// good; retained is since when its maker keeps facts about expired certificates.
func (c *revocationCheck) stale(this, next, retained time.Time, maxAge time.Duration) (why string) {
	at := c.o.At.Truncate(time.Second)
	switch {
	case !c.o.NotBefore.IsZero() && this.Before(c.o.NotBefore.Truncate(time.Second)):
		return WhyStale
	case this.After(c.cert.NotAfter) && (retained.IsZero() || retained.After(c.cert.NotAfter)):
		return WhyAfterExpiry
	case !this.Before(at):
		return ""
	case next.IsZero() && maxAge == 0, !next.IsZero() && next.Before(at), maxAge > 0 && at.Sub(this) > maxAge:
		return WhyStale
	}
	return ""
}

const reasonHold = 6

var reasonNames = []string{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
	"certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}

// reasonName is RFC 5280's name of a CRLReason; an unknown one keeps its number.
func reasonName(code int) string {
	if code >= 0 && code < len(reasonNames) && reasonNames[code] != "" {
		return reasonNames[code]
	}
	return strconv.Itoa(code)
}
