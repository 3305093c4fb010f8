package validation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/validation"
)

// weight orders verdicts from the best to the gravest.
func weight(v validation.Verdict) int {
	return slices.Index([]validation.Verdict{validation.Valid, validation.ValidWithNotes, validation.Unsigned, validation.Inconclusive, validation.Invalid}, v)
}

// samples are documents in many states, with the clock left an hour after the last.
func samples(b *bench) map[string][]byte {
	docs := map[string][]byte{
		"B-B": b.sign(plain(), pades.Options{}, as{}), "B-T": b.sign(plain(), pades.Options{}, as{stamp: true}),
		"bad stamp": b.sign(plain(), pades.Options{}, as{stamp: true, badStamp: true}), "leaf only": b.sign(plain(), pades.Options{}, as{noChain: true}),
		"revoked":        b.sign(plain(), pades.Options{}, as{who: b.Signer(certstest.RoleRevoked), stamp: true}),
		"expired":        b.sign(plain(), pades.Options{}, as{who: b.Signer(certstest.RoleExpired)}),
		"proven revoked": b.sign(plain(), pades.Options{}, as{who: b.Signer(certstest.RoleRevoked), content: true}),
		"foreign key":    b.sign(plain(), pades.Options{}, as{foreign: b.Signer(certstest.RoleSealB).Key}),
		"issued":         b.issued(true),
	}
	b.wait(time.Minute)
	docs["B-LT"] = b.longTerm(docs["B-T"], b.Leader())
	docs["B-LTA"] = b.archive(docs["B-LT"])
	b.wait(time.Hour)
	return docs
}

// evidenceOf is a revocation source that knows what it is told.
type evidenceOf map[[32]byte][]certs.Evidence

func (e evidenceOf) Revocation(_ context.Context, c, _ *certs.Certificate) ([]certs.Evidence, error) {
	return e[c.SHA256()], nil
}

func (e evidenceOf) add(t *testing.T, b *bench, c *certs.Certificate) {
	t.Helper()
	der, err := b.OCSP(c)
	if err != nil {
		t.Fatal(err)
	}
	e[c.SHA256()] = append(e[c.SHA256()], certs.Evidence{Kind: certs.EvidenceOCSP, DER: der, Origin: certs.OriginFetched})
}

func TestMoreGoodEvidenceNeverLowersAVerdict(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	docs := samples(b)
	for name, doc := range docs {
		known := evidenceOf{}
		v := b.offline()
		v.Revocation = known
		before := b.judge(v, doc).Verdict
		for _, e := range []*certstest.Entity{b.TSA(), b.IssuingCA(), b.Leader(), b.Signer(certstest.RoleSealA), b.Signer(certstest.RoleSealB)} {
			known.add(t, b, e.Certificate)
			after := b.judge(v, doc).Verdict
			if weight(after) > weight(before) {
				t.Errorf("%s: %s became %s with good evidence on %s", name, before, after, e.Certificate.Subject)
			}
			before = after
		}
	}
}

func TestEvidenceOfAnEarlierRevocationLowersTheVerdict(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	docs := samples(b)
	if err := b.Revoke(b.Leader().Certificate, day0.Add(-time.Hour), certstest.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"B-B", "B-T", "B-LT", "B-LTA"} {
		known := evidenceOf{}
		v := b.offline()
		v.Revocation = known
		known.add(t, b, b.Leader().Certificate)
		s := b.judge(v, docs[name]).Signatures[0]
		if name == "B-LT" || name == "B-LTA" {
			// The document's own data speak for the best signature time and are not
			// asked about again; what it says must then come from the document.
			v.Revocation = nil
			with := b.addEvidence(docs[name], pades.DSS{OCSPs: [][]byte{known[b.Leader().Certificate.SHA256()][0].DER}})
			s = b.judge(v, with).Signatures[0]
		}
		if s.Indication != ades.Indeterminate || s.SubIndication != ades.RevokedNoPOE {
			t.Errorf("%s: %s %s", name, s.Indication, s.SubIndication)
		}
	}
}

func TestMoreAnchorsNeverTurnValidIntoInvalid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	others := certs.Anchors{newBench(t).Root(), newBench(t).Root(), b.IssuingCA().Certificate, b.Leader().Certificate}
	for name, doc := range samples(b) {
		v := b.online()
		before := b.judge(v, doc)
		for i := range others {
			v.Trust = append(b.Anchors(), others[:i+1]...)
			after := b.judge(v, doc)
			if weight(before.Verdict) <= weight(validation.ValidWithNotes) && weight(after.Verdict) > weight(validation.ValidWithNotes) {
				t.Errorf("%s: %s became %s with %d more anchors: %s", name, before.Verdict, after.Verdict, i+1, explain(after))
			}
			if before.Verdict == validation.Invalid && after.Verdict != validation.Invalid {
				t.Errorf("%s: anchors mended a broken file: %s", name, after.Verdict)
			}
		}
	}
}

// shuffledIssuers offers the same certificates in another order each time.
type shuffledIssuers struct {
	list []*certs.Certificate
	seed uint64
}

func (s shuffledIssuers) Issuers(context.Context, *certs.Certificate) ([]*certs.Certificate, error) {
	return shuffled(s.list, s.seed), nil
}

func shuffled[T any](list []T, seed uint64) []T {
	out := slices.Clone(list)
	r := rand.New(rand.NewPCG(seed, 1))
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func TestOrderOfCertificatesNeverMatters(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := newBench(t)
	crowd := []*certs.Certificate{b.Root(), b.IssuingCA().Certificate, other.IssuingCA().Certificate, other.Root(), b.TSA().Certificate, b.Signer(certstest.RoleSealB).Certificate}
	docs := samples(b)
	raw := make([][]byte, 0, len(crowd))
	for _, c := range crowd {
		raw = append(raw, c.Raw)
	}
	for name, doc := range docs {
		var first string
		for seed := range uint64(8) {
			v := b.online()
			v.Issuers = shuffledIssuers{crowd, seed}
			v.Trust = certs.Anchors(shuffled([]*certs.Certificate{b.Root(), other.Root()}, seed))
			r := b.judge(v, doc)
			got := fmt.Sprint(r.Verdict, codes(r), r.Signatures[0].Indication, r.Signatures[0].SubIndication, r.Signatures[0].Chain, r.Signatures[0].Level)
			if seed == 0 {
				first = got
			}
			if got != first {
				t.Errorf("%s: order %d: %s\nbefore %s", name, seed, got, first)
			}
		}
	}
	// The same with the certificates inside the document's store.
	var first string
	for seed := range uint64(8) {
		r := b.judge(b.online(), b.addEvidence(docs["leaf only"], pades.DSS{Certs: shuffled(raw, seed)}))
		got := fmt.Sprint(r.Verdict, codes(r), r.Signatures[0].Chain)
		if seed == 0 {
			first = got
		}
		if got != first {
			t.Errorf("store in order %d: %s\nbefore %s", seed, got, first)
		}
	}
}

// recorded keeps what a source answered, as the stored evidence of a verification.
type recorded struct {
	from certs.RevocationSource
	kept evidenceOf
}

func (r recorded) Revocation(ctx context.Context, c, issuer *certs.Certificate) ([]certs.Evidence, error) {
	e, err := r.from.Revocation(ctx, c, issuer)
	r.kept[c.SHA256()] = append(r.kept[c.SHA256()], e...)
	return e, err
}

func TestTheSameTimeAndEvidenceGiveTheSameBytesYearsLater(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, doc := range samples(b) {
		at := b.clock()
		kept := evidenceOf{}
		v := b.offline()
		v.Revocation = recorded{source{b}, kept}
		first := marshalled(t, v, doc, at)
		if again := marshalled(t, v, doc, at); !bytes.Equal(first, again) {
			t.Errorf("%s: the second run differs\n%s\n%s", name, first, again)
		}
		later := b.offline() // another validator, years later, with what was kept
		later.Revocation = kept
		if again := marshalled(t, later, doc, at); !bytes.Equal(first, again) {
			t.Errorf("%s: later the report differs\n%s\n%s", name, first, again)
		}
	}
}

func marshalled(t *testing.T, v *validation.Validator, doc []byte, at time.Time) []byte {
	t.Helper()
	r, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc)), Name: "a.pdf"}, at)
	if err != nil {
		t.Fatal(err)
	}
	r.CheckedAt = validation.Time{}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
