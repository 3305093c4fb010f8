package etsi

// The types follow the schema's names and order; only what this package writes is
// there. Prefixes stand in the names, since readers of the report, and xmllint,
// want those of the standard.

type validationReport struct {
	XMLName   struct{}            `xml:"vr:ValidationReport"`
	VR        string              `xml:"xmlns:vr,attr"`
	DS        string              `xml:"xmlns:ds,attr"`
	XAdES     string              `xml:"xmlns:XAdES,attr"`
	TSL       string              `xml:"xmlns:tsl,attr"`
	Reports   []signatureReport   `xml:"vr:SignatureValidationReport"`
	Objects   *objectList         `xml:"vr:SignatureValidationObjects"`
	Validator *signatureValidator `xml:"vr:SignatureValidator"`
}

type signatureReport struct {
	Identifier  identifier         `xml:"vr:SignatureIdentifier,omitempty"`
	Constraints constraintsReport  `xml:"vr:ValidationConstraintsEvaluationReport"`
	Times       *times             `xml:"vr:ValidationTimeInfo"`
	Document    *signersDocument   `xml:"vr:SignersDocument"`
	Attributes  *attributes        `xml:"vr:SignatureAttributes"`
	Signer      *signerInformation `xml:"vr:SignerInformation"`
	Process     *process           `xml:"vr:SignatureValidationProcess"`
	Status      status             `xml:"vr:SignatureValidationStatus"`
}

type identifier struct {
	ID           string             `xml:"id,attr,omitempty"`
	Digest       *digestAlgAndValue `xml:"vr:DigestAlgAndValue"`
	Value        *signatureValue    `xml:"ds:SignatureValue"`
	HashOnly     bool               `xml:"vr:HashOnly"`
	DocHashOnly  bool               `xml:"vr:DocHashOnly"`
	DAIdentifier string             `xml:"vr:DAIdentifier,omitempty"`
}

type signatureValue struct {
	Value base64Text `xml:",chardata"`
}

type digestAlgAndValue struct {
	Method method     `xml:"ds:DigestMethod"`
	Value  base64Text `xml:"ds:DigestValue"`
}

type method struct {
	Algorithm string `xml:"Algorithm,attr"`
}

type constraintsReport struct {
	Policy   policy    `xml:"vr:SignatureValidationPolicy"`
	Findings []finding `xml:"vr:ValidationConstraint"`
}

type policy struct {
	Implied *struct{} `xml:"vr:SignaturePolicyIdentifier>XAdES:SignaturePolicyImplied"`
	Name    string    `xml:"vr:PolicyName"`
}

type finding struct {
	ID     string  `xml:"vr:ValidationConstraintIdentifier"`
	Status string  `xml:"vr:ConstraintStatus>vr:Status"`
	Words  []words `xml:"vr:Indications>vr:Text"`
}

type words struct {
	Lang string `xml:"xml:lang,attr"`
	Text string `xml:",chardata"`
}

type times struct {
	Validation string `xml:"vr:ValidationTime"`
	Best       proof  `xml:"vr:BestSignatureTime"`
}

type proof struct {
	Time   string     `xml:"vr:POETime"`
	Type   string     `xml:"vr:TypeOfProof"`
	Object *reference `xml:"vr:POEObject"`
}

type reference struct {
	ID string `xml:"VOReference,attr"`
}

type signersDocument struct {
	Digest digestAlgAndValue `xml:"vr:DigestAlgAndValue"`
}

type attributes struct {
	SigningTime   *signingTime         `xml:"vr:SigningTime"`
	MessageDigest *messageDigest       `xml:"vr:MessageDigest"`
	Timestamps    []timestampAttribute `xml:"vr:SignatureTimeStamp"`
	SubFilter     *subFilter           `xml:"vr:SubFilter"`
	ByteRange     string               `xml:"vr:ByteRange,omitempty"`
}

type signingTime struct {
	Signed bool   `xml:"Signed,attr"`
	Time   string `xml:"vr:Time"`
}

type messageDigest struct {
	Signed bool       `xml:"Signed,attr"`
	Digest base64Text `xml:"vr:Digest"`
}

type timestampAttribute struct {
	Objects []reference `xml:"vr:AttributeObject"`
	Value   string      `xml:"vr:TimeStampValue"`
}

type subFilter struct {
	Signed bool   `xml:"Signed,attr"`
	Name   string `xml:"vr:SubFilterElement"`
}

type signerInformation struct {
	Certificate reference `xml:"vr:SignerCertificate"`
	Signer      string    `xml:"vr:Signer,omitempty"`
}

type process struct {
	ID string `xml:"vr:SignatureValidationProcessID"`
}

type status struct {
	Main string      `xml:"vr:MainIndication"`
	Sub  []string    `xml:"vr:SubIndication"`
	Data *reportData `xml:"vr:AssociatedValidationReportData"`
}

type reportData struct {
	Anchor  *reference         `xml:"vr:TrustAnchor"`
	Chain   *certificateChain  `xml:"vr:CertificateChain"`
	Related []reference        `xml:"vr:RelatedValidationObject"`
	Revoked *revocationStatus  `xml:"vr:RevocationStatusInformation"`
	Crypto  *cryptoInformation `xml:"vr:CryptoInformation"`
}

type certificateChain struct {
	Signing       reference   `xml:"vr:SigningCertificate"`
	Intermediates []reference `xml:"vr:IntermediateCertificate"`
	Anchor        *reference  `xml:"vr:TrustAnchor"`
}

type revocationStatus struct {
	Object reference `xml:"vr:ValidationObjectId"`
	Time   string    `xml:"vr:RevocationTime"`
	Reason string    `xml:"vr:RevocationReason,omitempty"`
}

type cryptoInformation struct {
	Object    reference `xml:"vr:ValidationObjectId"`
	Algorithm string    `xml:"vr:Algorithm"`
	Secure    bool      `xml:"vr:SecureAlgorithm"`
}

type objectList struct {
	Objects []object `xml:"vr:ValidationObject"`
}

type object struct {
	ID             string         `xml:"id,attr"`
	Kind           string         `xml:"vr:ObjectType"`
	Representation representation `xml:"vr:ValidationObjectRepresentation"`
	POE            *proof         `xml:"vr:POE"`
}

type representation struct {
	Base64 base64Text        `xml:"vr:base64"`
	Digest digestAlgAndValue `xml:"vr:DigestAlgAndValue"`
}

type signatureValidator struct {
	Certificate base64Text `xml:"vr:DigitalId>tsl:X509Certificate"`
}
