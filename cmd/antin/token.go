package main

import (
	"context"
	"os"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/pkcs11"
)

// envModule names the PKCS #11 library of pkcs11: URIs that name none.
const envModule = "ANTIN_PKCS11_MODULE"

// tokens is the provider of keys in tokens. The PIN comes from passwordFile, else from
// the URI's pin-source, else from ANTIN_KEY_PASSWORD, else from a prompt. Its helper
// ends with this process.
func tokens(e *env, passwordFile string) *pkcs11.Provider {
	return &pkcs11.Provider{
		Module: os.Getenv(envModule),
		PIN: func(_ context.Context, u pkcs11.URI, t pkcs11.Token) (string, error) {
			file := passwordFile
			if file == "" {
				file = u.PINSource
			}
			if t.CountLow {
				e.warn("token.pin_count_low", t.Label)
			}
			return readSecret(e, file, text.Get("token.pin_prompt", t.Label))
		},
		Certificates: func(u pkcs11.URI) ([]*certs.Certificate, error) {
			if u.CertPath == "" {
				return nil, nil
			}
			return readCertificates(u.CertPath)
		},
	}
}

// tokenKey opens the key that the pkcs11: URI names. The key outlives the token's
// absence: the next signature finds it again.
func tokenKey(e *env, uri, passwordFile string) (signer.Key, error) {
	return tokens(e, passwordFile).Key(context.Background(), uri)
}

// readCertificates reads the certificates in a file of PEM, DER or PKCS #7.
func readCertificates(path string) ([]*certs.Certificate, error) {
	data, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	chain, err := certs.ParseBundle(data)
	if err != nil || len(chain) == 0 {
		return nil, text.Detailed(text.FileUnreadable, err, "cli.path", path)
	}
	return chain, nil
}
