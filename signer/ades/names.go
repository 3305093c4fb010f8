package ades

import "encoding/asn1"

// named are algorithms that are recognised and not judged: no function here verifies
// them, so that a report names them instead of showing numbers.
var named = []struct {
	oid  asn1.ObjectIdentifier
	name string
}{
	{asn1.ObjectIdentifier{1, 3, 101, 113}, "Ed448"},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 11}, "SHAKE128"},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 12}, "SHAKE256"},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 17}, "SHAKE128"}, // with a length (RFC 8702)
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 18}, "SHAKE256"}, // likewise, as Ed448 uses it (RFC 8419)
	{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 6, 30}, "RSA-PSS SHAKE128"},
	{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 6, 31}, "RSA-PSS SHAKE256"},
	{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 6, 32}, "ECDSA SHAKE128"},
	{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 6, 33}, "ECDSA SHAKE256"},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 17}, "ML-DSA-44"},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 18}, "ML-DSA-65"},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 19}, "ML-DSA-87"},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 2}, "MD2"},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}, "RSA-PKCS1-v1.5 MD5"},
	{asn1.ObjectIdentifier{1, 3, 36, 3, 2, 1}, "RIPEMD-160"},
	{asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 401}, "SM3"},
	{asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 501}, "SM2 SM3"},
	{asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 2, 2}, "GOST R 34.11-2012-256"},
	{asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 3, 2}, "GOST R 34.10-2012-256"},
}

// AlgorithmName is the name of a hash function or a signature algorithm that reports
// show for oid, also where nothing here can compute it; an unknown one is its number.
func AlgorithmName(oid asn1.ObjectIdentifier) string {
	if h, ok := HashFromOID(oid); ok {
		return HashName(h)
	}
	for _, n := range named {
		if n.oid.Equal(oid) {
			return n.name
		}
	}
	return oid.String()
}
