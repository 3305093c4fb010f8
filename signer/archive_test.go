package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/tsp"
	"antin/signer/validation"
)

// epoch is when the PKI of a calendar comes into being.
var epoch = time.Date(2026, time.November, 23, 2, 0, 0, 0, time.UTC)

// calendar is a PKI whose time a test moves, with a TSA that can be replaced.
type calendar struct {
	*authorities
	t   *testing.T
	mu  sync.Mutex
	now time.Time
}

func newCalendar(t *testing.T) *calendar {
	t.Helper()
	c := &calendar{t: t, now: epoch}
	pki, err := certstest.New(certstest.Options{BaseURL: "http://pki.test", LeafKey: certstest.P256, Now: c.clock})
	if err != nil {
		t.Fatal(err)
	}
	c.authorities = &authorities{PKI: pki, keys: map[string]signer.Key{}}
	for _, role := range certstest.Roles() {
		c.add(role, pki.Signer(role))
	}
	return c
}

func (c *calendar) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// pass moves the clock.
func (c *calendar) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// tsa is a time-stamping service with a certificate of its own.
type tsaService struct {
	c *calendar
	*certstest.Entity
	bare bool // leaves its certificate out of tokens
}

func (c *calendar) tsa(name string, until time.Time, bare bool) *tsaService {
	c.t.Helper()
	e, err := c.Issue(certstest.Spec{CommonName: name, Issuer: c.RootCA(), KeyUsage: certs.KeyUsageDigitalSignature,
		ExtKeyUsage: []asn1.ObjectIdentifier{certs.OIDExtKeyUsageTimeStamping}, ExtKeyUsageCritical: true,
		NotBefore: epoch.AddDate(-1, 0, 0), NotAfter: until})
	if err != nil {
		c.t.Fatal(err)
	}
	return &tsaService{c, e, bare}
}

func (s *tsaService) Timestamp(_ context.Context, h crypto.Hash, imprint []byte) ([]byte, error) {
	der, err := s.c.TimestampBy(s.Entity, h, imprint, !s.bare)
	if err != nil {
		return nil, err
	}
	return tsp.ParseResponse(der)
}

// signerWith signs and augments with time-stamps of ts.
func (c *calendar) signerWith(ts signer.TimestampSource) *signer.Signer {
	s := c.signer()
	s.Timestamps = ts
	return s
}

func (c *calendar) augment(s *signer.Signer, data []byte, level ades.Level) ([]byte, *signer.Result) {
	c.t.Helper()
	var out bytes.Buffer
	res, err := s.Augment(context.Background(), input(data), &out, level)
	if err != nil {
		c.t.Fatalf("augmenting to %s: %v", level, err)
	}
	if res.Bytes != int64(out.Len()) {
		c.t.Errorf("%d bytes reported as %d", out.Len(), res.Bytes)
	}
	return out.Bytes(), res
}

// judge validates offline now and says what the first signature is worth.
func (c *calendar) judge(data []byte) (*validation.Report, validation.Signature) {
	c.t.Helper()
	r := c.validate(c.t, data)
	for _, s := range r.Signatures {
		if s.Type != validation.DocumentTimestamp {
			return r, s
		}
	}
	c.t.Fatal("no signature")
	return nil, validation.Signature{}
}

// judgeOnline is judge where revocation data can be asked for: B-T carries none.
func (c *calendar) judgeOnline(data []byte) validation.Signature {
	c.t.Helper()
	v := validation.Validator{Trust: c.Anchors(), AllowSandbox: true, Revocation: c}
	r, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(data), Size: int64(len(data))}, c.clock())
	if err != nil {
		c.t.Fatal(err)
	}
	if len(r.Signatures) == 0 {
		c.t.Fatal("no signature")
	}
	return r.Signatures[0]
}

func open(t *testing.T, data []byte) *pdf.File {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSignReachesBLTAInOneCall(t *testing.T) {
	t.Parallel()
	for _, kind := range padestest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			a := newAuthorities(t)
			data := padestest.Simple(kind, "1.7").Bytes()
			out, res := sign(t, a.signer(), data, signer.Request{Key: certstest.RoleLeader, Level: ades.BLTA})
			keep(t, string(kind)+"-B-LTA.pdf", out)
			keep(t, "root.pem", a.RootPEM())
			r := a.validate(t, out)
			if !passed(r) || r.Verdict != validation.Valid || r.Signatures[0].Level != "PAdES-B-LTA" || res.Level != "PAdES-B-LTA" {
				t.Errorf("result %s, verdict %s, level %s: %+v", res.Level, r.Verdict, r.Signatures[0].Level, r.Reasons)
			}
			if n := len(open(t, out).Revisions()); n != 3 {
				t.Errorf("%d revisions, want the original, the signature, and evidence with its time-stamp", n)
			}
			again, _ := sign(t, a.signer(), out, signer.Request{Key: certstest.RoleSealA, Level: ades.BLTA})
			if r := a.validate(t, again); !passed(r) || r.Verdict != validation.Valid {
				t.Errorf("second signature: %s %+v", r.Verdict, r.Reasons)
			}
			store, err := pades.ReadDSS(open(t, again))
			if err != nil || store.Ref.IsZero() {
				t.Fatalf("store %v, %v", store.Ref, err)
			}
			first, err := pades.ReadDSS(open(t, out))
			if err != nil || first.Ref != store.Ref {
				t.Errorf("the store moved from %v to %v", first.Ref, store.Ref)
			}
		})
	}
}

func TestAugmentGoesStepByStep(t *testing.T) {
	t.Parallel()
	for _, kind := range padestest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			c := newCalendar(t)
			s := c.signer()
			doc, _ := sign(t, s, padestest.Simple(kind, "1.7").Bytes(), signer.Request{Key: certstest.RoleLeader, ContentsSize: 16 << 10})
			for _, level := range []ades.Level{ades.BT, ades.BLT, ades.BLTA} {
				before := len(doc)
				c.pass(time.Hour)
				var res *signer.Result
				doc, res = c.augment(s, doc, level)
				if inside := len(doc) == before; inside != (level == ades.BT) {
					t.Errorf("%s: from %d to %d bytes", level, before, len(doc))
				}
				if level == ades.BT {
					if sig := c.judgeOnline(doc); sig.Level != "PAdES-B-T" || sig.BestTimeSource != validation.TimeSignatureTimestamp {
						t.Errorf("level %s, best time from %s", sig.Level, sig.BestTimeSource)
					}
					continue
				}
				r, sig := c.judge(doc)
				if want := "PAdES-" + string(level); !passed(r) || sig.Level != want || res.Level != want || r.Verdict != validation.Valid {
					t.Errorf("level %s, result %s, %s: %+v", sig.Level, res.Level, r.Verdict, r.Reasons)
				}
			}
		})
	}
}

// Without room in the value, or with a later signature over it, a document
// time-stamp is the proof of existence.
func TestAugmentStampsTheDocumentWhereTheSignatureHasNoRoom(t *testing.T) {
	t.Parallel()
	c := newCalendar(t)
	s := c.signer()
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	tight, _ := sign(t, s, data, signer.Request{Key: certstest.RoleLeader, ContentsSize: 1}) // rebuilt to fit
	roomy, _ := sign(t, s, data, signer.Request{Key: certstest.RoleLeader, ContentsSize: 16 << 10})
	covered, _ := sign(t, s, roomy, signer.Request{Key: certstest.RoleSealA, Level: ades.BT})
	two, _ := sign(t, s, roomy, signer.Request{Key: certstest.RoleSealA, ContentsSize: 16 << 10})
	for name, doc := range map[string][]byte{"no room": tight, "a later signature": covered, "two signatures": two} {
		out, _ := c.augment(s, doc, ades.BT)
		if !bytes.HasPrefix(out, doc) {
			t.Errorf("%s: earlier bytes changed", name)
		}
		if sig := c.judgeOnline(out); sig.BestTimeSource != validation.TimeDocumentTimestamp || sig.Level != "PAdES-B-T" {
			t.Errorf("%s: best time from %s", name, sig.BestTimeSource)
		}
		out, res := c.augment(s, doc, ades.BLTA)
		if r, sig := c.judge(out); !passed(r) || sig.Level != "PAdES-B-LTA" || res.Level != "PAdES-B-LTA" {
			t.Errorf("%s: %s %s %+v", name, sig.Level, r.Verdict, r.Reasons)
		}
	}
}

func TestArchivedDocumentOutlivesItsCertificates(t *testing.T) {
	t.Parallel()
	c := newCalendar(t)
	first := c.tsa("TSA one", epoch.AddDate(1, 0, 0), false)
	second := c.tsa("TSA two", epoch.AddDate(10, 0, 0), false)
	third := c.tsa("TSA three", epoch.AddDate(14, 0, 0), false)
	data := padestest.Simple(padestest.Stream, "2.0").Bytes()
	lt, _ := sign(t, c.signerWith(first), data, signer.Request{Key: certstest.RoleLeader, Level: ades.BLT})
	c.pass(30 * 24 * time.Hour)
	lta, res := c.augment(c.signerWith(second), lt, ades.BLTA)
	if res.Level != "PAdES-B-LTA" {
		t.Errorf("level %s", res.Level)
	}

	c.pass(3 * 365 * 24 * time.Hour) // signer and first TSA have expired
	if r, s := c.judge(lt); s.Indication != ades.Indeterminate || s.SubIndication != ades.OutOfBoundsNoPOE || r.Verdict != validation.Inconclusive {
		t.Errorf("without archive time-stamp: %s %s, %s", s.Indication, s.SubIndication, r.Verdict)
	}
	r, s := c.judge(lta)
	if s.Indication != ades.TotalPassed || s.Level != "PAdES-B-LTA" || s.BestTimeSource != validation.TimeSignatureTimestamp || !passed(r) {
		t.Errorf("with it: %s %s level %s, best time from %s: %+v", s.Indication, s.SubIndication, s.Level, s.BestTimeSource, r.Reasons)
	}

	c.pass(6 * 365 * 24 * time.Hour) // a last chance before the second TSA expires
	renewed, _ := c.augment(c.signerWith(third), lta, ades.BLTA)
	c.pass(365 * 24 * time.Hour)
	if _, s := c.judge(lta); s.Indication != ades.Indeterminate {
		t.Errorf("not renewed: %s", s.Indication)
	}
	if r, s := c.judge(renewed); s.Indication != ades.TotalPassed || s.Level != "PAdES-B-LTA" || !passed(r) {
		t.Errorf("renewed: %s %s level %s: %+v", s.Indication, s.SubIndication, s.Level, r.Reasons)
	}
}

// A TSA need not put its certificates into its tokens; the store has them then.
func TestRenewalFindsThePreviousTSAInTheStore(t *testing.T) {
	t.Parallel()
	c := newCalendar(t)
	bare := c.tsa("TSA bare", epoch.AddDate(5, 0, 0), true)
	next := c.tsa("TSA next", epoch.AddDate(12, 0, 0), false)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	known := c.tsa("TSA known", epoch.AddDate(5, 0, 0), false)
	lt, _ := sign(t, c.signerWith(known), data, signer.Request{Key: certstest.RoleLeader, Level: ades.BLT})
	built, err := pades.AddDSS(open(t, lt), pades.DSS{Certs: [][]byte{bare.Certificate.Raw}})
	if err != nil {
		t.Fatal(err)
	}
	lta, _ := c.augment(c.signerWith(bare), append(lt, built.Data...), ades.BLTA)
	c.pass(3 * 365 * 24 * time.Hour)
	renewed, _ := c.augment(c.signerWith(next), lta, ades.BLTA)
	c.pass(4 * 365 * 24 * time.Hour)
	if r, s := c.judge(renewed); s.Indication != ades.TotalPassed || s.Level != "PAdES-B-LTA" {
		t.Errorf("%s %s level %s: %+v", s.Indication, s.SubIndication, s.Level, r.Reasons)
	}
}

// No certification forbids evidence and document time-stamps.
func TestCertifiedDocumentIsArchived(t *testing.T) {
	t.Parallel()
	c := newCalendar(t)
	for p := 1; p <= 3; p++ {
		out, _ := sign(t, c.signer(), padestest.Simple(padestest.Classic, "2.0").Bytes(),
			signer.Request{Key: certstest.RoleLeader, Level: ades.BLTA, Certify: p})
		out, _ = c.augment(c.signer(), out, ades.BLTA)
		if r, s := c.judge(out); r.Verdict != validation.Valid || s.Level != "PAdES-B-LTA" {
			t.Errorf("P=%d: %s %s %+v", p, r.Verdict, s.Level, r.Reasons)
		}
	}
}

// slowResponder signs its answers only now and then.
type slowResponder struct {
	*calendar
	made time.Time // of the answers it gives
}

func (s *slowResponder) Revocation(ctx context.Context, cert, issuer *certs.Certificate) ([]certs.Evidence, error) {
	ahead := s.clock().Sub(s.made)
	s.pass(-ahead)
	defer s.pass(ahead)
	return s.authorities.Revocation(ctx, cert, issuer)
}

func TestStrictPolicyWaitsForDataFromAfterTheTimestamp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy  string
		answers bool // with newer data after the first wait
		waits   bool
		want    text.Code
	}{
		{"vn-2026", false, false, ""},
		{"strict", true, true, ""},
		{"strict", false, true, text.RevocationUnavailable},
	} {
		cal := newCalendar(t)
		source := &slowResponder{cal, epoch.Add(-time.Minute)}
		policy, err := validation.PolicyByName(c.policy)
		if err != nil {
			t.Fatal(err)
		}
		s := cal.signer()
		s.Revocation = source
		s.Validator = &validation.Validator{Trust: cal.Anchors(), AllowSandbox: true, Policy: policy}
		var waited time.Duration
		s.Wait = func(_ context.Context, d time.Duration) error {
			waited += d
			cal.pass(d)
			if c.answers {
				source.made = cal.clock()
			}
			return nil
		}
		var out bytes.Buffer
		_, err = s.Sign(context.Background(), input(padestest.Simple(padestest.Classic, "1.7").Bytes()), &out,
			signer.Request{Key: certstest.RoleLeader, Level: ades.BLT})
		if (err == nil) != (c.want == "") || (err != nil && text.CodeOf(err) != c.want) {
			t.Errorf("%s: %v, want %q", c.policy, err, c.want)
		}
		if (waited > 0) != c.waits || waited > time.Minute {
			t.Errorf("%s: waited %s", c.policy, waited)
		}
		if err != nil {
			continue
		}
		r := cal.validate(t, out.Bytes())
		if note := strings.Contains(reasonsOf(r), string(validation.ReasonEarlierData)); note != (c.policy == "vn-2026") {
			t.Errorf("%s: reasons %s", c.policy, reasonsOf(r))
		}
	}
}

func reasonsOf(r *validation.Report) string {
	var s []string
	for _, reason := range r.Reasons {
		s = append(s, string(reason.Code))
	}
	return strings.Join(s, " ")
}
