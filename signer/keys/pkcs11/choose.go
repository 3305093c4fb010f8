package pkcs11

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"strings"

	"antin/certs"
	"antin/internal/text"
)

// maxChain bounds the certificates above the signer's: no hierarchy in use is deeper.
const maxChain = 8

// chooseToken returns the one token that u names.
func chooseToken(u URI, tokens []Token) (Token, error) {
	var found []Token
	for _, t := range tokens {
		if u.matches(t) {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return Token{}, text.Detailed(text.TokenAbsent, nil, "token.none", tokenNames(tokens))
	case 1:
		return found[0], nil
	}
	return Token{}, text.Detailed(text.InvalidInput, nil, "token.several", tokenNames(found))
}

func tokenNames(tokens []Token) string {
	names := make([]string, 0, len(tokens))
	for _, t := range tokens {
		names = append(names, "token="+t.Label+";serial="+t.Serial)
	}
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names, ", ")
}

// held is a key with the certificates that speak for it.
type held struct {
	key   KeyObject
	chain []*certs.Certificate
}

// choose picks the key that u names among those found, and its certificates: given
// ones first, then those on the token. Where several keys fit, the one with a
// certificate is meant, when it is one.
func choose(u URI, keys []KeyObject, onToken []CertObject, given []*certs.Certificate) (held, error) {
	if len(keys) == 0 {
		return held{}, text.Detailed(text.KeyNotFound, nil, "token.no_key", u.Object)
	}
	var stored []storedCert
	for _, o := range onToken {
		if c, err := certs.ParseCertificate(o.DER); err == nil { // others are not for us to judge
			stored = append(stored, storedCert{o, c})
		}
	}
	var complete []held
	for _, k := range keys {
		if leaf := leafFor(k, stored, given); leaf != nil {
			complete = append(complete, held{k, chainAbove(leaf, stored, given)})
		}
	}
	switch {
	case len(complete) == 1:
		return complete[0], nil
	case len(complete) > 1:
		return held{}, text.Detailed(text.InvalidInput, nil, "token.several_keys", keyNames(complete))
	case len(given) > 0:
		return held{}, text.Detailed(text.CertificateMismatch, nil, "key.mismatch", given[0].CommonName)
	}
	return held{}, text.Detailed(text.KeyNotFound, nil, "token.no_certificate")
}

func keyNames(all []held) string {
	names := make([]string, 0, len(all))
	for _, h := range all {
		u := URI{Object: h.key.Label, ID: h.key.ID}
		names = append(names, strings.TrimPrefix(u.String(), "pkcs11:"))
	}
	return strings.Join(names, ", ")
}

type storedCert struct {
	CertObject
	cert *certs.Certificate
}

// leafFor returns the certificate of k: a given one, else the newest on the token that
// has its public key, else, where the token does not tell the public key, its CKA_ID
// or its label. nil is none.
func leafFor(k KeyObject, stored []storedCert, given []*certs.Certificate) *certs.Certificate {
	if len(given) > 0 {
		if fit, _ := fits(k, given[0]); fit {
			return given[0]
		}
		return nil
	}
	var byID, byLabel, byKey *certs.Certificate
	for _, s := range stored {
		fit, sure := fits(k, s.cert)
		switch {
		case !fit:
		case sure:
			byKey = newer(byKey, s.cert)
		case len(k.ID) > 0 && bytes.Equal(k.ID, s.ID):
			byID = newer(byID, s.cert)
		case k.Label != "" && k.Label == s.Label:
			byLabel = newer(byLabel, s.cert)
		}
	}
	switch {
	case byKey != nil:
		return byKey
	case byID != nil:
		return byID
	}
	return byLabel
}

// newer returns the one that lasts longer: a renewed certificate over the same key
// stands in for the old one.
func newer(a, b *certs.Certificate) *certs.Certificate {
	if a == nil || b.NotAfter.After(a.NotAfter) {
		return b
	}
	return a
}

// fits reports whether c can be the certificate of k; sure, whether the token said
// enough to know.
func fits(k KeyObject, c *certs.Certificate) (fit, sure bool) {
	switch pub := c.PublicKey.(type) {
	case *rsa.PublicKey:
		known := len(k.Public) > 0
		return k.Type == KeyRSA && (!known || bytes.Equal(bytes.TrimLeft(k.Public, "\x00"), pub.N.Bytes())), known
	case *ecdsa.PublicKey:
		known := len(k.Public) > 0
		point, err := pub.Bytes()
		return k.Type == KeyEC && err == nil && (!known || samePoint(k.Public, point)), known
	case ed25519.PublicKey:
		known := len(k.Public) > 0
		return k.Type == KeyEdwards && (!known || samePoint(k.Public, pub)), known
	}
	return false, false
}

// samePoint compares CKA_EC_POINT, an OCTET STRING around the point by the standard
// and the bare point with some tokens.
func samePoint(attribute, point []byte) bool {
	if bytes.Equal(attribute, point) {
		return true
	}
	return len(attribute) > len(point) && len(attribute) <= len(point)+3 && attribute[0] == 0x04 && bytes.HasSuffix(attribute, point)
}

// chainAbove puts the issuers that are at hand above leaf.
func chainAbove(leaf *certs.Certificate, stored []storedCert, given []*certs.Certificate) []*certs.Certificate {
	chain := []*certs.Certificate{leaf}
	for len(chain) < maxChain {
		top := chain[len(chain)-1]
		if top.SelfIssued() {
			break
		}
		above := issuerOf(top, stored, given)
		if above == nil {
			break
		}
		chain = append(chain, above)
	}
	return chain
}

func issuerOf(c *certs.Certificate, stored []storedCert, given []*certs.Certificate) *certs.Certificate {
	candidates := given
	for _, s := range stored {
		candidates = append(candidates[:len(candidates):len(candidates)], s.cert)
	}
	for _, i := range candidates {
		if i != c && c.IssuedBy(i) {
			return i
		}
	}
	return nil
}
