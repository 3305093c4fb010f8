package certs_test

import (
	"context"
	"errors"
	"math/big"
	"runtime"
	"testing"

	"antin/certs"
	"antin/certs/certstest"
)

// maxPathBytes is what judging a hostile pile of certificates may allocate in all.
const maxPathBytes = 256 << 20

// keyWithoutParameters is a DSA key that takes its parameters from its issuer's.
func keyWithoutParameters(t testing.TB, y int64) []byte {
	t.Helper()
	return wrap(0x30, append(wrap(0x30, marshal(t, oid(t, "1.2.840.10040.4.1"))), wrap(3, append([]byte{0}, marshal(t, big.NewInt(y))...))...))
}

// Certificates of one name that all take their key's parameters from each other can
// be combined in more ways than there are atoms; the search ends by its budget.
func TestKeysThatInheritInCirclesEndSoon(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	root := p.Root()
	var pool []*certs.Certificate
	for i := range 60 {
		pool = append(pool, withKey(t, root, keyWithoutParameters(t, int64(1000+i))))
	}
	var e *certs.PathError
	_, err := certs.BuildPath(context.Background(), pool[0], certs.PathOptions{Intermediates: pool, At: p.Now(), AllowSandbox: true})
	if !errors.As(err, &e) || (e.Reason != certs.ReasonBudget && e.Reason != certs.ReasonSignature) {
		t.Errorf("error %v", err)
	}
}

// Ten thousand certificates with the name of the issuer and keys that made no
// signature: a named result, and the right one is found among them when it is there.
func TestTenThousandCandidates(t *testing.T) { //nolint:paralleltest // it measures what is allocated
	p := newPKI(t)
	issuing := p.IssuingCA().Certificate
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	pool := make([]*certs.Certificate, 10_000)
	for i := range pool {
		pool[i] = withSerial(t, issuing, int64(1<<40+i))
	}
	leaf := p.Leader().Certificate
	o := certs.PathOptions{Intermediates: pool, Anchors: p.Anchors(), At: p.Now(), AllowSandbox: true}
	// Every candidate has the right key, and a signature of its own that is wrong.
	var e *certs.PathError
	if _, err := certs.BuildPath(context.Background(), leaf, o); !errors.As(err, &e) || (e.Reason != certs.ReasonBudget && e.Reason != certs.ReasonSignature) {
		t.Errorf("error %v", err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > maxPathBytes {
		t.Errorf("%d bytes allocated", used)
	}
	// Strangers of other names cost nothing: the right one is found among them.
	other := issue(t, p, certstest.Spec{CommonName: "Người khác", CA: true}).Certificate
	for i := range pool {
		pool[i] = withSerial(t, other, int64(1<<40+i))
	}
	o.Intermediates = append(pool, issuing)
	if _, err := certs.BuildPath(context.Background(), leaf, o); err != nil {
		t.Errorf("among strangers: %v", err)
	}
}

// withSerial is c under another serial number; its signature no longer fits.
func withSerial(t testing.TB, c *certs.Certificate, n int64) *certs.Certificate {
	t.Helper()
	tbs := c.RawTBS[len(c.RawTBS)-contentLength(c.RawTBS):]
	old := wrap(2, serial(c.Serial))
	at := len(c.Raw) - elementsBehind(c)
	tbs = append(append(append([]byte{}, tbs[:5]...), marshal(t, big.NewInt(n))...), tbs[5+len(old):]...)
	changed, err := certs.ParseCertificate(wrap(0x30, append(wrap(0x30, tbs), c.Raw[at:]...)))
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// elementsBehind is the length of what follows the signed part.
func elementsBehind(c *certs.Certificate) int {
	return contentLength(c.Raw) - len(c.RawTBS)
}

// A certificate of two names and key types cannot make the issuers asked more often
// than the bound says, and known ones are asked although the leaf names no address.
func TestKnownIntermediatesCompleteAPath(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	leaf, issuing := p.Leader().Certificate, p.IssuingCA().Certificate
	o := certs.PathOptions{Anchors: []*certs.Certificate{p.Root()}, At: p.Now(), AllowSandbox: true, Issuers: certs.IssuerSources{nil, certs.Known{issuing}}}
	path, err := certs.BuildPath(context.Background(), leaf, o)
	if err != nil || len(path) != 3 || !path[1].Equal(issuing) {
		t.Fatalf("%v, %v", path.Subjects(), err)
	}
	// A CA of the same name with another key, which the document brings along, must not
	// keep the known one from being asked for.
	impostor := issue(t, p, certstest.Spec{CommonName: issuing.CommonName, CA: true, Key: p.Signer(certstest.RoleRevoked).Key}).Certificate
	o.Intermediates = []*certs.Certificate{withKey(t, issuing, impostor.RawSPKI)}
	if path, err := certs.BuildPath(context.Background(), leaf, o); err != nil || !path[1].Equal(issuing) {
		t.Errorf("beside an impostor: %v, %v", path.Subjects(), err)
	}
}
