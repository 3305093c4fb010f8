package exchange

import (
	"context"
	"strings"
	"time"

	"antin/internal/text"
	"antin/signer/compose"
)

// Results issues dossier results. Its fields are set once, before use; its methods
// are safe for concurrent use.
type Results struct {
	Store   Store
	Blobs   Blobs
	Offices Offices
	Press   *Press
	Now     func() time.Time
}

// NewResult asks for a dossier result.
type NewResult struct {
	Form ResultForm
	// Signatory is the actor id of the competent person who will sign; the name is
	// printed, so nobody else can.
	Signatory string
	Key       string // idempotency key; may be empty
}

// Create composes a dossier result: a PDF with everything on it but the number,
// the date and the signatures, for which it has fields. Errors: not-allowed,
// invalid-input, glyph-missing, limit-exceeded, storage-full.
func (rs *Results) Create(ctx context.Context, actor Actor, req NewResult) (Result, error) {
	if err := actor.may(RoleOfficer, RoleClerk, RoleIntegrator); err != nil {
		return Result{}, err
	}
	return rs.create(ctx, actor, req, replacing{})
}

// create is Create for a result that may replace another.
func (rs *Results) create(ctx context.Context, actor Actor, req NewResult, old replacing) (Result, error) {
	f := &req.Form
	tidy(&f.Dossier, &f.Procedure, &f.ProcedureName, &f.Owner, &f.Kind.Name, &f.Notation, &f.Subject, &f.Body)
	f.Places = tidied(f.Places)
	if err := req.check(); err != nil {
		return Result{}, err
	}
	idem, err := newOnce(actor.Agency, req.Key, "result.create", old.id, old.reason, req.Form, req.Signatory)
	if err != nil {
		return Result{}, err
	}
	if id, ok, err := idem.seen(ctx, rs.Store); ok || err != nil {
		if err != nil {
			return Result{}, err
		}
		return rs.Result(ctx, actor, id)
	}
	r, err := rs.compose(ctx, actor, req)
	if err != nil {
		return Result{}, err
	}
	r.Replaces, r.ReplaceReason = old.id, old.reason
	id := r.ID
	err = rs.Store.Update(ctx, func(tx Tx) error {
		made, ok, err := idem.done(ctx, tx)
		if ok || err != nil {
			id = made
			return err
		}
		id = r.ID
		if err := tx.CreateResult(ctx, r); err != nil {
			return err
		}
		if err := old.linkResult(ctx, tx, actor, r); err != nil {
			return err
		}
		if _, err := tx.AppendEvent(ctx, Event{Agency: r.Agency, At: r.CreatedAt, Kind: EventResultCreated, Subject: r.ID, By: actor,
			Digest: r.Issuance.Draft.Digest, Data: map[string]string{"dossier": r.Form.Dossier}}); err != nil {
			return err
		}
		return idem.keep(ctx, tx, r.ID, r.CreatedAt)
	})
	if err != nil {
		return Result{}, err
	}
	return rs.Result(ctx, actor, id)
}

func (r NewResult) check() error {
	f := r.Form
	for _, err := range []error{
		checkText("subject", f.Subject, maxSubject, true), checkText("dossier", f.Dossier, maxNotation, true), checkNotation(f.Notation),
		checkText("body", f.Body, maxBody, true), checkText("owner", f.Owner, maxSubject, false),
		checkText("procedure", f.Procedure, maxSubject, false), checkText("procedure_name", f.ProcedureName, maxSubject, false),
		checkText("kind", f.Kind.Name, maxSubject, false), checkList("places", f.Places),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// maxBody bounds the plain text of a composed document, in characters: some 300
// pages; longer texts are made elsewhere and uploaded.
const maxBody = 400_000

func (rs *Results) compose(ctx context.Context, actor Actor, req NewResult) (Result, error) {
	office, err := rs.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return Result{}, err
	}
	person, err := office.Signatory(req.Signatory)
	if err != nil {
		return Result{}, err
	}
	now, f := rs.Now().UTC(), req.Form
	r := Result{ID: NewID(PrefixResult, now), Agency: actor.Agency, CreatedAt: now, CreatedBy: actor, Form: f, Token: newToken()}
	r.FileName = fileName(f.Dossier, string(r.ID))
	form := compose.ResultForm{
		DocumentForm: office.form(f.Kind, f.Notation, f.Subject, f.Body, f.Places, person, now),
		DossierCode:  f.Dossier, Procedure: strings.TrimSpace(f.Procedure + " " + f.ProcedureName), Owner: f.Owner,
		Received: f.Received, ValidUntil: f.ValidUntil,
	}
	if office.VerifyURL != "" {
		form.Verify = compose.Verify{URL: strings.TrimSuffix(office.VerifyURL, "/") + "/" + r.Token, Code: printedToken(r.Token)}
	}
	composed, err := compose.Result(form)
	if err != nil {
		return Result{}, err
	}
	draft, err := keepPDF(ctx, rs.Blobs, composed)
	if err != nil {
		return Result{}, err
	}
	r.Issuance = Issuance{Draft: draft, Prepared: true,
		Signer: Signer{ActorID: person.ActorID, Name: person.Name, Position: person.Position, Competence: person.Competence}}
	return r, nil
}

// Sign has the leader, who must be the person named on the result, approve and
// sign it. Signing again is a no-op. Errors: not-allowed, state-conflict, those of
// signer.Sign (certificate-revoked, key-locked, tsa-unavailable, …).
func (rs *Results) Sign(ctx context.Context, leader Actor, id ID) (Result, error) {
	p := &resultPaper{id: id, actor: leader}
	if err := rs.Press.sign(ctx, leader, p); err != nil {
		return Result{}, err
	}
	return rs.Result(ctx, leader, id)
}

// Seal has the văn thư number, date and seal a signed result, which issues it. A
// repeat goes on where the last one stopped, and is a no-op after the end. Errors:
// signature-required unless the person's signature is valid, not-allowed, those of
// signer.Sign.
func (rs *Results) Seal(ctx context.Context, clerk Actor, id ID) (Result, error) {
	p := &resultPaper{id: id, actor: clerk}
	if err := rs.Press.seal(ctx, clerk, p); err != nil {
		return Result{}, err
	}
	return rs.Result(ctx, clerk, id)
}

// Result returns one result of the actor's agency; not-found otherwise.
func (rs *Results) Result(ctx context.Context, actor Actor, id ID) (Result, error) {
	p := &resultPaper{id: id, actor: actor}
	err := rs.Store.View(ctx, func(tx Tx) error { return p.load(ctx, tx) })
	return p.result, err
}

// List returns results of the actor's agency, newest first.
func (rs *Results) List(ctx context.Context, actor Actor, f ResultFilter) (out []Result, err error) {
	err = rs.Store.View(ctx, func(tx Tx) (err error) {
		out, err = tx.ResultList(ctx, actor.Agency, f)
		return err
	})
	return out, err
}

// ByToken returns the issued result whose QR carries token, for the public page,
// which shows it masked; not-found for any other token. A token typed from paper, in
// groups or capitals, is understood.
func (rs *Results) ByToken(ctx context.Context, token string) (r Result, err error) {
	token = typedToken(token)
	err = rs.Store.View(ctx, func(tx Tx) (err error) {
		if r, err = tx.ResultByToken(ctx, token); err != nil || r.ReplacedBy == "" {
			return err
		}
		next, err := tx.Result(ctx, r.ReplacedBy)
		if !next.Issuance.Issued.Done() {
			r.ReplacedBy = "" // so far it stands
		}
		return err
	})
	if err == nil && !r.Issuance.Issued.Done() {
		return Result{}, text.Errorf(text.NotFound, nil)
	}
	return r, err
}

// Open returns the most advanced file of a result. The caller closes it.
func (rs *Results) Open(ctx context.Context, actor Actor, id ID) (Result, BlobReader, error) {
	r, err := rs.Result(ctx, actor, id)
	if err != nil {
		return Result{}, nil, err
	}
	f, err := rs.Blobs.Open(ctx, r.Issuance.Newest().Digest)
	return r, f, err
}
