package softkey

import (
	"crypto"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // what PKCS #12 files before OpenSSL 3 are encrypted with
	"crypto/hmac"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"antin/certs"
)

// The object identifiers of PKCS #12 (RFC 7292).
var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncryptedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	oidKeyBag        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidShroudedKey   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
	oidTripleDES     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 3}
)

// macHashes are the hash functions of the integrity check.
var macHashes = []struct {
	oid  asn1.ObjectIdentifier
	hash crypto.Hash
}{
	{asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, crypto.SHA1},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, crypto.SHA256},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA384},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, crypto.SHA512},
}

var errPKCS12 = errors.New("softkey: malformed or unsupported PKCS #12")

// safe is what a PKCS #12 file holds.
type safe struct {
	password string
	keys     []any
	found    []*certs.Certificate
}

// openPKCS12 reads what the module for PKCS #12 does not: keys of types that package
// x509 has no name for. Integrity is by password, as everybody writes it; encryption
// is PBES2, or triple DES as older programs use. errPassword says that the password is
// wrong, errPKCS12 that the form is not read here.
func openPKCS12(data []byte, password string) (*safe, error) {
	in := cryptobyte.String(data)
	var pfx, info, mac cryptobyte.String
	var version int
	if !in.ReadASN1(&pfx, cbasn1.SEQUENCE) || !in.Empty() || !pfx.ReadASN1Integer(&version) || version != 3 ||
		!pfx.ReadASN1(&info, cbasn1.SEQUENCE) || !pfx.ReadASN1(&mac, cbasn1.SEQUENCE) || !pfx.Empty() {
		return nil, errPKCS12
	}
	content, ok := readContent(info, oidData)
	if !ok {
		return nil, errPKCS12
	}
	if err := checkMAC(mac, content, password); err != nil {
		return nil, err
	}
	s := &safe{password: password}
	var parts cryptobyte.String
	if all := cryptobyte.String(content); !all.ReadASN1(&parts, cbasn1.SEQUENCE) || !all.Empty() {
		return nil, errPKCS12
	}
	for !parts.Empty() {
		var part cryptobyte.String
		if !parts.ReadASN1(&part, cbasn1.SEQUENCE) {
			return nil, errPKCS12
		}
		if err := s.readPart(part); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readContent reads a ContentInfo of that type whose content is an OCTET STRING.
func readContent(info cryptobyte.String, want asn1.ObjectIdentifier) ([]byte, bool) {
	var oid asn1.ObjectIdentifier
	var explicit cryptobyte.String
	var content []byte
	ok := info.ReadASN1ObjectIdentifier(&oid) && oid.Equal(want) &&
		info.ReadASN1(&explicit, cbasn1.Tag(0).ContextSpecific().Constructed()) && info.Empty() &&
		explicit.ReadASN1Bytes(&content, cbasn1.OCTET_STRING) && explicit.Empty()
	return content, ok
}

// checkMAC checks the integrity of content (RFC 7292, 4 and appendix B.4).
func checkMAC(mac cryptobyte.String, content []byte, password string) error {
	var info, alg cryptobyte.String
	var oid asn1.ObjectIdentifier
	var want, salt []byte
	iterations := 1
	if !mac.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1(&alg, cbasn1.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&oid) ||
		!info.ReadASN1Bytes(&want, cbasn1.OCTET_STRING) || !mac.ReadASN1Bytes(&salt, cbasn1.OCTET_STRING) ||
		!mac.Empty() && !mac.ReadASN1Integer(&iterations) || iterations < 1 || iterations > maxIterations {
		return errPKCS12
	}
	for _, m := range macHashes {
		if m.oid.Equal(oid) {
			h := hmac.New(m.hash.New, derive(m.hash, password, salt, iterations, macMaterial, m.hash.Size()))
			_, _ = h.Write(content) // a hash takes everything
			if !hmac.Equal(h.Sum(nil), want) {
				return errPassword
			}
			return nil
		}
	}
	return errPKCS12
}

// readPart reads one ContentInfo of the safe: bags in clear or encrypted.
func (s *safe) readPart(part cryptobyte.String) error {
	if bags, ok := readContent(part, oidData); ok {
		return s.readBags(bags)
	}
	var oid asn1.ObjectIdentifier
	var explicit, encrypted, info, alg, data cryptobyte.String
	var version int
	if !part.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidEncryptedData) ||
		!part.ReadASN1(&explicit, cbasn1.Tag(0).ContextSpecific().Constructed()) || !explicit.ReadASN1(&encrypted, cbasn1.SEQUENCE) ||
		!encrypted.ReadASN1Integer(&version) || !encrypted.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&oid) ||
		!info.ReadASN1(&alg, cbasn1.SEQUENCE) || !info.ReadASN1(&data, cbasn1.Tag(0).ContextSpecific()) {
		return errPKCS12
	}
	bags, err := s.decrypt(alg, data)
	if err != nil {
		return err
	}
	return s.readBags(bags)
}

// readBags reads keys and certificates; bags of other types are none of ours.
func (s *safe) readBags(der []byte) error {
	all := cryptobyte.String(der)
	var bags cryptobyte.String
	if !all.ReadASN1(&bags, cbasn1.SEQUENCE) {
		return errPKCS12
	}
	for !bags.Empty() {
		var bag, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !bags.ReadASN1(&bag, cbasn1.SEQUENCE) || !bag.ReadASN1ObjectIdentifier(&oid) ||
			!bag.ReadASN1(&value, cbasn1.Tag(0).ContextSpecific().Constructed()) {
			return errPKCS12
		}
		if err := s.readBag(oid, value); err != nil {
			return err
		}
	}
	return nil
}

func (s *safe) readBag(oid asn1.ObjectIdentifier, value cryptobyte.String) error {
	var outer cryptobyte.String
	switch {
	case oid.Equal(oidCertBag):
		if !value.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.SkipASN1(cbasn1.OBJECT_IDENTIFIER) {
			return errPKCS12
		}
		var explicit cryptobyte.String
		var der []byte
		if !outer.ReadASN1(&explicit, cbasn1.Tag(0).ContextSpecific().Constructed()) || !explicit.ReadASN1Bytes(&der, cbasn1.OCTET_STRING) {
			return errPKCS12
		}
		c, err := certs.ParseCertificate(der)
		if err != nil {
			return errPKCS12
		}
		s.found = append(s.found, c)
		return nil
	case oid.Equal(oidShroudedKey):
		var alg cryptobyte.String
		var data []byte
		if !value.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&alg, cbasn1.SEQUENCE) || !outer.ReadASN1Bytes(&data, cbasn1.OCTET_STRING) {
			return errPKCS12
		}
		plain, err := s.decrypt(alg, data)
		if err != nil {
			return err
		}
		return s.addKey(plain)
	case oid.Equal(oidKeyBag):
		return s.addKey(value)
	}
	return nil
}

func (s *safe) addKey(der []byte) error {
	key, err := parsePKCS8(der)
	if err != nil {
		return errPKCS12
	}
	s.keys = append(s.keys, key)
	return nil
}

// decrypt undoes what alg says, by the password.
func (s *safe) decrypt(alg cryptobyte.String, data []byte) ([]byte, error) {
	var oid asn1.ObjectIdentifier
	if !alg.ReadASN1ObjectIdentifier(&oid) {
		return nil, errPKCS12
	}
	if oid.Equal(oidPBES2) {
		return decryptPBES2(alg, data, s.password)
	}
	var params cryptobyte.String
	var salt []byte
	var iterations int
	if !oid.Equal(oidTripleDES) || !alg.ReadASN1(&params, cbasn1.SEQUENCE) || !params.ReadASN1Bytes(&salt, cbasn1.OCTET_STRING) ||
		!params.ReadASN1Integer(&iterations) || iterations < 1 || iterations > maxIterations || len(data) == 0 || len(data)%des.BlockSize != 0 {
		return nil, errPKCS12
	}
	block, err := des.NewTripleDESCipher(derive(crypto.SHA1, s.password, salt, iterations, keyMaterial, 24)) //nolint:gosec // as above
	if err != nil {
		return nil, errPKCS12
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, derive(crypto.SHA1, s.password, salt, iterations, ivMaterial, des.BlockSize)).CryptBlocks(plain, data)
	return unpad(plain, des.BlockSize)
}

// What derive makes (RFC 7292, appendix B.3).
const (
	keyMaterial = 1
	ivMaterial  = 2
	macMaterial = 3
)

// derive is the key derivation of RFC 7292, appendix B.2, with hash functions whose
// blocks it takes from the hash itself.
func derive(h crypto.Hash, password string, salt []byte, iterations int, purpose byte, size int) []byte {
	v := h.New().BlockSize()
	diversifier := make([]byte, v)
	for i := range diversifier {
		diversifier[i] = purpose
	}
	material := append(repeated(salt, v), repeated(bmpString(password), v)...)
	var out []byte
	for len(out) < size {
		d := h.New()
		_, _ = d.Write(diversifier) // a hash takes everything
		_, _ = d.Write(material)
		a := d.Sum(nil)
		for range iterations - 1 {
			d.Reset()
			_, _ = d.Write(a)
			a = d.Sum(a[:0])
		}
		out = append(out, a...)
		b := repeated(a, v)[:v]
		for i := 0; i < len(material); i += v {
			carry := 1
			for j := v - 1; j >= 0; j-- {
				carry += int(material[i+j]) + int(b[j])
				material[i+j] = byte(carry)
				carry >>= 8
			}
		}
	}
	return out[:size]
}

// repeated is b again and again, to the next multiple of v; nothing for an empty b.
func repeated(b []byte, v int) []byte {
	n := (len(b) + v - 1) / v * v
	out := make([]byte, 0, n)
	for len(out) < n {
		out = append(out, b[:min(len(b), n-len(out))]...)
	}
	return out
}

// bmpString is a password as PKCS #12 takes it: UTF-16, big end first, and a zero.
func bmpString(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.BigEndian.AppendUint16(out, u)
	}
	return append(out, 0, 0)
}
