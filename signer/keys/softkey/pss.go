package softkey

import (
	"crypto/x509"
	"encoding/asn1"
)

// oidRSASSAPSS is the key type of RSA keys that are restricted to PSS (RFC 4055, 1.2).
var oidRSASSAPSS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}

// parsePKCS8 reads an unencrypted PKCS #8 key of every type that can sign. Package
// x509 does not know keys restricted to PSS; inside they are RSA keys like others,
// and their certificate says what they may be used for.
func parsePKCS8(der []byte) (any, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err == nil {
		return key, nil
	}
	var info struct {
		Version   int
		Algorithm struct {
			OID    asn1.ObjectIdentifier
			Params asn1.RawValue `asn1:"optional"`
		}
		Key  []byte
		Rest asn1.RawValue `asn1:"optional,tag:0"`
	}
	if rest, e := asn1.Unmarshal(der, &info); e != nil || len(rest) > 0 || !info.Algorithm.OID.Equal(oidRSASSAPSS) {
		return nil, err
	}
	return x509.ParsePKCS1PrivateKey(info.Key)
}
