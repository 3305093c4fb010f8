package certstest

// Defect is a named way for the services to be wrong.
type Defect string

// The defects. Each is checked on every request.
const (
	TSADown         Defect = "tsa-down"          // 503
	TSAHangs        Defect = "tsa-hangs"         // no answer until the client gives up
	TSARejects      Defect = "tsa-rejects"       // PKIStatus rejection
	TSAGarbage      Defect = "tsa-garbage"       // not a TimeStampResp
	WrongImprint    Defect = "wrong-imprint"     // the token is about other data
	WrongNonce      Defect = "wrong-nonce"       // the token answers another request
	BadTSAUsage     Defect = "bad-tsa-usage"     // the TSA certificate's extended key usage is not critical
	BadTSASignature Defect = "bad-tsa-signature" // the token's signature value is wrong

	OCSPDown              Defect = "ocsp-down"              // 503
	OCSPHangs             Defect = "ocsp-hangs"             // no answer until the client gives up
	OCSPTryLater          Defect = "ocsp-try-later"         // responseStatus tryLater
	OCSPUnknown           Defect = "ocsp-unknown"           // the responder knows no certificate
	StaleOCSP             Defect = "stale-ocsp"             // an answer that ended a week ago
	UnauthorisedResponder Defect = "unauthorised-responder" // signed by a certificate without the usage
	BadOCSPSignature      Defect = "bad-ocsp-signature"
	OtherCertificateOCSP  Defect = "other-certificate-ocsp" // an answer about another serial number

	CRLDown         Defect = "crl-down"  // 503
	StaleCRL        Defect = "stale-crl" // a list that ended a week ago
	BadCRLSignature Defect = "bad-crl-signature"
	AIADown         Defect = "aia-down" // 503
)

// Break adds defects; they hold until Repair.
func (p *PKI) Break(d ...Defect) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range d {
		p.defects[x] = true
	}
}

// Repair removes the defects given, or all when none is given.
func (p *PKI) Repair(d ...Defect) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(d) == 0 {
		clear(p.defects)
	}
	for _, x := range d {
		delete(p.defects, x)
	}
}

func (p *PKI) broken(d Defect) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.defects[d]
}
