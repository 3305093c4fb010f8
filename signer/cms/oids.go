package cms

import "encoding/asn1"

// Content types.
var (
	// OIDData is id-data, the content type of every AdES signature over a document.
	OIDData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	// OIDSignedData is id-signedData.
	OIDSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	// OIDTSTInfo is id-ct-TSTInfo, the content type of a time-stamp token (RFC 3161).
	OIDTSTInfo = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
)

// Attribute types.
var (
	// OIDContentType is content-type (RFC 5652, 11.1).
	OIDContentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	// OIDMessageDigest is message-digest (RFC 5652, 11.2).
	OIDMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	// OIDSigningTime is signing-time (RFC 5652, 11.3), forbidden in PAdES baseline.
	OIDSigningTime = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	// OIDCounterSignature is countersignature (RFC 5652, 11.4).
	OIDCounterSignature = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}
	// OIDAlgorithmProtection is CMSAlgorithmProtection (RFC 6211).
	OIDAlgorithmProtection = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}
	// OIDSigningCertificate is ESS signing-certificate (RFC 2634), SHA-1 only.
	OIDSigningCertificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	// OIDSigningCertificateV2 is ESS signing-certificate-v2 (RFC 5035).
	OIDSigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	// OIDSignatureTimestamp is signature-time-stamp (EN 319 122-1).
	OIDSignatureTimestamp = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	// OIDSignaturePolicy is signature-policy-identifier (EN 319 122-1).
	OIDSignaturePolicy = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 15}
	// OIDCommitmentType is commitment-type-indication (EN 319 122-1).
	OIDCommitmentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 16}
	// OIDArchiveTimestamp is archive-time-stamp (RFC 5126), the first of its kind.
	OIDArchiveTimestamp = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 27}
	// OIDArchiveTimestampV2 is archive-time-stamp-v2 (TS 101 733).
	OIDArchiveTimestampV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 48}
	// OIDArchiveTimestampV3 is archive-time-stamp-v3 (EN 319 122-1, 5.5.3).
	OIDArchiveTimestampV3 = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 4}
	// OIDLongTermValidation is long-term-validation (TS 101 733), given up since.
	OIDLongTermValidation = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 2}
	// OIDHashIndex is ats-hash-index (TS 101 733), the first of its kind.
	OIDHashIndex = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 5}
	// OIDHashIndexV2 is ats-hash-index-v2.
	OIDHashIndexV2 = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 4}
	// OIDHashIndexV3 is ats-hash-index-v3 (EN 319 122-1, 5.5.2).
	OIDHashIndexV3 = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 5}
	// OIDCertificateValues is certificate-values (EN 319 122-1, annex A).
	OIDCertificateValues = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 23}
	// OIDRevocationValues is revocation-values (EN 319 122-1, annex A).
	OIDRevocationValues = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24}
	// OIDContentTimestamp is content-time-stamp (EN 319 122-1).
	OIDContentTimestamp = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 20}
	// OIDSignerAttributesV2 is signer-attributes-v2 (EN 319 122-1).
	OIDSignerAttributesV2 = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 1}
	// OIDAdobeRevocation is adbe-revocationInfoArchival (ISO 32000-2, 12.8.3.3.2).
	OIDAdobeRevocation = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}
)

// Commitment types (EN 319 122-1, TS 119 172-1 annex B).
var (
	// OIDProofOfOrigin says that the signer made, approved and sent the data.
	OIDProofOfOrigin = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 6, 1}
	// OIDProofOfReceipt says that the signer received the content.
	OIDProofOfReceipt = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 6, 2}
	// OIDProofOfDelivery says that a delivery took place.
	OIDProofOfDelivery = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 6, 3}
	// OIDProofOfSender says that the signer sent the data, not that it was made there.
	OIDProofOfSender = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 6, 4}
	// OIDProofOfApproval says that the signer approved the content.
	OIDProofOfApproval = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 6, 5}
	// OIDProofOfCreation says that the signer made the data, not that it was approved.
	OIDProofOfCreation = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 6, 6}
)

// Object identifiers used only inside this package.
var (
	oidRSASSAPSS    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidMGF1         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidEd25519      = asn1.ObjectIdentifier{1, 3, 101, 112}
	oidOCSPBasic    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidOCSPResponse = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}
	oidRole         = asn1.ObjectIdentifier{2, 5, 4, 72}
	oidCommonName   = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidPolicyURI    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 5, 1}
)
