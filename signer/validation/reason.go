package validation

import (
	"fmt"
	"slices"

	"antin/internal/text"
)

// ReasonCode names a finding; programs rely on the words.
type ReasonCode string

// The reasons that make a file invalid.
const (
	ReasonMalformed     ReasonCode = "malformed"
	ReasonTrailingData  ReasonCode = "trailing_data"
	ReasonFormat        ReasonCode = "format_failure"
	ReasonHash          ReasonCode = "hash_mismatch"
	ReasonSignature     ReasonCode = "signature_value_wrong"
	ReasonChanged       ReasonCode = "changed_after_signing"
	ReasonUncovered     ReasonCode = "changed_uncovered"
	ReasonNotYetValid   ReasonCode = "certificate_not_yet_valid"
	ReasonRevokedBefore ReasonCode = "signed_after_revocation"
	ReasonExpiredBefore ReasonCode = "signed_after_expiry"
)

// The reasons that leave a file inconclusive.
const (
	ReasonNoCertificate   ReasonCode = "no_signing_certificate"
	ReasonUntrusted       ReasonCode = "untrusted"
	ReasonNoAnchors       ReasonCode = "no_trust_anchors"
	ReasonSandbox         ReasonCode = "sandbox_certificate"
	ReasonChain           ReasonCode = "chain_unusable"
	ReasonChainConstraint ReasonCode = "chain_constraint"
	ReasonRevocation      ReasonCode = "revocation_unknown"
	ReasonRevoked         ReasonCode = "revoked"
	ReasonRevokedCA       ReasonCode = "ca_revoked"
	ReasonExpired         ReasonCode = "certificate_expired"
	ReasonAlgorithm       ReasonCode = "algorithm_too_weak"
	ReasonAttributes      ReasonCode = "attributes_missing"
	ReasonUnsupported     ReasonCode = "unsupported"
	ReasonTimestampOrder  ReasonCode = "timestamp_order"
	ReasonSuspended       ReasonCode = "suspended"
	ReasonExpiredCA       ReasonCode = "ca_expired"
	ReasonAnchorEnded     ReasonCode = "anchor_ended"
	ReasonDomain          ReasonCode = "domain_not_accepted"
	ReasonNoProof         ReasonCode = "proof_missing"
	ReasonNoContent       ReasonCode = "content_missing"

	ReasonRevocationIssuer ReasonCode = "revocation_issuer_expired"
	ReasonSignaturePolicy  ReasonCode = "signature_policy_unchecked"
	ReasonPolicyProcessing ReasonCode = "signature_policy_differs"
	ReasonBudget           ReasonCode = "comparison_incomplete"
	ReasonCoverUntrusted   ReasonCode = "change_covered_by_untrusted"
)

// The reasons that are notes.
const (
	ReasonTimestamp      ReasonCode = "timestamp_unusable"
	ReasonOnlyTimestamps ReasonCode = "only_timestamps"
	ReasonUnsignedFile   ReasonCode = "no_signature"
	ReasonEarlierData    ReasonCode = "revocation_before_signing"
	ReasonBelowBaseline  ReasonCode = "below_baseline"
	ReasonNoTimestamp    ReasonCode = "no_timestamp"
	ReasonNotLongTerm    ReasonCode = "not_long_term"
	ReasonAging          ReasonCode = "algorithm_aging"
	ReasonChangeAllowed  ReasonCode = "change_permitted"
	ReasonChangeCovered  ReasonCode = "change_covered"
	ReasonUsageRights    ReasonCode = "usage_rights"
	ReasonAfterTimestamp ReasonCode = "changed_after_timestamp"
	ReasonPolyglot       ReasonCode = "polyglot"
	ReasonCounter        ReasonCode = "countersignature_broken"
	ReasonLateClaim      ReasonCode = "claimed_time_late"
	ReasonOldLeafOnly    ReasonCode = "old_practice_leaf_only"
	ReasonOldNoESS       ReasonCode = "old_practice_no_ess"
	ReasonOldLocalTime   ReasonCode = "old_practice_local_time"
	ReasonOldSHA1        ReasonCode = "old_practice_sha1"
	ReasonOldSubFilter   ReasonCode = "old_practice_subfilter"
	ReasonOldInternal    ReasonCode = "old_practice_internal_host"
	ReasonOverSignature  ReasonCode = "over_signature"
	ReasonOverText       ReasonCode = "over_text"
	ReasonPicture        ReasonCode = "picture_not_signature"
	ReasonReaders        ReasonCode = "readers_differ"
)

// maxReasons bounds the reasons of one code, so that a wrecked file still gives a
// report that a person can read.
const maxReasons = 10

// say returns the catalogue entry key with args; an argument that is itself a
// text.Message speaks each language in turn.
func say(key text.Key, args ...any) text.Message {
	m := text.Get(key)
	if len(args) == 0 {
		return m
	}
	vi, en := make([]any, len(args)), make([]any, len(args))
	for i, a := range args {
		vi[i], en[i] = a, a
		if t, ok := a.(text.Message); ok {
			vi[i], en[i] = t.VI, t.EN
		}
	}
	return text.Message{VI: fmt.Sprintf(m.VI, vi...), EN: fmt.Sprintf(m.EN, en...)}
}

// reasonKey is the catalogue entry of a reason.
func reasonKey(c ReasonCode) text.Key { return text.Key("validation." + string(c)) }

// because adds a reason that makes v of the file; a Valid one is not worth a word.
func (r *Report) because(v Verdict, r2 Reason) {
	if v == Valid {
		return
	}
	n := 0
	for _, old := range r.Reasons {
		if old.Code == r2.Code && old.Signature == r2.Signature && old.Page == r2.Page && old.Message == r2.Message {
			return
		}
		if old.Code == r2.Code {
			n++
		}
	}
	r.Verdict = gravest(r.Verdict, v)
	if n >= maxReasons {
		return
	}
	r2.verdict = v
	r.Reasons = append(r.Reasons, r2)
}

// finish puts the gravest reasons first and the verdict into words.
func (r *Report) finish() {
	slices.SortStableFunc(r.Reasons, func(a, b Reason) int {
		if c := b.verdict.rank() - a.verdict.rank(); c != 0 {
			return c
		}
		return a.Code.consequence() - b.Code.consequence()
	})
	r.Headline = text.Get(text.Key("verdict." + string(r.Verdict)))
}

// consequence orders reasons of one gravity: what is broken comes before what is
// only so because of it.
func (c ReasonCode) consequence() int {
	if c == ReasonUncovered {
		return 1
	}
	return 0
}
