package main

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/hex"
	"strconv"
	"strings"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/cms"
)

// digestNames are the values of --digest.
var digestNames = map[string]crypto.Hash{
	"sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512,
	"sha3-256": crypto.SHA3_256, "sha3-384": crypto.SHA3_384, "sha3-512": crypto.SHA3_512,
}

// commitments are the names that --commitment knows (EN 319 122-1, 5.2.3).
var commitments = map[string]asn1.ObjectIdentifier{
	"origin": cms.OIDProofOfOrigin, "receipt": cms.OIDProofOfReceipt, "delivery": cms.OIDProofOfDelivery,
	"sender": cms.OIDProofOfSender, "approval": cms.OIDProofOfApproval, "creation": cms.OIDProofOfCreation,
}

// claims reads the flags that say something about signer and signature inside the CMS.
func (c *signCmd) claims(req *signer.Request) error {
	req.Role, req.ContentTimestamp, req.PKCS7 = c.Role, c.ContentTimestamp, c.SubFilter == "pkcs7"
	if c.ContentTimestamp && len(c.TSA) == 0 {
		return text.Detailed(text.InvalidInput, nil, "cli.need_tsa", "--content-timestamp")
	}
	if c.ContentTimestamp && c.Offline {
		return text.Detailed(text.InvalidInput, nil, "cli.offline_level")
	}
	if c.Commitment != "" {
		oid, named := commitments[strings.TrimPrefix(c.Commitment, "proof-of-")]
		if !named {
			oid = parseOID(c.Commitment)
		}
		if oid == nil {
			return text.Detailed(text.InvalidInput, nil, "cli.bad_commitment", c.Commitment)
		}
		req.Commitment = oid
	}
	if c.SignaturePolicy == "" {
		return nil
	}
	var err error
	req.Policy, err = signaturePolicy(c.SignaturePolicy, req.Digest)
	return err
}

// parseOID reads an object identifier in dots; nil when s is none.
func parseOID(s string) asn1.ObjectIdentifier {
	parts := strings.Split(s, ".")
	oid := make(asn1.ObjectIdentifier, 0, len(parts))
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return nil
		}
		oid = append(oid, int(n))
	}
	// What cannot be encoded is no identifier (X.660: two arcs, the first below 3).
	if _, err := asn1.Marshal(oid); err != nil {
		return nil
	}
	return oid
}

// signaturePolicy reads OID,URI,HASHFILE. The file holds the hash of the policy
// document in hex, as sha256sum and its kin print it, or is the document itself.
func signaturePolicy(s string, h crypto.Hash) (*cms.Policy, error) {
	bad := text.Detailed(text.InvalidInput, nil, "cli.bad_signature_policy")
	id, rest, ok := strings.Cut(s, ",")
	at := strings.LastIndex(rest, ",") // an address may hold commas, and may be empty
	oid := parseOID(id)
	if !ok || at < 0 || oid == nil || rest[at+1:] == "" {
		return nil, bad
	}
	data, err := readKeyFile(rest[at+1:])
	if err != nil {
		return nil, err
	}
	p := &cms.Policy{OID: oid, URI: rest[:at]}
	if p.Hash, p.HashValue = hexHash(data); p.Hash != 0 {
		return p, nil
	}
	sum := h.New()
	sum.Write(data)
	p.Hash, p.HashValue = h, sum.Sum(nil)
	return p, nil
}

// hexHash reads a file that begins with a hash in hex; which hash it is follows
// from its length. 0 when the file is something else.
func hexHash(data []byte) (crypto.Hash, []byte) {
	const longest = 2 * 64
	fields := bytes.Fields(data[:min(len(data), longest+1)])
	if len(fields) == 0 {
		return 0, nil
	}
	sum, err := hex.DecodeString(string(fields[0]))
	if err != nil {
		return 0, nil
	}
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if len(sum) == h.Size() {
			return h, sum
		}
	}
	return 0, nil
}
