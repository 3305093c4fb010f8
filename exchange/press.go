package exchange

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/validation"
)

// Press makes PDFs official, in the order that NĐ 30/2020 sets: the competent
// person signs, văn thư numbers and dates, văn thư seals. Results and Outbox share
// it. Each verb takes the ID of a document or a result. Its fields are set once,
// before use; it is then safe for concurrent use.
type Press struct {
	Store     Store
	Blobs     Blobs
	Offices   Offices
	Signer    *signer.Signer
	Validator *validation.Validator
	Now       func() time.Time
}

// signingLevel is what every signature made here reaches.
const signingLevel = ades.BLT

// Sign has the leader, who must be a competent person of the agency and the one
// named on the paper if one is, approve and sign it with the key that the
// KeyProvider holds for that person. Signing again is a no-op. Errors: not-allowed,
// not-found, state-conflict, key-not-found when the person's key is not held here,
// those of signer.Sign.
func (ps *Press) Sign(ctx context.Context, leader Actor, id ID) error {
	p, err := newPaper(id, leader)
	if err != nil {
		return err
	}
	return ps.sign(ctx, leader, p)
}

func (ps *Press) sign(ctx context.Context, leader Actor, p paper) error {
	if err := leader.may(RoleLeader); err != nil {
		return err
	}
	d, err := ps.takePaper(ctx, leader, p)
	if err != nil {
		return err
	}
	person, err := d.office.Signatory(leader.ID)
	if err != nil {
		return err
	}
	if done, err := signedBy(d.issuance(), person); done || err != nil {
		return err
	}
	if person.Key == "" {
		return text.Detailed(text.KeyNotFound, nil, "signing.key-elsewhere")
	}
	s, err := ps.preparePerson(ctx, d, nil, false)
	if err != nil {
		return err
	}
	value, err := ps.useKey(ctx, d, s)
	if err != nil {
		return err
	}
	return ps.finishPerson(ctx, d, s, value)
}

// useKey has the key of s sign it, for d's actor.
func (ps *Press) useKey(ctx context.Context, d *desk, s Signing) (signer.Completion, error) {
	value, err := ps.Signer.SignPrepared(signer.WithPurpose(ctx, signer.Purpose{
		Subject: string(s.Subject), Document: string(s.Shown), Kind: string(s.Kind), Attributes: s.Prepared.SignedAttributes,
		Approver: signer.Approver{ID: d.actor.ID, Name: d.actor.Name, Role: string(d.actor.Role)}, Session: sessionName(ctx),
	}), s.Key, &s.Prepared)
	if err != nil {
		return signer.Completion{}, ps.refused(ctx, d.actor, d, err)
	}
	return value, nil
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

// checkPerson returns signature-required unless the competent person's signature
// on d passes now, by our own rules, and was made with the certificate that was
// that person's when it was made.
func (ps *Press) checkPerson(ctx context.Context, d *desk) error {
	i := d.issuance()
	if !i.Signing.Done() {
		return text.Detailed(text.SignatureRequired, nil, "exchange.unsigned")
	}
	report, err := ps.validate(ctx, i.Signed, d.about().fileName)
	if err != nil {
		return err
	}
	for _, s := range report.Signatures {
		if s.Field != i.Field || i.Signer.Certificate != "" && s.Signer.SHA256 != string(i.Signer.Certificate) {
			continue
		}
		if standing(report, s) {
			return nil
		}
	}
	return text.Detailed(text.SignatureRequired, errors.New("verdict "+string(report.Verdict)), "exchange.person-not-valid", i.Signer.Name)
}

// standing reports whether s counts as valid, with or without notes: the file's
// verdict may still be inconclusive because of another signature.
func standing(r *validation.Report, s validation.Signature) bool {
	return s.Indication == ades.TotalPassed && s.Integrity == validation.IntegrityOK &&
		s.Modifications != validation.ModificationForbidden && r.Verdict != validation.Invalid
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

// signingData says how a signature was made: what was shown, whose certificate and
// which key, and what the signer reports.
func signingData(s Signing, r *signer.Result) map[string]string {
	data := map[string]string{"field": r.Field, "level": r.Level, "signer": r.Signer, "signed_at": r.SignedAt.UTC().Format(time.RFC3339),
		"time_source": r.TimeSource, "shown": string(s.Shown), "certificate": string(DigestOf(r.Certificate.Raw)), "key": s.Key}
	if s.Key == "" {
		data["key"] = keyElsewhere
	}
	for i, w := range r.Warnings {
		data["warning"+strconv.Itoa(i+1)] = string(w)
	}
	maps.DeleteFunc(data, func(_, v string) bool { return v == "" })
	return data
}

// keyElsewhere stands in the evidence for a key that this gateway never reaches.
const keyElsewhere = "elsewhere"
