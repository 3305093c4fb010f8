package certstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"time"
)

// KeyType says what kind of key to generate.
type KeyType string

// The key types.
const (
	RSA2048 KeyType = "rsa2048"
	RSA3072 KeyType = "rsa3072"
	P256    KeyType = "p256"
	P384    KeyType = "p384"
	Ed25519 KeyType = "ed25519"
)

// NewKey generates a key of type t.
func (t KeyType) NewKey() (crypto.Signer, error) {
	switch t {
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case P256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case P384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("certstest: unknown key type %q", t)
}

// Options says what to build. The zero value is a whole PKI with Vietnamese
// names, by the computer's clock, without addresses in the certificates.
type Options struct {
	// BaseURL is where Handler will be reachable, without a slash at the end
	// ("http://127.0.0.1:8318"). Empty leaves the addresses out of the
	// certificates until SetBaseURL.
	BaseURL string
	// Now is the clock of the authorities; nil is the computer's.
	Now func() time.Time
	// LeafKey is the kind of the signers' keys, RSA2048 by default; tests that
	// need many PKIs are faster with P256.
	LeafKey KeyType
	// CAKey is the kind of the CAs', responders' and TSA's keys, P256 by default.
	CAKey KeyType
	// Names are the names in the certificates; empty members take their defaults.
	Names Names
}

// Names are the names in the certificates.
type Names struct {
	Owner        string // organisation of the CAs and services
	Root         string
	Issuing      string
	TSA          string
	OCSP         string
	AgencyA      string // the agency of the leader and of the first seal
	AgencyB      string
	Leader       string
	Revoked      string
	Expired      string
	ProvinceName string // L of every signer
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.LeafKey == "" {
		o.LeafKey = RSA2048
	}
	if o.CAKey == "" {
		o.CAKey = P256
	}
	for value, def := range map[*string]string{
		&o.Names.Owner:        "Ấn tín – DỮ LIỆU THỬ",
		&o.Names.Root:         "CA gốc thử nghiệm Ấn tín",
		&o.Names.Issuing:      "CA cấp phát thử nghiệm Ấn tín",
		&o.Names.TSA:          "Dịch vụ dấu thời gian thử nghiệm Ấn tín",
		&o.Names.OCSP:         "Dịch vụ OCSP thử nghiệm Ấn tín",
		&o.Names.AgencyA:      "UBND xã Thử Nghiệm",
		&o.Names.AgencyB:      "UBND phường Mẫu Đơn",
		&o.Names.Leader:       "Nguyễn Văn An",
		&o.Names.Revoked:      "Trần Thị Thu Hồi",
		&o.Names.Expired:      "Lê Văn Hết Hạn",
		&o.Names.ProvinceName: "Tỉnh Thử Nghiệm",
	} {
		if *value == "" {
			*value = def
		}
	}
	return o
}
