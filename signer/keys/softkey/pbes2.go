package softkey

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // HMAC-SHA-1 is the default of PBKDF2 (RFC 8018); HMAC does not rest on collisions
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"errors"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxIterations bounds PBKDF2, at some seconds of work; OWASP asks for 600,000.
const maxIterations = 10_000_000

var (
	errPassword  = errors.New("softkey: padding is wrong after decryption")
	errEncrypted = errors.New("softkey: malformed or unsupported PKCS #8 encryption")

	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
)

// ciphers are the encryption schemes of PBES2 that are read: AES-CBC.
var ciphers = []struct {
	oid    asn1.ObjectIdentifier
	keyLen int
}{
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}, 16},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}, 24},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, 32},
}

// prfs are the pseudo-random functions of PBKDF2 that are read.
var prfs = []struct {
	oid  asn1.ObjectIdentifier
	hash func() hash.Hash
}{
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}, sha1.New},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, sha256.New},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 10}, sha512.New384},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 11}, sha512.New},
}

// pbes2 are the parameters of one encryption (RFC 8018, A.4).
type pbes2 struct {
	salt       []byte
	iterations int
	hash       func() hash.Hash
	keyLen     int
	iv         []byte
}

// decryptPKCS8 decrypts an EncryptedPrivateKeyInfo (RFC 5958, 3) made with PBES2,
// PBKDF2 and AES-CBC, which is what OpenSSL and Java write today. errPassword
// says that the padding is wrong, other errors that the form is not read here.
func decryptPKCS8(der []byte, password string) ([]byte, error) {
	in := cryptobyte.String(der)
	var info, alg cryptobyte.String
	var oid asn1.ObjectIdentifier
	var data []byte
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1(&alg, cbasn1.SEQUENCE) ||
		!alg.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidPBES2) ||
		!info.ReadASN1Bytes(&data, cbasn1.OCTET_STRING) {
		return nil, errEncrypted
	}
	return decryptPBES2(alg, data, password)
}

// decryptPBES2 decrypts data by the parameters of PBES2 in alg.
func decryptPBES2(alg cryptobyte.String, data []byte, password string) ([]byte, error) {
	p, ok := parsePBES2(alg)
	if !ok || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errEncrypted
	}
	key, err := pbkdf2.Key(p.hash, password, p.salt, p.iterations, p.keyLen)
	if err != nil {
		return nil, errEncrypted
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errEncrypted
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, p.iv).CryptBlocks(plain, data)
	return unpad(plain, aes.BlockSize)
}

// unpad takes the padding of RFC 8018, 6.1.1 off, and finds a wrong password by it.
func unpad(plain []byte, size int) ([]byte, error) {
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > size {
		return nil, errPassword
	}
	body, padding := plain[:len(plain)-pad], plain[len(plain)-pad:]
	if !bytes.Equal(padding, bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errPassword
	}
	return body, nil
}

func parsePBES2(in cryptobyte.String) (pbes2, bool) {
	p := pbes2{hash: sha1.New}
	var params, kdf, kdfParams, scheme, prf cryptobyte.String
	var kdfOID, schemeOID, prfOID asn1.ObjectIdentifier
	if !in.ReadASN1(&params, cbasn1.SEQUENCE) || !params.ReadASN1(&kdf, cbasn1.SEQUENCE) ||
		!kdf.ReadASN1ObjectIdentifier(&kdfOID) || !kdfOID.Equal(oidPBKDF2) ||
		!kdf.ReadASN1(&kdfParams, cbasn1.SEQUENCE) ||
		!kdfParams.ReadASN1Bytes(&p.salt, cbasn1.OCTET_STRING) || !kdfParams.ReadASN1Integer(&p.iterations) {
		return p, false
	}
	if p.iterations < 1 || p.iterations > maxIterations || !kdfParams.SkipOptionalASN1(cbasn1.INTEGER) {
		return p, false
	}
	if !kdfParams.Empty() {
		if !kdfParams.ReadASN1(&prf, cbasn1.SEQUENCE) || !prf.ReadASN1ObjectIdentifier(&prfOID) || !p.setHash(prfOID) {
			return p, false
		}
	}
	if !params.ReadASN1(&scheme, cbasn1.SEQUENCE) || !scheme.ReadASN1ObjectIdentifier(&schemeOID) ||
		!scheme.ReadASN1Bytes(&p.iv, cbasn1.OCTET_STRING) || len(p.iv) != aes.BlockSize {
		return p, false
	}
	for _, c := range ciphers {
		if c.oid.Equal(schemeOID) {
			p.keyLen = c.keyLen
		}
	}
	return p, p.keyLen > 0
}

func (p *pbes2) setHash(oid asn1.ObjectIdentifier) bool {
	for _, f := range prfs {
		if f.oid.Equal(oid) {
			p.hash = f.hash
			return true
		}
	}
	return false
}
