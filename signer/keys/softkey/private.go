package softkey

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"

	"antin/internal/text"
)

// parseKey reads the first private key of data, PEM or DER.
func parseKey(data []byte, password string) (any, error) {
	sawPEM := false
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		sawPEM = true
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if _, old := block.Headers["DEK-Info"]; old {
			// RFC 1423 encryption has no integrity and is broken; OpenSSL writes
			// PKCS #8 instead since 2010.
			return nil, unreadable(errors.New("softkey: RFC 1423 encryption"))
		}
		return parseBlock(block.Type, block.Bytes, password)
	}
	if sawPEM {
		return nil, text.Detailed(text.KeyNotFound, nil, "key.none")
	}
	return parseDER(data, password)
}

func parseBlock(kind string, der []byte, password string) (any, error) {
	var key any
	var err error
	switch kind {
	case "PRIVATE KEY":
		key, err = parsePKCS8(der)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(der)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(der)
	case "ENCRYPTED PRIVATE KEY":
		return parseEncrypted(der, password)
	default:
		err = errors.New("softkey: PEM type " + kind)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	return key, nil
}

// parseDER tries the unencrypted forms, then the encrypted one.
func parseDER(der []byte, password string) (any, error) {
	if key, err := parsePKCS8(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return parseEncrypted(der, password)
}

func parseEncrypted(der []byte, password string) (any, error) {
	plain, err := decryptPKCS8(der, password)
	switch {
	case errors.Is(err, errPassword):
		return nil, wrongPassword(err, password)
	case err != nil:
		return nil, unreadable(err)
	}
	key, err := parsePKCS8(plain)
	if err != nil {
		// A wrong password decrypts to right padding once in 256 times.
		return nil, wrongPassword(err, password)
	}
	return key, nil
}

func unreadable(err error) error { return text.Detailed(text.FileUnreadable, err, "key.unreadable") }
