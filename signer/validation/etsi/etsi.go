// Package etsi writes validation reports in the XML form of ETSI TS 119 102-2
// (version 1.4.1), which other validators and archives read. It turns a
// validation.Report into bytes and judges nothing by itself: what the report does
// not say, the XML does not say either.
//
// The same report gives the same bytes.
package etsi

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/validation"
)

// Options say what the report does not know of itself. The zero value is fine.
type Options struct {
	// Validator is the certificate of who made the report; nil leaves it out.
	Validator *certs.Certificate
}

// XML writes r, one SignatureValidationReport for each signature and document
// time-stamp in the order of r, and the objects they stand on, each once. A file
// without a signature has one report with the main indication noSignature. The
// error is that of the encoder, and means a fault of this package.
func XML(r *validation.Report, o Options) ([]byte, error) {
	w := &writer{report: r, objects: map[[32]byte]string{}}
	doc := validationReport{VR: nsReport, DS: nsSignature, XAdES: nsXAdES, TSL: nsTrustedList}
	for i := range r.Signatures {
		doc.Reports = append(doc.Reports, w.signature(i))
	}
	if len(r.Signatures) == 0 {
		doc.Reports = append(doc.Reports, signatureReport{Constraints: w.constraints(""), Status: status{Main: noSignature}})
	}
	if len(w.list) > 0 {
		doc.Objects = &objectList{w.list}
	}
	if o.Validator != nil {
		doc.Validator = &signatureValidator{Certificate: o.Validator.Raw}
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", " ")
	if err := e.Encode(doc); err != nil {
		return nil, fmt.Errorf("encoding the ETSI report: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// writer collects the validation objects while the reports are written.
type writer struct {
	report  *validation.Report
	objects map[[32]byte]string // identifiers by digest
	list    []object
}

func (w *writer) signature(i int) signatureReport {
	s := &w.report.Signatures[i]
	m := &s.Material
	r := signatureReport{
		Identifier:  identifier{ID: "S-" + strconv.Itoa(i+1), Digest: sha256Of(m.Contents), DAIdentifier: printable(s.Field)},
		Constraints: w.constraints(s.Field),
		Process:     &process{processOf(s)},
	}
	if len(m.Value) > 0 {
		r.Identifier.Value = &signatureValue{m.Value}
	}
	if d, ok := digestURIs[s.Digest]; ok && len(m.MessageDigest) > 0 {
		r.Document = &signersDocument{Digest: digestAlgAndValue{method{d}, m.MessageDigest}}
	}
	stamps := w.timestamps(s)
	r.Times = &times{Validation: stamp(w.report.CheckedAt), Best: proof{Time: stamp(s.BestTime), Type: poeValidation}}
	if s.BestTimeSource == validation.TimeSignatureTimestamp && len(stamps) > 0 {
		r.Times.Best.Object = &reference{stamps[0]}
	}
	r.Attributes = attributesOf(s, stamps)
	if id := w.certificate(m.Signer); id != "" {
		r.Signer = &signerInformation{reference{id}, printable(s.Signer.Subject)}
	}
	r.Status = status{Main: mainIndications[s.Indication], Data: w.data(s, r.Identifier.ID, stamps)}
	if s.SubIndication != "" {
		r.Status.Sub = []string{subIndication + string(s.SubIndication)}
	}
	if p := s.PastValidation; p != nil {
		r.Status.Sub = append(r.Status.Sub, subIndication+string(p.SubIndication))
	}
	return r
}

// processOf names the validation process whose material decided (EN 319 102-1,
// 5.3, 5.5 and 5.6).
func processOf(s *validation.Signature) string {
	_, name, _ := strings.Cut(s.Level, "-")
	level, _ := ades.ParseLevel(name)
	switch {
	case level.AtLeast(ades.BLTA), s.BestTimeSource == validation.TimeDocumentTimestamp, s.BestTimeSource == validation.TimeEvidence:
		return processLTA
	case s.BestTimeSource == validation.TimeSignatureTimestamp:
		return processLTVM
	}
	return processBasic
}

// data is what the indication stands on (TS 119 102-2, 4.2.12).
func (w *writer) data(s *validation.Signature, id string, stamps []string) *reportData {
	m := &s.Material
	d := &reportData{}
	if len(m.Path) > 0 {
		chain := &certificateChain{Signing: reference{w.certificate(m.Path[0])}}
		for _, c := range m.Path[1:] {
			chain.Intermediates = append(chain.Intermediates, reference{w.certificate(c)})
		}
		anchor := &reference{w.certificate(m.Path.Anchor())}
		if n := len(chain.Intermediates); n > 0 {
			chain.Intermediates = chain.Intermediates[:n-1]
		}
		chain.Anchor, d.Anchor, d.Chain = anchor, anchor, chain
	}
	for _, t := range stamps {
		d.Related = append(d.Related, reference{t})
	}
	for _, e := range m.Evidence {
		d.Related = append(d.Related, reference{w.evidence(e)})
	}
	if s.Revocation.Status == certs.StatusRevoked && m.Signer != nil {
		d.Revoked = &revocationStatus{Object: reference{w.certificate(m.Signer)}, Time: stamp(s.Revocation.RevokedAt)}
		if s.Revocation.Reason != "" {
			d.Revoked.Reason = revocationReason + s.Revocation.Reason
		}
	}
	if uri := algorithmURI(s); uri != "" {
		d.Crypto = &cryptoInformation{Object: reference{id}, Algorithm: uri, Secure: s.SubIndication != ades.CryptoConstraintsFailureNoPOE}
	}
	return d
}

// constraints is the policy and every finding that concerns the signature, or the
// file as a whole when field is empty.
func (w *writer) constraints(field string) constraintsReport {
	c := constraintsReport{Policy: policy{Implied: &struct{}{}, Name: w.report.Policy.Name + " " + w.report.Policy.Version}}
	for _, r := range w.report.Reasons {
		if r.Signature != field && r.Signature != "" {
			continue
		}
		c.Findings = append(c.Findings, finding{ID: constraintPrefix + string(r.Code), Status: constraintApplied,
			Words: []words{{"vi", printable(r.Message.VI)}, {"en", printable(r.Message.EN)}}})
	}
	return c
}

// printable replaces what XML 1.0 cannot hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || (r >= 0x20 && r <= 0xd7ff) || (r >= 0xe000 && r <= 0xfffd) || r >= 0x10000 {
			return r
		}
		return '\ufffd'
	}, s)
}
