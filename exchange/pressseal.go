package exchange

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/appearance"
	"antin/signer/compose"
)

// Number gives a signed paper its number and today's date, by văn thư or by the
// agency's own system for a person that it names. given is 0 for the next number of
// the register, else the number that the agency's own system gave
// (NumberingExternal). A paper that has its number keeps it. Errors: not-allowed,
// not-found, signature-required, number-taken, invalid-input, state-conflict (it has
// another number).
func (ps *Press) Number(ctx context.Context, actor Actor, id ID, given int) (Number, error) {
	d, err := ps.take(ctx, actor, id, RoleClerk, RoleIntegrator)
	if err != nil {
		return Number{}, err
	}
	if err := ps.number(ctx, d, given); err != nil {
		return Number{}, err
	}
	return d.issuance().Number, nil
}

// number numbers d, once. It takes the number and names it in the paper's row and
// the evidence in one transaction: a crash leaves all of it or nothing.
func (ps *Press) number(ctx context.Context, d *desk, given int) error {
	if numbered, err := hasNumber(d.issuance(), given); numbered || err != nil {
		return err
	}
	// No number without a valid signature of the competent person.
	if err := ps.checkPerson(ctx, d); err != nil {
		return ps.refused(ctx, d.actor, d, err)
	}
	now := ps.Now().UTC()
	return ps.Store.Update(ctx, func(tx Tx) error {
		if err := d.load(ctx, tx); err != nil {
			return err
		}
		i, info := d.issuance(), d.about()
		if numbered, err := hasNumber(i, given); numbered || err != nil {
			return err
		}
		day := dayIn(now)
		seq, err := takeNumber(ctx, tx, d.office, Entry{Agency: info.agency, Book: BookOutgoing, Year: day.Year(), Subject: info.id, At: now, By: d.actor}, given)
		if err != nil {
			return err
		}
		i.Number = Number{Year: day.Year(), Seq: seq, Notation: info.notation, Date: day.UTC()}
		i.Numbered = Fact{At: now, By: d.actor}
		d.numbered(i.Number)
		if err := d.save(ctx, tx); err != nil {
			return err
		}
		return ps.note(ctx, tx, d, EventNumbered, now, d.actor, i.Signed.Digest, map[string]string{"number": i.Number.String()})
	})
}

// hasNumber reports whether i has its number; an error when it is another one than
// given, or i was issued without.
func hasNumber(i *Issuance, given int) (bool, error) {
	switch {
	case i.Numbered.Done() && given != 0 && given != i.Number.Seq:
		return false, text.Detailed(text.StateConflict, nil, "signing.numbered", i.Number.String())
	case i.Numbered.Done():
		return true, nil
	case i.Issued.Done():
		return false, text.Errorf(text.StateConflict, nil)
	}
	return false, nil
}

// prepareSeal prepares the agency's seal on d, which has its number and the
// competent person's valid signature. An empty chain means the agency's key behind
// the KeyProvider.
func (ps *Press) prepareSeal(ctx context.Context, d *desk, chain []*certs.Certificate, keep bool) (Signing, error) {
	i := d.issuance()
	if i.Issued.Done() {
		return Signing{}, text.Errorf(text.StateConflict, nil)
	}
	if err := ps.Store.View(ctx, func(tx Tx) error { return refuseInQuarantine(ctx, tx) }); err != nil {
		return Signing{}, err
	}
	if err := ps.checkPerson(ctx, d); err != nil {
		return Signing{}, ps.refused(ctx, d.actor, d, err)
	}
	if !i.Numbered.Done() {
		return Signing{}, text.Detailed(text.StateConflict, nil, "signing.number-first")
	}
	if len(chain) > 0 {
		if err := d.office.sealedBy(DigestOf(chain[0].Raw)); err != nil {
			return Signing{}, ps.refused(ctx, d.actor, d, err)
		}
	} else if d.office.SealKey == "" {
		return Signing{}, text.Detailed(text.KeyNotFound, nil, "signing.no-seal-key")
	}
	return ps.prepare(ctx, d, SigningSeal, i.Signed, keep, func(in signer.Input) (signer.Request, error) {
		req, err := sealRequest(in, *i, d.office)
		if len(chain) > 0 {
			req.Key, req.Certificates = "", chain
		}
		return req, err
	})
}

// sealedBy returns nil when the certificate of that digest is a seal of the office,
// else certificate-mismatch.
func (o Office) sealedBy(certificate Digest) error {
	for _, seal := range o.Agency.Seals {
		if DigestOf(seal) == certificate {
			return nil
		}
	}
	return text.Detailed(text.CertificateMismatch, nil, "signing.not-a-seal", o.Agency.Name)
}

// Seal applies the agency's seal, and so issues the paper, by completing exactly
// the signing whose preview the clerk saw: shown is its Shown. The key is used
// through the KeyProvider. An empty shown prepares and seals in one go, numbering
// first where needed, in a sandbox office only. Sealing what is issued is a no-op.
// Errors: not-allowed, not-found, invalid-input (shown missing), document-changed
// (another preview has taken its place, or it expired), signature-required,
// key-unavailable, those of signer.Complete.
func (ps *Press) Seal(ctx context.Context, clerk Actor, id ID, shown Digest) error {
	p, err := newPaper(id, clerk)
	if err != nil {
		return err
	}
	if shown == "" {
		return ps.seal(ctx, clerk, p)
	}
	if err := clerk.may(RoleClerk); err != nil {
		return err
	}
	d, err := ps.takePaper(ctx, clerk, p)
	if err != nil || d.issuance().Issued.Done() {
		return err
	}
	var s Signing
	err = ps.Store.View(ctx, func(tx Tx) (err error) {
		s, err = tx.OpenSigning(ctx, id, SigningSeal)
		return err
	})
	switch {
	case errors.Is(err, &text.Error{Code: text.NotFound}):
		return text.Errorf(text.DocumentChanged, nil)
	case err != nil:
		return err
	case s.Shown != shown, s.By.ID != clerk.ID, s.Base != d.issuance().Signed.Digest, s.Key == "":
		return ps.refused(ctx, clerk, d, text.Errorf(text.DocumentChanged, nil))
	case !ps.Now().Before(s.ExpiresAt):
		return text.Detailed(text.DocumentChanged, nil, "signing.preview-expired")
	}
	value, err := ps.useKey(ctx, d, s)
	if err != nil {
		return err
	}
	return ps.finishSeal(ctx, d, s, value)
}

// seal numbers, dates and seals p in one go: for the demo and tests, where nobody
// looks at a preview.
func (ps *Press) seal(ctx context.Context, clerk Actor, p paper) error {
	if err := clerk.may(RoleClerk); err != nil {
		return err
	}
	d, err := ps.takePaper(ctx, clerk, p)
	if err != nil || d.issuance().Issued.Done() {
		return err
	}
	if !d.office.Sandbox {
		return text.Detailed(text.InvalidInput, nil, "signing.shown")
	}
	if !d.issuance().Numbered.Done() {
		if err := ps.number(ctx, d, 0); err != nil {
			return err
		}
	}
	s, err := ps.prepareSeal(ctx, d, nil, false)
	if err != nil {
		return err
	}
	value, err := ps.useKey(ctx, d, s)
	if err != nil {
		return err
	}
	return ps.finishSeal(ctx, d, s, value)
}

// finishSeal completes s and records that d is sealed and issued.
func (ps *Press) finishSeal(ctx context.Context, d *desk, s Signing, value signer.Completion) error {
	if d.issuance().Issued.Done() {
		return nil
	}
	final, res, err := ps.embed(ctx, d, s, value)
	if err != nil {
		return err
	}
	return ps.recordSeal(ctx, d, signature{blob: final, base: s.Base, data: signingData(s, res), done: s.finished})
}

// recordSeal validates the finished file and puts it in place, once.
func (ps *Press) recordSeal(ctx context.Context, d *desk, sig signature) error {
	report, err := ps.validate(ctx, sig.blob, d.about().fileName)
	if err != nil {
		return fmt.Errorf("validating %s: %w", d.about().id, err)
	}
	now := ps.Now().UTC()
	fact := Fact{At: now, By: d.actor}
	drawn := d.issuance().Number // what the file bears: it may have been voided and drawn anew meanwhile
	return ps.Store.Update(ctx, func(tx Tx) error {
		if err := d.load(ctx, tx); err != nil {
			return err
		}
		i := d.issuance()
		if i.Issued.Done() {
			return nil
		}
		if i.Signed.Digest != sig.base || !i.Numbered.Done() || i.Number != drawn {
			return text.Errorf(text.DocumentChanged, nil)
		}
		if sig.done != nil {
			if err := sig.done(ctx, tx, fact); err != nil {
				return err
			}
		}
		i.Final, i.Verdict = sig.blob, Verdict(report.Verdict)
		i.Sealed, i.Issued = fact, fact
		if err := d.save(ctx, tx); err != nil {
			return err
		}
		if err := tx.DropSignings(ctx, d.about().id, SigningSeal); err != nil {
			return err
		}
		if err := ps.note(ctx, tx, d, EventSealed, now, d.actor, sig.blob.Digest, sig.data); err != nil {
			return err
		}
		return ps.note(ctx, tx, d, EventIssued, now, d.actor, sig.blob.Digest, map[string]string{"verdict": string(report.Verdict)})
	})
}

// sealRequest asks for the agency's seal: red, of true size, with number and date
// filled in the same revision; in a PDF made elsewhere, which has no fields for
// them, number and date stand beside the seal.
func sealRequest(in signer.Input, i Issuance, o Office) (signer.Request, error) {
	mark := appearance.SealMark{Agency: o.Agency.Name, Parent: o.Agency.InCharge, DiameterMM: o.SealDiameterMM}
	req := signer.Request{Key: o.SealKey, Name: o.Agency.Name}
	if i.Prepared {
		req.Field, req.Existing = compose.FieldSeal, true
		req.Appearance = appearance.Seal(mark)
		req.Fill = dateFields(i.Number)
		return req, nil
	}
	mark.Caption = sealCaption(i.Number)
	place, err := placeSeal(in, i.Field, mark)
	if err != nil {
		return req, err
	}
	req.Field, req.Page, req.Rect = place.field, place.page, place.seal
	req.Lock = lockAll()
	req.Appearance = appearance.Seal(mark)
	return req, nil
}

// dateFields is what the fields of our own layout are filled with. Days below 10
// and the months 1 and 2 get a leading 0 (NĐ 30/2020, Annex I).
func dateFields(n Number) map[string]string {
	y, m, d := n.Date.In(Vietnam).Date()
	month := strconv.Itoa(int(m))
	if m < 3 {
		month = "0" + month
	}
	return map[string]string{
		compose.FieldNumber: n.CodeNumber(), compose.FieldDay: fmt.Sprintf("%02d", d),
		compose.FieldMonth: month, compose.FieldYear: strconv.Itoa(y),
	}
}

func sealCaption(n Number) []string {
	return []string{
		text.Get("exchange.caption-number", n.String()).VI,
		text.Get("exchange.caption-date", n.Date.In(Vietnam).Format("02/01/2006")).VI,
	}
}
