package cms_test

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"slices"
	"testing"

	"antin/signer/ades"
	"antin/signer/cms"
)

// element is a constructed element around the parts.
func element(t testing.TB, class, tag int, parts ...[]byte) []byte {
	t.Helper()
	der, err := asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: slices.Concat(parts...)})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func marshalled(t testing.TB, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func sha(b ...[]byte) []byte {
	h := crypto.SHA256.New()
	h.Write(slices.Concat(b...))
	return h.Sum(nil)
}

// index is the value of a hash index; hash nil leaves the algorithm out.
func index(t testing.TB, hash asn1.ObjectIdentifier, lists ...[][]byte) []byte {
	t.Helper()
	var items [][]byte
	if hash != nil {
		items = append(items, element(t, 0, asn1.TagSequence, marshalled(t, hash)))
	}
	for _, list := range lists {
		var digests [][]byte
		for _, d := range list {
			digests = append(digests, marshalled(t, d))
		}
		items = append(items, element(t, 0, asn1.TagSequence, digests...))
	}
	return element(t, 0, asn1.TagSequence, items...)
}

// EN 319 122-1, 5.5.2.
func TestAHashIndexNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	sha256 := ades.HashOID(crypto.SHA256)
	kind, value := cms.OIDSignatureTimestamp, []byte{0x04, 0x01, 7}
	attribute := element(t, 0, asn1.TagSequence, marshalled(t, kind), element(t, 0, asn1.TagSet, value))
	crl, other := []byte{0x30, 0x01, 1}, element(t, 2, 1, marshalled(t, asn1.ObjectIdentifier{1, 2}), []byte{5, 0})
	sd := &cms.SignedData{Unparsable: [][]byte{{0xA1, 0x01, 9}}, Revocation: []cms.RevocationChoice{{Raw: crl, CRL: crl}, {Raw: other}}}
	signer := &cms.SignerInfo{Unsigned: []cms.Attribute{{OID: kind, Values: [][]byte{value}}}}
	certificate, revocation := [][]byte{sha(sd.Unparsable[0])}, [][]byte{sha(crl), sha(other)}
	byValue, whole := [][]byte{sha(marshalled(t, kind), value)}, [][]byte{sha(attribute)}
	for name, c := range map[string]struct {
		oid   asn1.ObjectIdentifier
		value []byte
		err   error
	}{
		"of today":                        {cms.OIDHashIndexV3, index(t, sha256, certificate, revocation, byValue), nil},
		"the second":                      {cms.OIDHashIndexV2, index(t, sha256, certificate, revocation, whole), nil},
		"the first, hash left out":        {cms.OIDHashIndex, index(t, nil, certificate, revocation, whole), nil},
		"of nothing":                      {cms.OIDHashIndexV3, index(t, sha256, nil, nil, nil), nil},
		"today by whole attributes":       {cms.OIDHashIndexV3, index(t, sha256, certificate, revocation, whole), cms.ErrIndex},
		"a certificate that is not":       {cms.OIDHashIndexV3, index(t, sha256, [][]byte{sha(nil)}, nil, nil), cms.ErrIndex},
		"a revocation that is not":        {cms.OIDHashIndexV3, index(t, sha256, nil, certificate, nil), cms.ErrIndex},
		"an unknown hash":                 {cms.OIDHashIndexV3, index(t, asn1.ObjectIdentifier{1, 2, 3}, nil, nil, nil), cms.ErrUnsupported},
		"hash left out of today's":        {cms.OIDHashIndexV3, index(t, nil, certificate, revocation, byValue), cms.ErrMalformed},
		"two lists":                       {cms.OIDHashIndexV3, index(t, sha256, certificate, revocation), cms.ErrMalformed},
		"five elements":                   {cms.OIDHashIndexV3, index(t, sha256, nil, nil, nil, nil), cms.ErrMalformed},
		"no sequence":                     {cms.OIDHashIndexV3, []byte{5, 0}, cms.ErrMalformed},
		"absent":                          {cms.OIDContentType, []byte{5, 0}, cms.ErrMalformed},
		"a list with something not bytes": {cms.OIDHashIndex, element(t, 0, asn1.TagSequence, element(t, 0, 16, []byte{2, 1, 1}), element(t, 0, 16), element(t, 0, 16)), cms.ErrMalformed},
	} {
		token := &cms.SignerInfo{Unsigned: []cms.Attribute{{OID: c.oid, Values: [][]byte{c.value}}}}
		x, err := token.HashIndex()
		if err == nil {
			_, err = sd.Components(signer).Indexed(x)
		}
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
	}
	token := &cms.SignerInfo{Unsigned: []cms.Attribute{{OID: cms.OIDHashIndexV3, Values: [][]byte{index(t, sha256, nil, nil, nil), index(t, sha256, nil, nil, nil)}}}}
	if _, err := token.HashIndex(); !errors.Is(err, cms.ErrMalformed) {
		t.Errorf("two values: %v", err)
	}
	x, err := (&cms.SignerInfo{Unsigned: []cms.Attribute{{OID: cms.OIDHashIndexV3, Values: [][]byte{index(t, sha256, nil, [][]byte{sha(crl)}, byValue)}}}}).HashIndex()
	if err != nil {
		t.Fatal(err)
	}
	named, err := sd.Components(signer).Indexed(x)
	if err != nil || len(named.Certificates) != 0 || len(named.CRLs) != 1 || !named.Holds(kind, value) || named.Holds(kind, nil) || named.Holds(cms.OIDContentType, value) {
		t.Errorf("%+v %v", named, err)
	}
}

// The values of CAdES-X-Long are read, their OCSP answers put into their envelope again.
func TestCertificateAndRevocationValuesAreRead(t *testing.T) {
	t.Parallel()
	one, two := []byte{0x30, 0x01, 1}, []byte{0x30, 0x01, 2}
	revocation := element(t, 0, 16, element(t, 2, 0, element(t, 0, 16, one)), element(t, 2, 1, element(t, 0, 16, two)))
	certificates, crls, ocsps := cms.Values([]cms.Attribute{
		{OID: cms.OIDCertificateValues, Values: [][]byte{element(t, 0, 16, one, two), {5, 0}}},
		{OID: cms.OIDRevocationValues, Values: [][]byte{revocation, {5, 0}, element(t, 0, 16, []byte{5, 0})}},
	})
	if len(certificates) != 2 || len(crls) != 1 || !bytes.Equal(crls[0], one) || len(ocsps) != 1 || !bytes.Contains(ocsps[0], two) || ocsps[0][0] != 0x30 {
		t.Errorf("%x %x %x", certificates, crls, ocsps)
	}
}

// Whatever stands in a hash index is read or refused.
func FuzzHashIndex(f *testing.F) {
	f.Add(index(f, ades.HashOID(crypto.SHA256), [][]byte{sha(nil)}, nil, nil), []byte{0x30, 0})
	f.Add(index(f, nil, nil, nil, nil), []byte{})
	f.Fuzz(func(t *testing.T, value, certificate []byte) {
		for _, oid := range []asn1.ObjectIdentifier{cms.OIDHashIndex, cms.OIDHashIndexV3} {
			x, err := (&cms.SignerInfo{Unsigned: []cms.Attribute{{OID: oid, Values: [][]byte{value}}}}).HashIndex()
			if err != nil {
				continue
			}
			sd := &cms.SignedData{Unparsable: [][]byte{certificate}}
			if named, err := sd.Components(&cms.SignerInfo{}).Indexed(x); (named == nil) == (err == nil) {
				t.Errorf("%v, %v", named, err)
			}
		}
		cms.Values([]cms.Attribute{{OID: cms.OIDRevocationValues, Values: [][]byte{value}}, {OID: cms.OIDCertificateValues, Values: [][]byte{value}}})
	})
}
