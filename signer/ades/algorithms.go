package ades

import (
	"crypto"
	"encoding/asn1"
)

// SignatureAlgorithm names a signature scheme as reports show it.
type SignatureAlgorithm string

// The signature schemes known by name.
const (
	RSAPKCS1 SignatureAlgorithm = "RSA-PKCS1-v1.5"
	RSAPSS   SignatureAlgorithm = "RSA-PSS"
	ECDSA    SignatureAlgorithm = "ECDSA"
	Ed25519  SignatureAlgorithm = "Ed25519"
	DSA      SignatureAlgorithm = "DSA" // of old certificates; never created
)

var hashes = []struct {
	hash crypto.Hash
	name string
	oid  asn1.ObjectIdentifier
}{
	{crypto.SHA256, "SHA-256", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}},
	{crypto.SHA384, "SHA-384", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}},
	{crypto.SHA512, "SHA-512", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}},
	{crypto.SHA1, "SHA-1", asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}},
	{crypto.SHA224, "SHA-224", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 4}},
	{crypto.SHA512_224, "SHA-512/224", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 5}},
	{crypto.SHA512_256, "SHA-512/256", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 6}},
	{crypto.SHA3_224, "SHA3-224", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 7}},
	{crypto.SHA3_256, "SHA3-256", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 8}},
	{crypto.SHA3_384, "SHA3-384", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 9}},
	{crypto.SHA3_512, "SHA3-512", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 10}},
	{crypto.MD5, "MD5", asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}},
}

// HashOID returns the object identifier of h, nil when h is not known here.
func HashOID(h crypto.Hash) asn1.ObjectIdentifier {
	for _, e := range hashes {
		if e.hash == h {
			return e.oid
		}
	}
	return nil
}

// HashFromOID returns the hash function named by oid; ok is false when unknown.
func HashFromOID(oid asn1.ObjectIdentifier) (h crypto.Hash, ok bool) {
	for _, e := range hashes {
		if e.oid.Equal(oid) {
			return e.hash, true
		}
	}
	return 0, false
}

// HashName returns the name of h as reports show it ("SHA-256"), "" when unknown.
func HashName(h crypto.Hash) string {
	for _, e := range hashes {
		if e.hash == h {
			return e.name
		}
	}
	return ""
}
