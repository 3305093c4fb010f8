package exchange

import (
	"context"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/appearance"
	"antin/signer/compose"
)

// preparePerson prepares the competent person's signature on d. An empty chain
// means the key that the KeyProvider holds for that person.
func (ps *Press) preparePerson(ctx context.Context, d *desk, chain []*certs.Certificate, keep bool) (Signing, error) {
	person, err := d.office.Signatory(d.actor.ID)
	if err != nil {
		return Signing{}, err
	}
	done, err := signedBy(d.issuance(), person)
	if done {
		err = text.Detailed(text.StateConflict, nil, "exchange.signed-by", person.Name)
	}
	if err != nil {
		return Signing{}, err
	}
	switch {
	case len(chain) > 0:
		if err := person.owns(DigestOf(chain[0].Raw)); err != nil {
			return Signing{}, ps.refused(ctx, d.actor, d, err)
		}
	case person.Key == "":
		return Signing{}, fieldError("certificates")
	}
	return ps.prepare(ctx, d, SigningPerson, d.issuance().Draft, keep, func(in signer.Input) (signer.Request, error) {
		req, err := personRequest(in, d.issuance().Prepared, person)
		if len(chain) > 0 {
			req.Key, req.Certificates = "", chain
		}
		return req, err
	})
}

// owns returns nil when the certificate of that digest is the one bound to s, else
// certificate-mismatch.
func (s Signatory) owns(certificate Digest) error {
	switch {
	case len(s.Certificate) == 0:
		return text.Detailed(text.CertificateMismatch, nil, "signing.no-certificate", s.Name)
	case DigestOf(s.Certificate) != certificate:
		return text.Detailed(text.CertificateMismatch, nil, "signing.other-certificate", s.Name)
	}
	return nil
}

// finishPerson completes s and records that the person signed.
func (ps *Press) finishPerson(ctx context.Context, d *desk, s Signing, value signer.Completion) error {
	person, err := d.office.Signatory(d.actor.ID)
	if err != nil {
		return err
	}
	if done, err := signedBy(d.issuance(), person); done || err != nil {
		return err
	}
	// A certificate that was unbound meanwhile signs no more.
	if len(person.Certificate) > 0 && len(s.Prepared.Certificates) > 0 {
		if err := person.owns(DigestOf(s.Prepared.Certificates[0])); err != nil {
			return ps.refused(ctx, d.actor, d, err)
		}
	}
	signed, res, err := ps.embed(ctx, d, s, value)
	if err != nil {
		return err
	}
	return ps.recordPerson(ctx, d, person, signature{blob: signed, field: res.Field, certificate: DigestOf(res.Certificate.Raw),
		data: signingData(s, res), done: s.finished, base: s.Base})
}

// signature is a new signature on its way into the rows.
type signature struct {
	blob        Blob
	base        Digest // the file that it follows
	field       string
	certificate Digest
	data        map[string]string
	// done marks the signing as completed; nil when there was none.
	done func(ctx context.Context, tx Tx, done Fact) error
}

// recordPerson puts the person's signature in place, once.
func (ps *Press) recordPerson(ctx context.Context, d *desk, person Signatory, sig signature) error {
	now := ps.Now().UTC()
	fact := Fact{At: now, By: d.actor}
	return ps.Store.Update(ctx, func(tx Tx) error {
		if err := d.load(ctx, tx); err != nil {
			return err
		}
		i := d.issuance()
		if done, err := signedBy(i, person); done || err != nil {
			return err
		}
		if i.Draft.Digest != sig.base {
			return text.Errorf(text.DocumentChanged, nil)
		}
		if sig.done != nil {
			if err := sig.done(ctx, tx, fact); err != nil {
				return err
			}
		}
		i.Signed, i.Field = sig.blob, sig.field
		i.Signer = Signer{ActorID: person.ActorID, Name: person.Name, Position: person.Position, Competence: person.Competence,
			Certificate: sig.certificate}
		i.Approved, i.Signing = fact, fact
		if err := d.save(ctx, tx); err != nil {
			return err
		}
		if err := tx.DropSignings(ctx, d.about().id, SigningPerson); err != nil {
			return err
		}
		// What is signed is what was approved: the digest of both is the draft's.
		if err := ps.note(ctx, tx, d, EventApproved, now, d.actor, i.Draft.Digest, nil); err != nil {
			return err
		}
		return ps.note(ctx, tx, d, EventSigned, now, d.actor, i.Signed.Digest, sig.data)
	})
}

// personRequest asks for the competent person's signature: blue, in the field
// prepared for it, or on the last page of a PDF made elsewhere.
func personRequest(in signer.Input, prepared bool, person Signatory) (signer.Request, error) {
	req := signer.Request{Key: person.Key, Name: person.Name, Appearance: appearance.Person(appearance.PersonMark{Name: person.Name})}
	if prepared {
		req.Field, req.Existing = compose.FieldPerson, true
		return req, nil
	}
	place, err := placeOnLastPage(in)
	if err != nil {
		return req, err
	}
	req.Field, req.Page, req.Rect = place.field, place.page, place.person
	return req, nil
}
