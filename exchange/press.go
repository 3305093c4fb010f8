package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/appearance"
	"antin/signer/compose"
	"antin/signer/validation"
)

// Press makes PDFs official, in the order that NĐ 30/2020 sets: the competent
// person signs, văn thư numbers and dates, văn thư seals. Results and Outbox share
// it. Its fields are set once, before use; it is then safe for concurrent use.
type Press struct {
	Store     Store
	Blobs     Blobs
	Offices   Offices
	Signer    *signer.Signer
	Validator *validation.Validator
	Now       func() time.Time
}

// sign has the actor, a competent person of the office, approve and sign p. A
// paper that this person signed already stays as it is.
func (ps *Press) sign(ctx context.Context, actor Actor, p paper) error {
	if err := actor.may(RoleLeader); err != nil {
		return err
	}
	office, err := ps.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return err
	}
	person, err := office.Signatory(actor.ID)
	if err != nil {
		return err
	}
	if err := ps.Store.View(ctx, func(tx Tx) error { return p.load(ctx, tx) }); err != nil {
		return err
	}
	if done, err := signedBy(p.issuance(), person); done || err != nil {
		return err
	}
	draft := p.issuance().Draft
	signed, res, err := ps.apply(ctx, draft, p.about().fileName, func(in signer.Input) (signer.Request, error) {
		return personRequest(in, p.issuance().Prepared, person)
	})
	if err != nil {
		return ps.refused(ctx, actor, p, err)
	}
	now := ps.Now().UTC()
	return ps.Store.Update(ctx, func(tx Tx) error {
		if err := p.load(ctx, tx); err != nil {
			return err
		}
		i := p.issuance()
		if done, err := signedBy(i, person); done || err != nil {
			return err
		}
		i.Signed, i.Field = signed, res.Field
		i.Signer = Signer{ActorID: person.ActorID, Name: person.Name, Position: person.Position, Competence: person.Competence}
		i.Approved, i.Signing = Fact{At: now, By: actor}, Fact{At: now, By: actor}
		if err := p.save(ctx, tx); err != nil {
			return err
		}
		// What is signed is what was approved: the digest of both is the draft's.
		if err := ps.note(ctx, tx, p, EventApproved, now, actor, draft.Digest, nil); err != nil {
			return err
		}
		return ps.note(ctx, tx, p, EventSigned, now, actor, signed.Digest, signingData(res))
	})
}

// signedBy reports whether person signed i already; an error when i is past
// signing by someone else, or was made for another signer.
func signedBy(i *Issuance, person Signatory) (bool, error) {
	if i.Signing.Done() {
		if i.Signer.ActorID == person.ActorID {
			return true, nil
		}
		return false, text.Detailed(text.StateConflict, nil, "exchange.signed-by", i.Signer.Name)
	}
	if i.Issued.Done() {
		return false, text.Errorf(text.StateConflict, nil)
	}
	if i.Signer.ActorID != "" && i.Signer.ActorID != person.ActorID {
		return false, text.Detailed(text.NotAllowed, nil, "exchange.signer-named", i.Signer.Name)
	}
	return false, nil
}

// seal numbers, dates and seals p and so issues it. It goes on where an earlier
// call stopped: a number, once given, is never given again.
func (ps *Press) seal(ctx context.Context, actor Actor, p paper) error {
	if err := actor.may(RoleClerk); err != nil {
		return err
	}
	office, err := ps.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return err
	}
	if err := ps.Store.View(ctx, func(tx Tx) error { return p.load(ctx, tx) }); err != nil {
		return err
	}
	if p.issuance().Issued.Done() {
		return nil
	}
	// No seal, and no number, without a valid signature of the competent person.
	if err := ps.checkPerson(ctx, p); err != nil {
		return ps.refused(ctx, actor, p, err)
	}
	if err := ps.number(ctx, actor, p); err != nil {
		return err
	}
	final, res, err := ps.apply(ctx, p.issuance().Signed, p.about().fileName, func(in signer.Input) (signer.Request, error) {
		return sealRequest(in, *p.issuance(), office)
	})
	if err != nil {
		return ps.refused(ctx, actor, p, err)
	}
	report, err := ps.validate(ctx, final, p.about().fileName)
	if err != nil {
		return fmt.Errorf("validating %s: %w", p.about().id, err)
	}
	now := ps.Now().UTC()
	return ps.Store.Update(ctx, func(tx Tx) error {
		if err := p.load(ctx, tx); err != nil {
			return err
		}
		i := p.issuance()
		if i.Issued.Done() {
			return nil
		}
		i.Final, i.Verdict = final, Verdict(report.Verdict)
		i.Sealed, i.Issued = Fact{At: now, By: actor}, Fact{At: now, By: actor}
		if err := p.save(ctx, tx); err != nil {
			return err
		}
		if err := ps.note(ctx, tx, p, EventSealed, now, actor, final.Digest, signingData(res)); err != nil {
			return err
		}
		return ps.note(ctx, tx, p, EventIssued, now, actor, final.Digest, map[string]string{"verdict": string(report.Verdict)})
	})
}

// checkPerson returns signature-required unless the competent person's signature
// on p passes now, by our own rules.
func (ps *Press) checkPerson(ctx context.Context, p paper) error {
	i := p.issuance()
	if !i.Signing.Done() {
		return text.Detailed(text.SignatureRequired, nil, "exchange.unsigned")
	}
	report, err := ps.validate(ctx, i.Signed, p.about().fileName)
	if err != nil {
		return err
	}
	for _, s := range report.Signatures {
		if s.Field != i.Field {
			continue
		}
		if s.Indication == ades.TotalPassed && s.Modifications != validation.ModificationForbidden && report.Verdict != validation.Invalid {
			return nil
		}
	}
	return text.Detailed(text.SignatureRequired, fmt.Errorf("verdict %s", report.Verdict), "exchange.person-not-valid", i.Signer.Name)
}

// number gives p the next number of the register and today's date.
func (ps *Press) number(ctx context.Context, actor Actor, p paper) error {
	now := ps.Now().UTC()
	return ps.Store.Update(ctx, func(tx Tx) error {
		if err := p.load(ctx, tx); err != nil {
			return err
		}
		i, info := p.issuance(), p.about()
		if i.Numbered.Done() {
			return nil
		}
		day := dayIn(now)
		seq, err := tx.TakeNumber(ctx, Entry{Agency: info.agency, Book: BookOutgoing, Year: day.Year(), Subject: info.id, At: now, By: actor})
		if err != nil {
			return err
		}
		i.Number = Number{Year: day.Year(), Seq: seq, Notation: info.notation, Date: day.UTC()}
		i.Numbered = Fact{At: now, By: actor}
		p.numbered(i.Number)
		if err := p.save(ctx, tx); err != nil {
			return err
		}
		return ps.note(ctx, tx, p, EventNumbered, now, actor, i.Signed.Digest, map[string]string{"number": i.Number.String()})
	})
}

// apply signs the PDF in blob as ask says and stores the outcome.
func (ps *Press) apply(ctx context.Context, blob Blob, name string, ask func(signer.Input) (signer.Request, error)) (Blob, *signer.Result, error) {
	r, err := ps.Blobs.Open(ctx, blob.Digest)
	if err != nil {
		return Blob{}, nil, err
	}
	defer func() { _ = r.Close() }()
	in := signer.Input{Reader: r, Size: r.Size(), Name: name}
	req, err := ask(in)
	if err != nil {
		return Blob{}, nil, err
	}
	req.Level = ades.BLT
	var res *signer.Result
	out, err := spool(ctx, ps.Blobs, func(w io.Writer) (err error) {
		res, err = ps.Signer.Sign(ctx, in, w, req)
		return err
	})
	return out, res, err
}

func (ps *Press) validate(ctx context.Context, blob Blob, name string) (*validation.Report, error) {
	r, err := ps.Blobs.Open(ctx, blob.Digest)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return ps.Validator.Validate(ctx, validation.Input{Reader: r, Size: r.Size(), Name: name}, ps.Now())
}

// refused leaves in the evidence that signing was refused for a reason that lies
// in the document, the certificate or the rules, and returns cause.
func (ps *Press) refused(ctx context.Context, actor Actor, p paper, cause error) error {
	code := text.CodeOf(cause)
	if code == text.Internal || code.Exit() == 10 || ctx.Err() != nil {
		return cause // nothing was decided
	}
	now := ps.Now().UTC()
	err := ps.Store.Update(ctx, func(tx Tx) error {
		return ps.note(ctx, tx, p, EventSigningRefused, now, actor, "", map[string]string{"code": string(code)})
	})
	if err != nil {
		return errors.Join(cause, err)
	}
	return cause
}

func (ps *Press) note(ctx context.Context, tx Tx, p paper, kind EventKind, at time.Time, by Actor, d Digest, data map[string]string) error {
	info := p.about()
	_, err := tx.AppendEvent(ctx, Event{Agency: info.agency, At: at, Kind: kind, Subject: info.id, By: by, Digest: d, Data: data})
	return err
}

func signingData(r *signer.Result) map[string]string {
	data := map[string]string{"field": r.Field, "level": r.Level, "signer": r.Signer, "signed_at": r.SignedAt.UTC().Format(time.RFC3339),
		"time_source": r.TimeSource}
	for i, w := range r.Warnings {
		data["warning"+strconv.Itoa(i+1)] = string(w)
	}
	return data
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
