package certstest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256" // the hash functions of hashOIDs
	_ "crypto/sha512" // likewise
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net/http"
	"time"

	"antin/certs"
)

// hashOIDs are the hash functions in which a request may name a certificate.
var hashOIDs = map[crypto.Hash]asn1.ObjectIdentifier{
	crypto.SHA1:   {1, 3, 14, 3, 2, 26},
	crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1},
	crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2},
	crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
}

var errUnknownCA = errors.New("certstest: no CA of that name")

// The messages of RFC 6960 as far as a responder writes them.
type (
	certID struct {
		Hash     pkix.AlgorithmIdentifier
		NameHash []byte
		KeyHash  []byte
		Serial   *big.Int
	}
	ocspRequest struct {
		TBS struct {
			Version    int           `asn1:"explicit,tag:0,default:0,optional"`
			Requestor  asn1.RawValue `asn1:"explicit,tag:1,optional"`
			List       []struct{ ID certID }
			Extensions []pkix.Extension `asn1:"explicit,tag:2,optional"`
		}
	}
	single struct {
		ID         certID
		Status     asn1.RawValue
		ThisUpdate time.Time `asn1:"generalized"`
		NextUpdate time.Time `asn1:"generalized,explicit,tag:0"`
	}
	responseData struct {
		Responder  asn1.RawValue
		ProducedAt time.Time `asn1:"generalized"`
		Responses  []single
		Extensions []pkix.Extension `asn1:"explicit,tag:1,optional"`
	}
	basicResponse struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
		Certs     []asn1.RawValue `asn1:"explicit,tag:0,optional"`
	}
	responseBytes struct {
		Type     asn1.ObjectIdentifier
		Response []byte
	}
	ocspResponse struct {
		Status asn1.Enumerated
		Bytes  responseBytes `asn1:"explicit,tag:0,optional"`
	}
	revokedInfo struct {
		At     time.Time       `asn1:"generalized"`
		Reason asn1.Enumerated `asn1:"explicit,tag:0,optional"`
	}
)

const (
	ocspMalformed    = 1
	ocspInternal     = 2
	ocspTryLater     = 3
	ocspUnauthorized = 6
)

func (p *PKI) serveOCSP(w http.ResponseWriter, r *http.Request, request []byte) {
	switch {
	case p.broken(OCSPDown):
		down(w)
		return
	case p.broken(OCSPHangs):
		<-r.Context().Done()
		return
	}
	der, status := p.respond(request)
	if status != 0 {
		der, _ = asn1.Marshal(struct{ Status asn1.Enumerated }{asn1.Enumerated(status)}) // cannot fail: one number
	}
	answer(w, "application/ocsp-response", der)
}

// OCSP makes a response about c, as the responder would now.
func (p *PKI) OCSP(c *certs.Certificate) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.authorities() {
		if c.IssuedBy(a.Certificate) {
			id := certID{Hash: pkix.AlgorithmIdentifier{Algorithm: hashOIDs[crypto.SHA1], Parameters: asn1.NullRawValue}, Serial: c.Serial}
			id.NameHash, id.KeyHash = a.hashes(crypto.SHA1)
			return p.ocspResponse(a, []certID{id}, nil)
		}
	}
	return nil, errUnknownCA
}

func (p *PKI) respond(request []byte) (der []byte, status int) {
	var req ocspRequest
	if rest, err := asn1.Unmarshal(request, &req); err != nil || len(rest) > 0 || len(req.TBS.List) == 0 {
		return nil, ocspMalformed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.defects[OCSPTryLater] {
		return nil, ocspTryLater
	}
	var ids []certID
	for _, one := range req.TBS.List {
		ids = append(ids, one.ID)
	}
	a := p.authorityFor(ids[0])
	if a == nil {
		return nil, ocspUnauthorized
	}
	var echo []pkix.Extension
	for _, e := range req.TBS.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}) {
			echo = append(echo, e)
		}
	}
	der, err := p.ocspResponse(a, ids, echo)
	if err != nil {
		return nil, ocspInternal
	}
	return der, 0
}

func (p *PKI) authorityFor(id certID) *authority {
	var h crypto.Hash
	for known, oid := range hashOIDs {
		if oid.Equal(id.Hash.Algorithm) {
			h = known
		}
	}
	if h == 0 {
		return nil
	}
	for _, a := range p.authorities() {
		name, key := a.hashes(h)
		if bytes.Equal(id.NameHash, name) && bytes.Equal(id.KeyHash, key) {
			return a
		}
	}
	return nil
}

func (a *authority) hashes(h crypto.Hash) (name, key []byte) {
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(a.x509.RawSubjectPublicKeyInfo, &spki); err != nil {
		return nil, nil
	}
	sum := func(b []byte) []byte { d := h.New(); d.Write(b); return d.Sum(nil) }
	return sum(a.x509.RawSubject), sum(spki.Key.Bytes)
}

// ocspResponse is called with p.mu held.
func (p *PKI) ocspResponse(a *authority, ids []certID, extensions []pkix.Extension) ([]byte, error) {
	now := p.o.Now().UTC().Truncate(time.Second)
	if p.defects[StaleOCSP] {
		now = now.Add(-staleBy)
	}
	signer := a.responder
	if p.defects[UnauthorisedResponder] {
		signer = a.rogue
	}
	data := responseData{Responder: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: signer.x509.RawSubject},
		ProducedAt: now, Extensions: extensions}
	for _, id := range ids {
		status, err := p.statusOf(a, id.Serial, now)
		if err != nil {
			return nil, err
		}
		if p.defects[OtherCertificateOCSP] {
			id.Serial = new(big.Int).Add(id.Serial, big.NewInt(1))
		}
		data.Responses = append(data.Responses, single{ID: id, Status: status, ThisUpdate: now, NextUpdate: now.Add(answerLife)})
	}
	tbs, err := asn1.Marshal(data)
	if err != nil {
		return nil, err
	}
	algorithm, signature, err := sign(signer.Key, tbs)
	if err != nil {
		return nil, err
	}
	if p.defects[BadOCSPSignature] {
		signature[len(signature)-1] ^= 1
	}
	basic, err := asn1.Marshal(basicResponse{TBS: asn1.RawValue{FullBytes: tbs}, Algorithm: algorithm,
		Signature: asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}, Certs: []asn1.RawValue{{FullBytes: signer.Certificate.Raw}}})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(ocspResponse{Bytes: responseBytes{Type: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}, Response: basic}})
}

func (p *PKI) statusOf(a *authority, serial *big.Int, now time.Time) (asn1.RawValue, error) {
	if p.defects[OCSPUnknown] {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2}, nil
	}
	r, revoked := a.revoked[serial.String()]
	if !revoked || r.At.After(now) {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0}, nil
	}
	info := revokedInfo{At: r.At, Reason: asn1.Enumerated(r.Reason)}
	der, err := asn1.MarshalWithParams(info, "tag:1")
	return asn1.RawValue{FullBytes: der}, err
}

// sign signs tbs with SHA-256, or as the key's scheme says.
func sign(key crypto.Signer, tbs []byte) (alg pkix.AlgorithmIdentifier, sig []byte, err error) {
	h := crypto.SHA256.New()
	h.Write(tbs)
	switch key.Public().(type) {
	case *ecdsa.PublicKey:
		alg.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	case *rsa.PublicKey:
		alg.Algorithm, alg.Parameters = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, asn1.NullRawValue
	case ed25519.PublicKey:
		alg.Algorithm = asn1.ObjectIdentifier{1, 3, 101, 112}
		sig, err = key.Sign(rand.Reader, tbs, crypto.Hash(0))
		return alg, sig, err
	default:
		return alg, nil, errors.New("certstest: unknown key type")
	}
	sig, err = key.Sign(rand.Reader, h.Sum(nil), crypto.SHA256)
	return alg, sig, err
}
