package certstest

import (
	"crypto"
	"time"

	"github.com/digitorus/timestamp"
)

// TimestampBy makes a TimeStampResp over imprint as a TSA with e's key would now;
// withCertificate puts e's certificate into the token. e need not be fit for it.
func (p *PKI) TimestampBy(e *Entity, h crypto.Hash, imprint []byte, withCertificate bool) ([]byte, error) {
	t := timestamp.Timestamp{HashAlgorithm: h, HashedMessage: append([]byte(nil), imprint...), Time: p.o.Now().UTC().Truncate(time.Second),
		Accuracy: time.Second, Policy: OIDTSAPolicy, AddTSACertificate: withCertificate}
	return t.CreateResponseWithOpts(e.x509, e.Key, crypto.SHA256)
}
