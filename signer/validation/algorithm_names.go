package validation

import (
	"antin/signer/ades"
	"antin/signer/cms"
)

// algorithmNames are the digest and the signature algorithm of a signer by name, those
// that cannot be verified here included: an auditor wants to know what they are.
func algorithmNames(info *cms.SignerInfo) (digest, signature string) {
	digest, signature = ades.HashName(info.Digest), string(info.SignatureAlgorithm)
	if digest == "" {
		digest = ades.AlgorithmName(info.DigestOID)
	}
	if signature == "" {
		signature = ades.AlgorithmName(info.SignatureOID)
	}
	return digest, signature
}
