package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	written "antin/signer/report"
	"antin/signer/validation"
)

// maxPaper bounds a report on paper or in XML, in bytes: hundreds of signatures with
// their evidence stay below.
const maxPaper = 16 << 20

// Keep is Save of a report just made, with its paper and its XML. The paper is signed
// with the gateway's key (never with a seal or a person's); one that cannot sign
// leaves the paper unsigned, which it then says.
func (v *Verifications) Keep(ctx context.Context, actor Actor, judged *validation.Report, name string, digest Digest) (Verification, error) {
	b, err := json.Marshal(judged)
	if err != nil {
		return Verification{}, fmt.Errorf("writing the report: %w", err)
	}
	return v.save(ctx, actor, b, name, digest, func(made *Verification) error {
		office, err := v.office(ctx, actor.Agency)
		if err != nil {
			return err
		}
		paper, err := v.paper(ctx, judged, office)
		if err != nil {
			return err
		}
		xml, err := written.Write(judged, written.XML, written.Options{Certificate: gatewayCertificate(office)})
		if err != nil {
			return err
		}
		if made.Paper, err = v.Blobs.Put(ctx, bytes.NewReader(paper)); err != nil {
			return err
		}
		made.ETSI, err = v.Blobs.Put(ctx, bytes.NewReader(xml))
		return err
	})
}

// Written returns the kept PDF or XML of a verification, byte for byte; ok is false for
// a report that was kept without it. Errors are those of Verification.
func (v *Verifications) Written(ctx context.Context, kept Verification, f written.Format) (data []byte, ok bool, err error) {
	blob := kept.Paper
	if f == written.XML {
		blob = kept.ETSI
	}
	if blob.IsZero() || f == written.JSON {
		return nil, false, nil
	}
	data, err = readBlob(ctx, v.Blobs, blob.Digest, maxPaper)
	return data, err == nil, err
}

// office is the agency that has files checked; the zero Office when it is not known.
func (v *Verifications) office(ctx context.Context, code AgencyCode) (Office, error) {
	if v.Offices == nil {
		return Office{}, nil
	}
	o, err := v.Offices.Office(ctx, code)
	if text.CodeOf(err) == text.NotForUs {
		return Office{}, nil
	}
	return o, err
}

// gatewayCertificate is the certificate of the gateway's key, nil when there is none
// that reads.
func gatewayCertificate(o Office) *certs.Certificate {
	c, err := certs.ParseCertificate(o.GatewayCertificate)
	if err != nil || o.GatewayKey == nil {
		return nil
	}
	return c
}

// paper writes the report as PDF and signs it.
func (v *Verifications) paper(ctx context.Context, judged *validation.Report, o Office) ([]byte, error) {
	options := written.Options{Agency: o.Agency.Name, Certificate: gatewayCertificate(o)}
	if options.Certificate != nil {
		options.Signed = true
		plain, err := written.Write(judged, written.PDF, options)
		if err != nil {
			return nil, err
		}
		signed, err := v.seal(ctx, plain, o, options.Certificate)
		if err == nil || ctx.Err() != nil {
			return signed, err
		}
	}
	options.Signed, options.Certificate = false, nil
	return written.Write(judged, written.PDF, options)
}

// seal signs the paper at B-B: asking a time-stamping service that may take minutes is
// not for everyone who has a file checked.
func (v *Verifications) seal(ctx context.Context, paper []byte, o Office, c *certs.Certificate) ([]byte, error) {
	s := signer.Signer{Keys: signer.OneKey(o.GatewayKey, c), AllowSandbox: true, Now: v.Now}
	var out bytes.Buffer
	_, err := s.Sign(ctx, signer.Input{Reader: bytes.NewReader(paper), Size: int64(len(paper))}, &out,
		signer.Request{Level: ades.BB, Name: o.Agency.Name, Offline: true})
	return out.Bytes(), err
}
