package certstest

import (
	"crypto"
	"encoding/asn1"
	"math/big"
	"net/http"
	"time"

	"github.com/digitorus/timestamp"
)

// OIDTSAPolicy is the time-stamping policy of the sandbox TSA.
var OIDTSAPolicy = asn1.ObjectIdentifier{2, 25, 2026112301, 1}

func (p *PKI) serveTSA(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	switch {
	case !ok:
		return
	case p.broken(TSADown):
		down(w)
		return
	case p.broken(TSAHangs):
		<-r.Context().Done()
		return
	}
	der, err := p.timestamp(body)
	if err != nil {
		http.Error(w, "no time-stamp: "+err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, "application/timestamp-reply", der)
}

func (p *PKI) timestamp(body []byte) ([]byte, error) {
	if p.broken(TSAGarbage) {
		return []byte("not a time-stamp response"), nil
	}
	req, err := timestamp.ParseRequest(body)
	if err != nil {
		return timestamp.CreateErrorResponse(timestamp.Rejection, timestamp.BadDataFormat)
	}
	if p.broken(TSARejects) {
		return timestamp.CreateErrorResponse(timestamp.Rejection, timestamp.SystemFailure)
	}
	if len(req.TSAPolicyOID) > 0 && !req.TSAPolicyOID.Equal(OIDTSAPolicy) {
		return timestamp.CreateErrorResponse(timestamp.Rejection, timestamp.UnacceptedPolicy)
	}
	return p.respondTimestamp(req.HashAlgorithm, req.HashedMessage, req.Nonce, req.Certificates)
}

// Timestamp makes a TimeStampResp over imprint as the TSA would now.
func (p *PKI) Timestamp(h crypto.Hash, imprint []byte) ([]byte, error) {
	return p.respondTimestamp(h, imprint, nil, true)
}

func (p *PKI) respondTimestamp(h crypto.Hash, imprint []byte, nonce *big.Int, withCertificate bool) ([]byte, error) {
	t := timestamp.Timestamp{HashAlgorithm: h, HashedMessage: append([]byte(nil), imprint...), Time: p.o.Now().UTC().Truncate(time.Second),
		Accuracy: time.Second, Policy: OIDTSAPolicy, Nonce: nonce, AddTSACertificate: withCertificate}
	if p.broken(WrongImprint) {
		t.HashedMessage[0] ^= 1
	}
	if nonce != nil && p.broken(WrongNonce) {
		t.Nonce = new(big.Int).Add(nonce, big.NewInt(1))
	}
	tsa := p.TSA()
	if p.broken(BadTSAUsage) {
		tsa = p.locked(func() *Entity { return p.badTSA })
	}
	der, err := t.CreateResponseWithOpts(tsa.x509, tsa.Key, crypto.SHA256)
	if err == nil && p.broken(BadTSASignature) {
		der[len(der)-1] ^= 1 // the signature value is the token's last field
	}
	return der, err
}
