package signer

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/cms"
)

// SignPrepared has the key id sign p and returns the value for Complete. The key
// must belong to the certificate that p was prepared for. ctx carries the Purpose
// for keys that ask for one. Errors: those of KeyProvider.Key, certificate-mismatch,
// or the key's own.
func (s *Signer) SignPrepared(ctx context.Context, id string, p *Prepared) (Completion, error) {
	h, ok := hashByName(p.Digest)
	if !ok || len(p.Certificates) == 0 {
		return Completion{}, text.Detailed(text.InvalidInput, nil, "sign.algorithm")
	}
	leaf, err := certs.ParseCertificate(p.Certificates[0])
	if err != nil {
		return Completion{}, text.Errorf(text.InvalidInput, err)
	}
	key, err := s.keyFor(ctx, id)
	if err != nil {
		return Completion{}, err
	}
	if key.Signer == nil {
		return Completion{}, text.Errorf(text.KeyNotFound, errors.New("the key signs elsewhere"))
	}
	if !bytes.Equal(key.Chain[0].Raw, leaf.Raw) {
		return Completion{}, text.Errorf(text.CertificateMismatch, errors.New("the key's certificate changed since the document was prepared"))
	}
	algorithm, err := cms.AlgorithmForCertificate(leaf, h, p.PSS)
	if err != nil {
		return Completion{}, text.Detailed(text.InvalidInput, err, "sign.algorithm")
	}
	value, err := algorithm.Sign(rand.Reader, key.Signer, p.SignedAttributes)
	if err != nil {
		return Completion{}, coded(ctx, err, text.KeyLocked)
	}
	return Completion{Raw: value}, nil
}
