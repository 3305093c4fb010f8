package certs_test

import (
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
)

func newPKI(t testing.TB) *certstest.PKI {
	t.Helper()
	p, err := certstest.New(certstest.Options{LeafKey: certstest.P256, BaseURL: "http://sandbox.example"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func issue(t testing.TB, p *certstest.PKI, s certstest.Spec) *certstest.Entity {
	t.Helper()
	e, err := p.Issue(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// options accept the sandbox's signers now.
func options(p *certstest.PKI) certs.PathOptions {
	return certs.PathOptions{Anchors: p.Anchors(), Intermediates: []*certs.Certificate{p.IssuingCA().Certificate}, At: p.Now(), AllowSandbox: true}
}

func wantReason(t *testing.T, leaf *certs.Certificate, o certs.PathOptions, want certs.PathReason) *certs.PathError {
	t.Helper()
	path, err := certs.BuildPath(context.Background(), leaf, o)
	var e *certs.PathError
	if want == "" {
		if err != nil {
			t.Errorf("got %v, want a path", err)
		}
		return nil
	}
	if !errors.As(err, &e) || e.Reason != want {
		t.Errorf("got path %v, error %v, want %s", path.Subjects(), err, want)
		return &certs.PathError{}
	}
	return e
}

func TestPathReasons(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	leader := p.Leader().Certificate
	for name, c := range map[string]struct {
		leaf   *certs.Certificate
		change func(*certs.PathOptions)
		want   certs.PathReason
	}{
		"a path":               {leader, func(*certs.PathOptions) {}, ""},
		"no anchor":            {leader, func(o *certs.PathOptions) { o.Anchors = nil }, certs.ReasonNoPath},
		"no intermediate":      {leader, func(o *certs.PathOptions) { o.Intermediates = nil }, certs.ReasonNoPath},
		"sandbox not allowed":  {leader, func(o *certs.PathOptions) { o.AllowSandbox = false }, certs.ReasonSandbox},
		"expired":              {p.Signer(certstest.RoleExpired).Certificate, func(*certs.PathOptions) {}, certs.ReasonExpired},
		"not yet valid":        {leader, func(o *certs.PathOptions) { o.At = leader.NotBefore.Add(-time.Second) }, certs.ReasonNotYetValid},
		"the first second":     {leader, func(o *certs.PathOptions) { o.At = leader.NotBefore }, ""},
		"the last second":      {leader, func(o *certs.PathOptions) { o.At = leader.NotAfter }, ""},
		"a signer is no TSA":   {leader, func(o *certs.PathOptions) { o.Usage = certs.UsageTimeStamping }, certs.ReasonUsage},
		"a TSA is no signer":   {p.TSA().Certificate, func(o *certs.PathOptions) { o.Usage = certs.UsageDocumentSigning }, certs.ReasonUsage},
		"a TSA":                {p.TSA().Certificate, func(o *certs.PathOptions) { o.Usage = certs.UsageTimeStamping }, ""},
		"a CA is no signer":    {p.IssuingCA().Certificate, func(o *certs.PathOptions) { o.Usage = certs.UsageDocumentSigning }, certs.ReasonUsage},
		"the leaf is trusted":  {leader, func(o *certs.PathOptions) { o.Anchors = []*certs.Certificate{leader}; o.Intermediates = nil }, ""},
		"a trusted leaf, late": {leader, func(o *certs.PathOptions) { o.Anchors = []*certs.Certificate{leader}; o.At = leader.NotAfter.Add(1) }, certs.ReasonExpired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(p)
			c.change(&o)
			wantReason(t, c.leaf, o, c.want)
		})
	}
}

func TestExpiredErrorCarriesTheWholePath(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	e := wantReason(t, p.Signer(certstest.RoleExpired).Certificate, options(p), certs.ReasonExpired)
	if len(e.Path) != 3 || !e.Cert.Equal(p.Signer(certstest.RoleExpired).Certificate) {
		t.Errorf("path of %d at %v", len(e.Path), e.Cert)
	}
}

func TestCertificateOfASignerIssuesNothing(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	victim := p.Leader()
	forged := issue(t, p, certstest.Spec{CommonName: "Giả mạo", Issuer: victim})
	o := options(p)
	o.Intermediates = append(o.Intermediates, victim.Certificate)
	wantReason(t, forged.Certificate, o, certs.ReasonConstraint)
	// Not even when an operator trusts the signer's certificate.
	o.Anchors = []*certs.Certificate{victim.Certificate}
	wantReason(t, forged.Certificate, o, certs.ReasonConstraint)
}

func TestPathLengthBinds(t *testing.T) {
	t.Parallel()
	p := newPKI(t) // the issuing CA may issue no CA
	sub := issue(t, p, certstest.Spec{CommonName: "CA cấp dưới", CA: true})
	leaf := issue(t, p, certstest.Spec{CommonName: "Người ký", Issuer: sub})
	o := options(p)
	o.Intermediates = append(o.Intermediates, sub.Certificate)
	wantReason(t, leaf.Certificate, o, certs.ReasonConstraint)
}

func TestUnknownCriticalExtensionRefuses(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	private := asn1.ObjectIdentifier{2, 25, 1}
	for critical, want := range map[bool]certs.PathReason{true: certs.ReasonCriticalExtension, false: ""} {
		leaf := issue(t, p, certstest.Spec{CommonName: "Lạ", Extra: []pkix.Extension{{Id: private, Critical: critical, Value: []byte{5, 0}}}})
		wantReason(t, leaf.Certificate, options(p), want)
		if got := len(leaf.Certificate.UnknownCritical) == 1; got != critical {
			t.Errorf("recorded %v", leaf.Certificate.UnknownCritical)
		}
	}
}

func TestAnotherCAOfTheSameNameIsNoIssuer(t *testing.T) {
	t.Parallel()
	p, twin := newPKI(t), newPKI(t)
	o := options(twin)
	wantReason(t, p.Leader().Certificate, o, certs.ReasonNoPath)
	// Both at hand: the right one is found whatever the order.
	o = options(p)
	o.Intermediates = []*certs.Certificate{twin.IssuingCA().Certificate, p.IssuingCA().Certificate, twin.Root()}
	o.Anchors = []*certs.Certificate{twin.Root(), p.Root()}
	path, err := certs.BuildPath(context.Background(), p.Leader().Certificate, o)
	if err != nil || !path.Anchor().Equal(p.Root()) {
		t.Errorf("path %v, %v", path.Subjects(), err)
	}
}

func TestChangedCertificateFailsOnItsSignature(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	der := slices.Clone(p.Leader().Certificate.Raw)
	i := len(p.Leader().Certificate.Raw) - 1
	der[i] ^= 1
	changed, err := certs.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	e := wantReason(t, changed, options(p), certs.ReasonSignature)
	if !errors.Is(e, certs.ErrSignature) {
		t.Errorf("error %v does not say that the signature is wrong", e)
	}
}

// Cross certificates in every direction make exponentially many paths; the work is bounded.
func TestManyCrossCertificatesEndSoon(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	const n = 9
	key := make([]*certstest.Entity, n)
	var pool []*certs.Certificate
	for i := range key {
		key[i] = issue(t, p, certstest.Spec{CommonName: fmt.Sprintf("CA %d", i), CA: true})
	}
	for _, issuer := range key {
		for _, subject := range key {
			if issuer != subject {
				cross := issue(t, p, certstest.Spec{CommonName: subject.Certificate.CommonName, CA: true, Issuer: issuer, Key: subject.Key})
				pool = append(pool, cross.Certificate)
			}
		}
	}
	leaf := issue(t, p, certstest.Spec{CommonName: "Lạc lối", Issuer: key[0]})
	_, err := certs.BuildPath(context.Background(), leaf.Certificate, certs.PathOptions{Intermediates: pool, Anchors: p.Anchors(), At: p.Now(), AllowSandbox: true})
	var e *certs.PathError
	if !errors.As(err, &e) || (e.Reason != certs.ReasonBudget && e.Reason != certs.ReasonNoPath) {
		t.Errorf("error %v", err)
	}
}

func TestNameConstraintsBindSubjectsAndAddresses(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	// permittedSubtrees: e-mail at gov.example only.
	value, err := asn1.Marshal(struct {
		Permitted []asn1.RawValue `asn1:"tag:0"`
	}{[]asn1.RawValue{{Tag: asn1.TagSequence, IsCompound: true, Bytes: append([]byte{0x81, 11}, "gov.example"...)}}})
	if err != nil {
		t.Fatal(err)
	}
	ca := issue(t, p, certstest.Spec{CommonName: "CA có giới hạn", CA: true, Issuer: p.RootCA(),
		Extra: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: true, Value: value}}})
	for email, want := range map[string]certs.PathReason{"an@gov.example": "", "an@other.example": certs.ReasonNameConstraint, "an@sub.gov.example": certs.ReasonNameConstraint} {
		leaf := issue(t, p, certstest.Spec{CommonName: "An", Email: email, Issuer: ca})
		o := options(p)
		o.Intermediates = []*certs.Certificate{ca.Certificate}
		wantReason(t, leaf.Certificate, o, want)
	}
}

func TestAnchorsAreThoseInForce(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	for at, want := range map[time.Time]int{p.Root().NotAfter: 1, p.Root().NotAfter.Add(time.Second): 0, p.Root().NotBefore.Add(-time.Second): 0} {
		if got, err := p.Anchors().Anchors(context.Background(), at); err != nil || len(got) != want {
			t.Errorf("at %v: %d anchors, %v", at, len(got), err)
		}
	}
}

func TestChainsOfOtherAlgorithms(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]certs.PathReason{"testing-ca-ed25519": "", "testing-ca-pss": "", "testing-ca-pss-exclusive": "", "testing-ca-ed448": certs.ReasonAlgorithm} {
		load := func(name string) *certs.Certificate { return loadOne(t, filepath.Join(corpus(t, dir), name)) }
		leaf := "signer1.cert.pem"
		if dir == "testing-ca-ed25519" || dir == "testing-ca-ed448" {
			leaf = "signer2.cert.pem"
		}
		wantReason(t, load(leaf), certs.PathOptions{Anchors: []*certs.Certificate{load("root.cert.pem")},
			Intermediates: []*certs.Certificate{load("interm.cert.pem")}, At: load(leaf).NotBefore}, want)
	}
}
