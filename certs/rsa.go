package certs

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/binary"
	"math"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"antin/signer/ades"
)

// minStandardRSA is the smallest modulus that crypto/rsa verifies with. Smaller ones
// stand in old archives: whether they prove anything is CryptoPolicy's question, and
// a value must not be called wrong because its key is weak.
const minStandardRSA = 1024

// verifyRSA verifies sig over digest by one of the two schemes of RFC 8017.
func verifyRSA(pub *rsa.PublicKey, s SignatureScheme, digest, sig []byte) bool {
	small := pub.N.BitLen() < minStandardRSA
	if s.Algorithm == ades.RSAPKCS1 {
		if small {
			return openPKCS1(pub, s.Hash, digest, sig)
		}
		return rsa.VerifyPKCS1v15(pub, s.Hash, digest, sig) == nil
	}
	// Package rsa knows neither two hash functions nor, since its 0 stands for "any",
	// an empty salt.
	if small || s.MGF != s.Hash || s.SaltLength == 0 {
		return openPSS(pub, s, digest, sig)
	}
	return rsa.VerifyPSS(pub, s.Hash, digest, sig, &rsa.PSSOptions{SaltLength: s.SaltLength}) == nil
}

// rsaOpen is RSAVP1 (RFC 8017, 5.2.2) with the length check of 8.1.2 and 8.2.2.
func rsaOpen(pub *rsa.PublicKey, sig []byte) (em *big.Int, ok bool) {
	v := new(big.Int).SetBytes(sig)
	if len(sig) != pub.Size() || v.Cmp(pub.N) >= 0 || pub.E > math.MaxInt32 {
		return nil, false
	}
	return v.Exp(v, big.NewInt(int64(pub.E)), pub.N), true
}

// openPKCS1 is RSASSA-PKCS1-v1_5 (RFC 8017, 8.2.2): what the value opens to must be
// the one encoding of the digest.
func openPKCS1(pub *rsa.PublicKey, h crypto.Hash, digest, sig []byte) bool {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(ades.HashOID(h))
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(digest)
	})
	info, err := b.Bytes()
	em, ok := rsaOpen(pub, sig)
	padding := pub.Size() - len(info) - 3
	if err != nil || !ok || padding < 8 || len(digest) != h.Size() {
		return false
	}
	want := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, padding)...)
	want = append(append(want, 0), info...)
	return bytes.Equal(em.FillBytes(make([]byte, pub.Size())), want)
}

// openPSS is RSASSA-PSS (RFC 8017, 8.1.2 and 9.1.2) with any pair of hash functions.
func openPSS(pub *rsa.PublicKey, s SignatureScheme, digest, sig []byte) bool {
	v, ok := rsaOpen(pub, sig)
	bits := pub.N.BitLen() - 1
	size, h := (bits+7)/8, s.Hash.Size()
	if !ok || v.BitLen() > bits || len(digest) != h || size < h+s.SaltLength+2 {
		return false
	}
	em := v.FillBytes(make([]byte, size))
	if em[size-1] != 0xbc {
		return false
	}
	db, sum := em[:size-h-1], em[size-h-1:size-1]
	mask(s.MGF, sum, db)
	db[0] &= 0xff >> (8*size - bits)
	zeros := len(db) - s.SaltLength - 1
	if len(bytes.TrimLeft(db[:zeros], "\x00")) > 0 || db[zeros] != 1 {
		return false
	}
	d := s.Hash.New()
	d.Write(make([]byte, 8))
	d.Write(digest)
	d.Write(db[zeros+1:])
	return bytes.Equal(d.Sum(nil), sum)
}

// mask is MGF1 (RFC 8017, B.2.1) over seed, added to out.
func mask(h crypto.Hash, seed, out []byte) {
	for counter := uint32(0); len(out) > 0; counter++ {
		d := h.New()
		d.Write(seed)
		d.Write(binary.BigEndian.AppendUint32(nil, counter))
		block := d.Sum(nil)
		n := min(len(block), len(out))
		for i := range n {
			out[i] ^= block[i]
		}
		out = out[n:]
	}
}
