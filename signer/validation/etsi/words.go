package etsi

import (
	"strings"

	"antin/signer/ades"
	"antin/signer/validation"
)

// The namespaces, with the prefixes that the XML uses for them.
const (
	nsReport      = "http://uri.etsi.org/19102/v1.4.1#"
	nsSignature   = "http://www.w3.org/2000/09/xmldsig#"
	nsXAdES       = "http://uri.etsi.org/01903/v1.3.2#"
	nsTrustedList = "http://uri.etsi.org/02231/v2#"
)

// The identifiers of TS 119 102-2.
const (
	subIndication     = "urn:etsi:019102:subindication:"
	revocationReason  = "urn:etsi:019102:revocationReason:"
	poeValidation     = "urn:etsi:019102:poetype:validation"
	constraintApplied = "urn:etsi:019102:constraintStatus:applied"
	processBasic      = "urn:etsi:019102:validationprocess:Basic"
	processLTVM       = "urn:etsi:019102:validationprocess:LTVM"
	processLTA        = "urn:etsi:019102:validationprocess:LTA"
	objectCertificate = "urn:etsi:019102:validationObject:certificate"
	objectCRL         = "urn:etsi:019102:validationObject:CRL"
	objectOCSP        = "urn:etsi:019102:validationObject:OCSPResponse"
	objectTimestamp   = "urn:etsi:019102:validationObject:timestamp"
)

// What the standard has no identifier for.
const (
	noSignature      = "urn:antin:mainindication:noSignature"
	constraintPrefix = "urn:antin:constraint:"
)

const passed = ades.TotalPassed

var mainIndications = map[ades.Indication]string{
	ades.TotalPassed:   "urn:etsi:019102:mainindication:total-passed",
	ades.TotalFailed:   "urn:etsi:019102:mainindication:total-failed",
	ades.Indeterminate: "urn:etsi:019102:mainindication:indeterminate",
}

// digestURIs are the identifiers of digest algorithms (RFC 9231, 2.1; XML Encryption, 5.7).
var digestURIs = map[string]string{
	"SHA-1": "http://www.w3.org/2000/09/xmldsig#sha1", "SHA-224": "http://www.w3.org/2001/04/xmldsig-more#sha224",
	"SHA-256": "http://www.w3.org/2001/04/xmlenc#sha256", "SHA-384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
	"SHA-512": "http://www.w3.org/2001/04/xmlenc#sha512", "SHA3-256": "http://www.w3.org/2007/05/xmldsig-more#sha3-256",
	"SHA3-384": "http://www.w3.org/2007/05/xmldsig-more#sha3-384", "SHA3-512": "http://www.w3.org/2007/05/xmldsig-more#sha3-512",
}

// algorithmURI is the identifier of the signature algorithm (RFC 9231, 2.3); ""
// for what it does not list.
func algorithmURI(s *validation.Signature) string {
	hash := strings.ReplaceAll(strings.ToLower(s.Digest), "sha-", "sha")
	const more, more2007 = "http://www.w3.org/2001/04/xmldsig-more#", "http://www.w3.org/2007/05/xmldsig-more#"
	sha3 := strings.HasPrefix(hash, "sha3-")
	switch ades.SignatureAlgorithm(s.Algorithm) {
	case ades.RSAPKCS1:
		switch {
		case hash == "sha1":
			return nsSignature + "rsa-sha1"
		case hash == "" || sha3:
			return ""
		}
		return more + "rsa-" + hash
	case ades.RSAPSS:
		if hash == "" {
			return ""
		}
		return more2007 + hash + "-rsa-MGF1"
	case ades.ECDSA:
		switch {
		case hash == "":
			return ""
		case sha3:
			return "http://www.w3.org/2021/04/xmldsig-more#ecdsa-" + hash
		}
		return more + "ecdsa-" + hash
	case ades.Ed25519:
		return "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"
	case ades.DSA:
		if hash == "sha1" {
			return nsSignature + "dsa-sha1"
		}
		return "http://www.w3.org/2009/xmldsig11#dsa-" + hash
	}
	return ""
}
