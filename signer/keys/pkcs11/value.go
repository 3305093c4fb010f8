package pkcs11

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// digestInfos are the DER of DigestInfo up to the hash itself (RFC 8017, 9.2, note 1;
// RFC 9688 for SHA-3): what CKM_RSA_PKCS wants in front of a hash.
var digestInfos = map[crypto.Hash][]byte{
	crypto.SHA256:   digestInfo(1, 32),
	crypto.SHA384:   digestInfo(2, 48),
	crypto.SHA512:   digestInfo(3, 64),
	crypto.SHA3_256: digestInfo(8, 32),
	crypto.SHA3_384: digestInfo(9, 48),
	crypto.SHA3_512: digestInfo(10, 64),
}

// digestInfo is the prefix for the hash with arc 2.16.840.1.101.3.4.2.n.
func digestInfo(n, size byte) []byte {
	return []byte{0x30, 17 + size, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, n, 5, 0, 4, size}
}

// hashNames are the names in Request.Hash.
var hashNames = map[crypto.Hash]string{
	crypto.SHA256: "SHA-256", crypto.SHA384: "SHA-384", crypto.SHA512: "SHA-512",
	crypto.SHA3_256: "SHA3-256", crypto.SHA3_384: "SHA3-384", crypto.SHA3_512: "SHA3-512",
}

// errAlgorithm is returned for what the key's kind, or this package, cannot sign.
var errAlgorithm = errors.New("this kind of signature cannot be made")

// order turns what crypto.Signer is asked for into what a token is asked for.
func order(pub crypto.PublicKey, digest []byte, opts crypto.SignerOpts) (Request, error) {
	h := opts.HashFunc()
	r := Request{Op: OpSign, Data: digest, Hash: hashNames[h]}
	if h != 0 && (r.Hash == "" || len(digest) != h.Size()) {
		return Request{}, fmt.Errorf("%w: %d bytes of %v", errAlgorithm, len(digest), h)
	}
	switch pub.(type) {
	case *rsa.PublicKey:
		if h == 0 {
			return Request{}, errAlgorithm
		}
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			if pss.SaltLength != rsa.PSSSaltLengthEqualsHash && pss.SaltLength != h.Size() {
				return Request{}, fmt.Errorf("%w: the salt is as long as the hash", errAlgorithm)
			}
			r.Mechanism = RSAPSS
			return r, nil
		}
		r.Mechanism, r.Hash = RSAPKCS, ""
		r.Data = append(append([]byte{}, digestInfos[h]...), digest...)
		return r, nil
	case *ecdsa.PublicKey:
		if h == 0 {
			return Request{}, errAlgorithm
		}
		r.Mechanism, r.Hash = ECDSA, ""
		return r, nil
	case ed25519.PublicKey:
		if h != 0 {
			return Request{}, errAlgorithm
		}
		r.Mechanism = EdDSA
		return r, nil
	}
	return Request{}, errAlgorithm
}

// errValue is returned for a value from a token that is no signature by its key.
var errValue = errors.New("the token's value is no signature by the certificate's key")

// finish turns a token's value into the one that crypto.Signer promises, and verifies
// it with the certificate's key.
func finish(pub crypto.PublicKey, digest, value []byte, opts crypto.SignerOpts) ([]byte, error) {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		// A library may leave out leading zero bytes; the value is as long as the modulus.
		if n := pub.Size() - len(value); n > 0 && n < 8 {
			value = append(make([]byte, n), value...)
		}
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			if rsa.VerifyPSS(pub, pss.Hash, digest, value, pss) != nil {
				return nil, errValue
			}
			return value, nil
		}
		if rsa.VerifyPKCS1v15(pub, opts.HashFunc(), digest, value) != nil {
			return nil, errValue
		}
		return value, nil
	case *ecdsa.PublicKey:
		der, err := ecdsaDER(value, (pub.Params().N.BitLen()+7)/8)
		if err != nil || !ecdsa.VerifyASN1(pub, digest, der) {
			return nil, errValue
		}
		return der, nil
	case ed25519.PublicKey:
		if len(value) != ed25519.SignatureSize || !ed25519.Verify(pub, digest, value) {
			return nil, errValue
		}
		return value, nil
	}
	return nil, errAlgorithm
}

// ecdsaDER turns r and s side by side into Ecdsa-Sig-Value (RFC 5480, appendix A).
// size is the length of the curve's order in bytes; some libraries cut zero bytes off
// both halves alike, some give DER already.
func ecdsaDER(value []byte, size int) ([]byte, error) {
	if len(value) != 2*size && isECDSADER(value) {
		return value, nil
	}
	if len(value) == 0 || len(value)%2 != 0 || len(value) > 2*size {
		return nil, errValue
	}
	r, s := new(big.Int).SetBytes(value[:len(value)/2]), new(big.Int).SetBytes(value[len(value)/2:])
	if r.Sign() == 0 || s.Sign() == 0 {
		return nil, errValue
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	return b.Bytes()
}

// isECDSADER reports whether value is a whole Ecdsa-Sig-Value.
func isECDSADER(value []byte) bool {
	in, inner := cryptobyte.String(value), cryptobyte.String(nil)
	r, s := new(big.Int), new(big.Int)
	return in.ReadASN1(&inner, asn1.SEQUENCE) && in.Empty() && inner.ReadASN1Integer(r) && inner.ReadASN1Integer(s) && inner.Empty() &&
		r.Sign() > 0 && s.Sign() > 0
}
