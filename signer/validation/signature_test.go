package validation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

func TestIssuedResultIsValidOfflineForYearsWithoutNotes(t *testing.T) {
	t.Parallel()
	// RSA-2048 counts until 2029 only; the time-stamp proves that it was in time.
	b := newBenchWith(t, certstest.RSA2048)
	doc := b.issued(true)
	b.wait(2 * time.Second)
	doc = b.longTerm(doc, b.Leader(), b.Signer(certstest.RoleSealA))
	for _, after := range []time.Duration{0, 5 * 365 * 24 * time.Hour} {
		b.wait(after)
		r := b.judge(b.offline(), doc)
		expect(t, r, validation.Valid, "")
		if len(r.Signatures) != 2 {
			t.Fatalf("%d signatures", len(r.Signatures))
		}
		for _, s := range r.Signatures {
			if s.Level != "PAdES-B-LT" || s.Revocation.Status != "good" || !s.Revocation.Embedded || s.BestTimeSource != validation.TimeSignatureTimestamp {
				t.Errorf("%s: %+v", s.Field, s)
			}
		}
		if !r.Sandbox {
			t.Error("test data are not called so")
		}
	}
	r := b.judge(b.offline(), doc)
	var filled int
	for _, c := range r.Changes {
		if c.Kind == validation.ChangeForm {
			filled++
			if !c.Allowed || len(c.CoveredBy) != 1 || c.CoveredBy[0] != "CoQuan" || c.Page != 1 {
				t.Errorf("%+v", c)
			}
		}
	}
	if filled != 2 {
		t.Errorf("%d filled fields are reported: %+v", filled, r.Changes)
	}
	if m := r.Signatures[0].Modifications; m != validation.ModificationForm {
		t.Errorf("the person's signature saw %s", m)
	}
}

func TestTimestampFarAfterTSAExpiryNeedsALaterProof(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.longTerm(b.sign(plain(), pades.Options{}, as{stamp: true}), b.Leader())
	b.wait(16 * 365 * 24 * time.Hour) // the TSA's certificate has ended
	expect(t, b.judge(b.offline(), doc), validation.Inconclusive, validation.ReasonTimestamp)
}

func TestLevelsAreComputed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bb := b.sign(plain(), pades.Options{}, as{})
	bt := b.sign(plain(), pades.Options{}, as{stamp: true})
	b.wait(2 * time.Second)
	blt := b.longTerm(bt, b.Leader())
	b.wait(time.Hour)
	blta := b.archive(blt)
	for level, doc := range map[string][]byte{"PAdES-B-B": bb, "PAdES-B-T": bt, "PAdES-B-LT": blt, "PAdES-B-LTA": blta} {
		r := b.judge(b.online(), doc)
		expect(t, r, validation.Valid, "")
		if got := r.Signatures[0].Level; got != level {
			t.Errorf("level %s, want %s", got, level)
		}
	}
}

func TestUnprovenFactsAreInconclusive(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.wait(time.Hour)
	other := newBench(t)
	cases := []struct {
		name string
		doc  []byte
		v    *validation.Validator
		code validation.ReasonCode
		sub  ades.SubIndication
	}{
		{"no anchors", b.sign(plain(), pades.Options{}, as{}), &validation.Validator{}, validation.ReasonNoAnchors, ades.NoCertificateChainFound},
		{"other anchors", b.sign(plain(), pades.Options{}, as{}), other.offline(), validation.ReasonUntrusted, ades.NoCertificateChainFound},
		{"sandbox not allowed", b.sign(plain(), pades.Options{}, as{}), &validation.Validator{Trust: b.Anchors()}, validation.ReasonSandbox, ades.NoCertificateChainFound},
		{"revocation unknown", b.sign(plain(), pades.Options{}, as{}), b.offline(), validation.ReasonRevocation, ades.TryLater},
		{"revoked, no proof", b.sign(plain(), pades.Options{}, as{who: b.Signer(certstest.RoleRevoked)}), b.online(), validation.ReasonRevoked, ades.RevokedNoPOE},
		{"revoked, stamped after", b.sign(plain(), pades.Options{}, as{who: b.Signer(certstest.RoleRevoked), stamp: true}), b.online(), validation.ReasonRevoked, ades.RevokedNoPOE},
		{"expired", b.sign(plain(), pades.Options{}, as{who: b.Signer(certstest.RoleExpired)}), b.offline(), validation.ReasonExpired, ades.OutOfBoundsNoPOE},
		{"issuer missing", b.sign(plain(), pades.Options{}, as{noChain: true}), b.offline(), validation.ReasonUntrusted, ades.NoCertificateChainFound},
	}
	for _, c := range cases {
		r := b.judge(c.v, c.doc)
		if r.Verdict != validation.Inconclusive || r.Signatures[0].SubIndication != c.sub || r.Signatures[0].Integrity != validation.IntegrityOK {
			t.Errorf("%s: %s", c.name, explain(r))
		}
		expect(t, r, validation.Inconclusive, c.code)
		if r.Exit() != 4 {
			t.Errorf("%s: exit %d", c.name, r.Exit())
		}
	}
}

func TestRevocationAfterAProvenTimeChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stamped, bare := b.sign(plain(), pades.Options{}, as{stamp: true}), b.sign(plain(), pades.Options{}, as{})
	b.wait(time.Hour)
	if err := b.Revoke(b.Leader().Certificate, b.clock(), certstest.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	b.wait(time.Hour)
	r := b.judge(b.online(), stamped)
	expect(t, r, validation.Valid, "")
	if rev := r.Signatures[0].Revocation; rev.Status != certs.StatusGood || rev.RevokedAt.IsZero() {
		t.Errorf("%+v", rev)
	}
	// The claimed time lies before the revocation as well, and moves nothing.
	expect(t, b.judge(b.online(), bare), validation.Inconclusive, validation.ReasonRevoked)
}

// The CA learns after signing that the key was lost before it: the document's own
// data, good when they were made, do not outweigh that (EN 319 102-1, 5.5.4).
func TestANoticeOfAnEarlierRevocationOutweighsEmbeddedData(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	blt := b.sign(plain(), pades.Options{}, as{stamp: true})
	b.wait(time.Minute)
	blt = b.longTerm(blt, b.Leader())
	blta := b.archive(blt)
	b.wait(24 * time.Hour)
	if err := b.Revoke(b.Leader().Certificate, day0.Add(-time.Hour), certstest.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	b.wait(30 * 24 * time.Hour)
	for name, doc := range map[string][]byte{"B-LT": blt, "B-LTA": blta} {
		if s := b.judge(b.online(), doc).Signatures[0]; s.SubIndication != ades.RevokedNoPOE {
			t.Errorf("%s online: %s %s", name, s.Indication, s.SubIndication)
		}
		if s := b.judge(b.offline(), doc).Signatures[0]; s.Indication != ades.TotalPassed {
			t.Errorf("%s offline: %s %s", name, s.Indication, s.SubIndication)
		}
	}
}

func TestRevokedCAIsInconclusive(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.sign(plain(), pades.Options{}, as{})
	if err := b.Revoke(b.IssuingCA().Certificate, b.clock(), certstest.CessationOfOperation); err != nil {
		t.Fatal(err)
	}
	r := b.judge(b.online(), doc)
	expect(t, r, validation.Inconclusive, validation.ReasonRevokedCA)
}

func TestExpiredWithAProofFromBeforeIsValid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.longTerm(b.sign(plain(), pades.Options{}, as{stamp: true}), b.Leader())
	b.wait(3 * 365 * 24 * time.Hour) // the signer's certificate has ended
	expect(t, b.judge(b.offline(), doc), validation.Valid, "")
}

func TestOnlyAContentTimestampProvesSigningAfterTheEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for role, want := range map[string]ades.SubIndication{certstest.RoleRevoked: ades.Revoked, certstest.RoleExpired: ades.Expired} {
		r := b.judge(b.online(), b.sign(plain(), pades.Options{}, as{who: b.Signer(role), content: true}))
		// The token of a content time-stamp is over the signed ranges.
		if r.Signatures[0].SubIndication != want || r.Signatures[0].Indication != ades.TotalFailed || r.Verdict != validation.Invalid {
			t.Errorf("%s: %s", role, explain(r))
		}
	}
}

func TestProvenTimeBeforeTheCertificateIsInvalid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	late, err := b.Issue(certstest.Spec{CommonName: "Người Đến Sau", NotBefore: day0.Add(24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	doc := b.sign(plain(), pades.Options{}, as{who: late, stamp: true})
	b.wait(48 * time.Hour)
	r := b.judge(b.online(), doc)
	if r.Signatures[0].SubIndication != ades.NotYetValid || r.Verdict != validation.Invalid {
		t.Error(explain(r))
	}
}

func TestDataFromBeforeSigningIsANoteForTheSignerOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	leader, err := b.OCSP(b.Leader().Certificate)
	if err != nil {
		t.Fatal(err)
	}
	b.wait(time.Hour)
	doc := b.sign(plain(), pades.Options{}, as{stamp: true})
	b.wait(time.Second)
	b.wait(0)
	doc = b.longTerm(doc) // TSA and CA from after, the signer from before
	doc = b.addEvidence(doc, pades.DSS{OCSPs: [][]byte{leader}})
	expect(t, b.judge(b.offline(), doc), validation.ValidWithNotes, validation.ReasonEarlierData)
	strict, err := validation.PolicyByName("strict")
	if err != nil {
		t.Fatal(err)
	}
	v := b.offline()
	v.Policy = strict
	expect(t, b.judge(v, doc), validation.Inconclusive, validation.ReasonRevocation)
}

func (b *bench) addEvidence(doc []byte, d pades.DSS) []byte {
	b.t.Helper()
	built, err := pades.AddDSS(b.open(doc), d)
	if err != nil {
		b.t.Fatal(err)
	}
	return append(bytes.Clone(doc), built.Data...)
}

func TestUnusableTimestampIsANoteAndLowersTheLevel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.judge(b.online(), b.sign(plain(), pades.Options{}, as{stamp: true, badStamp: true}))
	expect(t, r, validation.ValidWithNotes, validation.ReasonTimestamp)
	s := r.Signatures[0]
	if s.Level != "PAdES-B-B" || s.BestTimeSource != validation.TimeNow || len(s.Timestamps) != 1 || s.Timestamps[0].Indication != ades.TotalFailed {
		t.Errorf("%+v", s)
	}
}

func TestDocumentTimestampProvesTheTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.archive(b.sign(plain(), pades.Options{}, as{}))
	stamped := b.clock()
	b.wait(time.Hour)
	r := b.judge(b.online(), doc)
	expect(t, r, validation.Valid, "")
	if s := r.Signatures[0]; s.BestTimeSource != validation.TimeDocumentTimestamp || !s.BestTime.Equal(stamped) || s.Level != "PAdES-B-T" {
		t.Errorf("%+v", s)
	}
}

func TestTimestampBeforeASignatureProvesNothingAboutIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.archive(result(padestest.Classic))
	b.wait(time.Hour)
	r := b.judge(b.online(), b.sign(doc, pades.Options{}, as{}))
	expect(t, r, validation.Valid, "")
	if s := r.Signatures[1]; s.BestTimeSource != validation.TimeNow || s.Level != "PAdES-B-B" {
		t.Errorf("%+v", s)
	}
}

func TestRevokedTSAProvesNoTimeUnlessHarmless(t *testing.T) {
	t.Parallel()
	for reason, want := range map[certstest.Reason]validation.Verdict{
		certstest.KeyCompromise: validation.ValidWithNotes, certstest.Superseded: validation.Valid,
	} {
		b := newBench(t)
		doc := b.sign(plain(), pades.Options{}, as{stamp: true})
		b.wait(time.Hour)
		if err := b.Revoke(b.TSA().Certificate, b.clock(), reason); err != nil {
			t.Fatal(err)
		}
		b.wait(time.Hour)
		r := b.judge(b.online(), doc)
		if r.Verdict != want || (want == validation.ValidWithNotes) != (r.Signatures[0].BestTimeSource == validation.TimeNow) {
			t.Errorf("%d: %s", reason, explain(r))
		}
	}
}

func TestOnlyDocumentTimestampsAreNobodysSignature(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.judge(b.online(), b.archive(result(padestest.Classic)))
	expect(t, r, validation.Unsigned, validation.ReasonOnlyTimestamps)
	if r.Exit() != 5 || r.Signatures[0].Indication != ades.TotalPassed {
		t.Error(explain(r))
	}
}

func TestEmptySignatureFieldsAreUnsigned(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.judge(b.online(), result(padestest.ObjectStreams))
	expect(t, r, validation.Unsigned, validation.ReasonUnsignedFile)
	if len(r.Signatures) != 0 {
		t.Errorf("%+v", r.Signatures)
	}
}

func TestSigningTimeIsBelowTheBaseline(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.sign(plain(), pades.Options{}, as{signingAt: true})
	r := b.judge(b.online(), doc)
	expect(t, r, validation.ValidWithNotes, validation.ReasonBelowBaseline)
	if r.Signatures[0].Level != "ETSI.CAdES.detached" {
		t.Errorf("level %s", r.Signatures[0].Level)
	}
}

func TestForeignKeyIsASignatureFailure(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.sign(plain(), pades.Options{}, as{foreign: b.Signer(certstest.RoleSealB).Key})
	r := b.judge(b.offline(), doc)
	expect(t, r, validation.Invalid, validation.ReasonSignature)
	if r.Signatures[0].SubIndication != ades.SigCryptoFailure || r.Signatures[0].Integrity != validation.IntegrityBroken || r.Exit() != 3 {
		t.Error(explain(r))
	}
}

func TestUnsignedRubbishIsAnErrorAndSignedRubbishAVerdict(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	v := b.offline()
	for name, c := range map[string]struct {
		doc  []byte
		code text.Code
	}{
		"empty":   {nil, text.NotAPDF},
		"text":    {[]byte("Kính gửi"), text.NotAPDF},
		"damaged": {plain()[:200], ""},
	} {
		_, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(c.doc), Size: int64(len(c.doc))}, day0)
		if err == nil || (c.code != "" && text.CodeOf(err) != c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	doc := b.sign(plain(), pades.Options{}, as{})
	cut := bytes.Replace(doc, []byte("startxref"), []byte("startxxxx"), 2)
	r := b.judge(v, cut)
	expect(t, r, validation.Invalid, validation.ReasonMalformed)
}

func TestReportIsTheContractsObject(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.judge(b.offline(), b.sign(plain(), pades.Options{}, as{stamp: true}))
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back validation.Report
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(&back)
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("reads back as another report: %v\n%s\n%s", err, raw, again)
	}
	order := []string{`{"file":`, `"sha256":`, `"verdict":`, `"headline":{"vi":`, `"reasons":[{"code":`, `"signature":`, `"page":`, `"message":`,
		`"signatures":[{"field":`, `"type":"signature"`, `"format":"PAdES"`, `"subfilter":`, `"indication":`, `"sub_indication":`, `"integrity":"ok"`,
		`"level":`, `"signer":{"subject":`, `"serial":`, `"issuer":`, `"not_before":`, `"not_after":`, `"sha256":`, `"digest":"SHA-256"`,
		`"algorithm":"ECDSA"`, `"key_bits":256`, `"claimed_time":"2026-11-23T02:00:00Z"`, `"best_time":`, `"best_time_source":`, `"timestamps":[{"time":`,
		`"tsa":`, `"indication":`, `"revocation":{"status":`, `"revoked_at":""`, `"reason":`, `"source":`, `"this_update":`, `"embedded":`,
		`"covers":{"revision":2,"of":2,"whole_file":true`, `"permission":"none"`, `"modifications":"none"`, `"chain":[`, `"changes":[]`,
		`"policy":{"name":"vn-2026","version":`, `"checked_at":`, `"online":false`}
	rest := raw
	for _, want := range order {
		i := bytes.Index(rest, []byte(want))
		if i < 0 {
			t.Fatalf("%s is missing or out of order in\n%s", want, raw)
		}
		rest = rest[i+len(want):]
	}
}

func TestUnknownPolicyIsRefusedWithTheNames(t *testing.T) {
	t.Parallel()
	if _, err := validation.PolicyByName("none"); text.CodeOf(err) != text.InvalidInput {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"", "vn-2026", "eidas-like", "strict", "archive"} {
		if _, err := validation.PolicyByName(name); err != nil {
			t.Error(err)
		}
	}
}
