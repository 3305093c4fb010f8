package tsp

import (
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/cms"
)

// ParseToken decodes a time-stamp token: a ContentInfo with SignedData over a
// TSTInfo. Zero bytes behind it (the padding of a PDF's Contents) are tolerated.
// It verifies nothing. Errors wrap ErrMalformed. b must not change afterwards.
func ParseToken(b []byte) (*Token, error) {
	sd, err := cms.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%w: token: %w", ErrMalformed, err)
	}
	if !sd.ContentType.Equal(cms.OIDTSTInfo) {
		return nil, fmt.Errorf("%w: content type %s is not TSTInfo", ErrMalformed, sd.ContentType)
	}
	if sd.Content == nil {
		return nil, fmt.Errorf("%w: token without content", ErrMalformed)
	}
	t := &Token{Raw: sd.Raw, SignedData: sd}
	if err := t.parseInfo(sd.Content); err != nil {
		return nil, err
	}
	if c, err := t.SigningCertificate(); err == nil {
		t.Signer = c
	}
	return t, nil
}

// parseInfo reads TSTInfo (RFC 3161, 2.4.2), which is always DER.
func (t *Token) parseInfo(der []byte) error {
	bad := func(what string) error { return fmt.Errorf("%w: TSTInfo %s", ErrMalformed, what) }
	in := cryptobyte.String(der)
	var info cryptobyte.String
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !in.Empty() {
		return bad("is no sequence")
	}
	var version int64
	if !info.ReadASN1Integer(&version) || version != 1 {
		return bad("version")
	}
	if !info.ReadASN1ObjectIdentifier(&t.Policy) {
		return bad("policy")
	}
	var imprint, alg cryptobyte.String
	if !info.ReadASN1(&imprint, cbasn1.SEQUENCE) || !imprint.ReadASN1(&alg, cbasn1.SEQUENCE) ||
		!alg.ReadASN1ObjectIdentifier(&t.HashOID) ||
		!imprint.ReadASN1Bytes(&t.Imprint, cbasn1.OCTET_STRING) || !imprint.Empty() {
		return bad("messageImprint")
	}
	t.Hash, _ = ades.HashFromOID(t.HashOID)
	t.Serial = new(big.Int)
	if !info.ReadASN1Integer(t.Serial) {
		return bad("serialNumber")
	}
	var when cryptobyte.String
	if !info.ReadASN1(&when, cbasn1.GeneralizedTime) {
		return bad("genTime")
	}
	var err error
	if t.GenTime, err = parseTime(string(when)); err != nil {
		return err
	}
	return t.parseOptional(info)
}

// parseOptional reads what follows genTime. The TSA's name is passed over: the
// certificate tells it, and the field proves nothing.
func (t *Token) parseOptional(info cryptobyte.String) error {
	bad := func(what string) error { return fmt.Errorf("%w: TSTInfo %s", ErrMalformed, what) }
	if info.PeekASN1Tag(cbasn1.SEQUENCE) {
		var accuracy cryptobyte.String
		if !info.ReadASN1(&accuracy, cbasn1.SEQUENCE) || !t.parseAccuracy(accuracy) {
			return bad("accuracy")
		}
	}
	if info.PeekASN1Tag(cbasn1.BOOLEAN) && !info.ReadASN1Boolean(&t.Ordering) {
		return bad("ordering")
	}
	if info.PeekASN1Tag(cbasn1.INTEGER) {
		t.Nonce = new(big.Int)
		if !info.ReadASN1Integer(t.Nonce) {
			return bad("nonce")
		}
	}
	tsa := cbasn1.Tag(0).ContextSpecific().Constructed()
	extensions := cbasn1.Tag(1).ContextSpecific().Constructed()
	if !info.SkipOptionalASN1(tsa) || !info.SkipOptionalASN1(extensions) || !info.Empty() {
		return bad("has unknown parts")
	}
	return nil
}

// parseAccuracy reads Accuracy; false when it is malformed.
func (t *Token) parseAccuracy(in cryptobyte.String) bool {
	const day = 86400 // seconds; a TSA that is less sure of the time states nonsense
	units := []struct {
		tag  cbasn1.Tag
		unit time.Duration
		most int64
	}{
		{cbasn1.INTEGER, time.Second, day},
		{cbasn1.Tag(0).ContextSpecific(), time.Millisecond, 999},
		{cbasn1.Tag(1).ContextSpecific(), time.Microsecond, 999},
	}
	for _, u := range units {
		if !in.PeekASN1Tag(u.tag) {
			continue
		}
		var n int64
		if !in.ReadASN1Int64WithTag(&n, u.tag) || n < 0 || n > u.most {
			return false
		}
		t.Accuracy += time.Duration(n) * u.unit
	}
	return in.Empty()
}

// parseTime reads a GeneralizedTime as RFC 3161 restricts it: UTC, seconds, and a
// fraction without trailing zeros, which are tolerated all the same.
func parseTime(s string) (time.Time, error) {
	const layout, maxFraction = "20060102150405", 18
	bad := fmt.Errorf("%w: TSTInfo genTime %q", ErrMalformed, s)
	if len(s) <= len(layout) || len(s) > len(layout)+2+maxFraction || s[len(s)-1] != 'Z' {
		return time.Time{}, bad
	}
	when, err := time.Parse(layout, s[:len(layout)])
	if err != nil {
		return time.Time{}, bad
	}
	fraction := s[len(layout) : len(s)-1]
	if fraction == "" {
		return when, nil
	}
	if fraction[0] != '.' || len(fraction) == 1 {
		return time.Time{}, bad
	}
	unit := time.Second
	for _, c := range []byte(fraction[1:]) {
		if c < '0' || c > '9' {
			return time.Time{}, bad
		}
		unit /= 10 // reaches 0 below the nanosecond, where digits no longer count
		when = when.Add(time.Duration(c-'0') * unit)
	}
	return when, nil
}

// SigningCertificate finds the TSA's certificate in the token, then in pool, and
// compares it with the ESS signing-certificate attribute. Errors wrap
// ErrNoCertificate, ErrCertificate or ErrToken.
func (t *Token) SigningCertificate(pool ...*certs.Certificate) (*certs.Certificate, error) {
	s, err := t.signer()
	if err != nil {
		return nil, err
	}
	known := append(append([]*certs.Certificate{}, t.SignedData.Certificates...), pool...)
	c, err := s.SigningCertificate(known)
	switch {
	case c == nil:
		return nil, fmt.Errorf("%w: %w", ErrNoCertificate, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return c, nil
}

// signer is the token's only SignerInfo.
func (t *Token) signer() (*cms.SignerInfo, error) {
	if n := len(t.SignedData.Signers); n != 1 {
		return nil, fmt.Errorf("%w: %d signers", ErrToken, n)
	}
	return t.SignedData.Signers[0], nil
}

// equalOID treats a policy that was not asked for as met.
func equalOID(got, want asn1.ObjectIdentifier) bool { return want == nil || got.Equal(want) }
