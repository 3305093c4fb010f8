package exchange

import (
	"context"
	"io"
	"strings"
	"time"

	"antin/internal/text"
	"antin/signer/compose"
	"antin/signer/validation"
)

// NewDocument asks for an outgoing document. One of three: composed here from
// Body; a PDF made elsewhere, to be signed and sealed here; or, with Final set, a
// PDF signed and sealed elsewhere, only to be sent.
type NewDocument struct {
	Kind     DocumentKind
	Notation string
	Subject  string
	Security Security // empty means SecurityOrdinary
	Priority int
	DueDate  time.Time
	Places   []string

	// Body is plain text, a line per paragraph; used when PDF is nil.
	Body       string
	Addressees []string // after "Kính gửi"
	// Signatory is the actor id of the competent person who will sign; required with
	// Body, where the name is printed.
	Signatory string

	PDF      io.Reader
	FileName string // of PDF, as the user knows it
	// Final is the number and date that a finished PDF already bears.
	Final *Number
	// Confirmed says that a văn thư wants to send a finished PDF although our own
	// validation does not call it valid, as when it is sent on for examination. The
	// decision stays in the evidence.
	Confirmed bool

	Key string // idempotency key; may be empty
}

// Create makes an outgoing document. Errors: not-allowed, invalid-input,
// not-a-pdf, pdf-malformed, encryption-unsupported, password-required, too-large,
// glyph-missing, storage-full; signature-required for a finished PDF that is not
// valid, unless Confirmed; state-conflict when its number is taken.
func (o *Outbox) Create(ctx context.Context, actor Actor, req NewDocument) (Document, error) {
	if err := actor.may(RoleClerk, RoleLeader, RoleOfficer, RoleIntegrator); err != nil {
		return Document{}, err
	}
	return o.create(ctx, actor, req, replacing{})
}

// create is Create for a document that may replace another.
func (o *Outbox) create(ctx context.Context, actor Actor, req NewDocument, old replacing) (Document, error) {
	req.tidy()
	if err := req.check(actor); err != nil {
		return Document{}, err
	}
	d, err := o.draft(ctx, actor, req)
	if err != nil {
		return Document{}, err
	}
	d.Replaces, d.ReplaceReason = old.id, old.reason
	idem, err := newOnce(actor.Agency, req.Key, "document.create", old.id, old.reason, req.Kind, req.Notation, req.Subject, req.Security, req.Priority,
		req.DueDate, req.Places, req.Body, req.Addressees, req.Signatory, req.FileName, req.Final, uploadedDigest(d))
	if err != nil {
		return Document{}, err
	}
	id := d.ID
	err = o.Store.Update(ctx, func(tx Tx) error {
		made, ok, err := idem.done(ctx, tx)
		if ok || err != nil {
			id = made
			return err
		}
		id = d.ID
		if err := tx.CreateDocument(ctx, d); err != nil {
			return taken(err)
		}
		data := map[string]string{"verdict": string(d.Issuance.Verdict)}
		if d.Imported {
			data["number"] = d.Issuance.Number.String()
		}
		if _, err := tx.AppendEvent(ctx, Event{Agency: d.Agency, At: d.CreatedAt, Kind: EventDocumentCreated, Subject: d.ID, By: actor,
			Digest: d.Issuance.Newest().Digest, Data: data}); err != nil {
			return err
		}
		if err := old.link(ctx, tx, actor, d); err != nil {
			return err
		}
		return idem.keep(ctx, tx, d.ID, d.CreatedAt)
	})
	if err != nil {
		return Document{}, err
	}
	v, err := o.Document(ctx, actor, id)
	return v.Document, err
}

// uploadedDigest is part of what an idempotency key stands for; a composed PDF is
// not, since its bytes hold the time.
func uploadedDigest(d Document) Digest {
	if d.Issuance.Prepared {
		return ""
	}
	return d.Issuance.Draft.Digest
}

func taken(err error) error {
	if err == ErrExists { //nolint:errorlint // Create returns it bare
		return text.Detailed(text.StateConflict, err, "exchange.number-taken")
	}
	return err
}

// tidy puts what a person typed into the form in which it is kept.
func (r *NewDocument) tidy() {
	tidy(&r.Kind.Name, &r.Notation, &r.Subject, &r.Body, &r.FileName)
	r.Places, r.Addressees = tidied(r.Places), tidied(r.Addressees)
	if r.Final != nil {
		final := *r.Final
		tidy(&final.Notation)
		r.Final = &final
	}
}

// tidied returns list with each text tidied and the empty ones left out.
func tidied(list []string) []string {
	var out []string
	for _, s := range list {
		if tidy(&s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (r NewDocument) check(actor Actor) error {
	for _, err := range []error{
		checkText("subject", r.Subject, maxSubject, true), checkNotation(r.Notation), checkText("body", r.Body, maxBody, r.PDF == nil),
		checkText("kind", r.Kind.Name, maxSubject, true), checkText("file_name", r.FileName, maxSubject, false),
		checkList("places", r.Places), checkList("addressees", r.Addressees),
	} {
		if err != nil {
			return err
		}
	}
	switch {
	case r.Priority < 0 || r.Priority > maxPriority:
		return fieldError("priority")
	case r.PDF == nil && r.Signatory == "":
		return fieldError("signatory")
	case r.Final != nil && (r.PDF == nil || r.Final.Seq <= 0 || r.Final.Date.IsZero()):
		return fieldError("final")
	case r.Final != nil:
		if err := actor.may(RoleClerk, RoleIntegrator); err != nil {
			return err
		}
	}
	switch r.Security {
	case "", SecurityOrdinary, SecurityConfidential, SecuritySecret, SecurityTopSecret:
		return nil
	}
	return fieldError("security")
}

func (o *Outbox) draft(ctx context.Context, actor Actor, req NewDocument) (Document, error) {
	office, err := o.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return Document{}, err
	}
	now := o.Now().UTC()
	d := Document{ID: NewID(PrefixDocument, now), Agency: actor.Agency, CreatedAt: now, CreatedBy: actor, Kind: req.Kind,
		Notation: req.Notation, Subject: strings.TrimSpace(req.Subject), Security: req.Security, Priority: req.Priority,
		DueDate: req.DueDate, Places: req.Places}
	if d.Security == "" {
		d.Security = SecurityOrdinary
	}
	if req.Signatory != "" {
		s, err := office.Signatory(req.Signatory)
		if err != nil {
			return Document{}, err
		}
		d.Issuance.Signer = Signer{ActorID: s.ActorID, Name: s.Name, Position: s.Position, Competence: s.Competence}
	}
	if req.PDF == nil {
		return d, o.composeDraft(ctx, office, &d, req)
	}
	d.FileName = fileName(req.FileName, string(d.ID))
	if req.FileName == "" {
		d.FileName = fileName(d.Subject, string(d.ID))
	}
	if d.Issuance.Draft, err = upload(ctx, o.Blobs, req.PDF); err != nil {
		return Document{}, err
	}
	if req.Final != nil {
		return d, o.importFinal(ctx, &d, actor, req)
	}
	return d, nil
}

func (o *Outbox) composeDraft(ctx context.Context, office Office, d *Document, req NewDocument) error {
	s, err := office.Signatory(req.Signatory)
	if err != nil {
		return err
	}
	form := office.form(req.Kind, req.Notation, d.Subject, req.Body, req.Places, s, d.CreatedAt)
	form.Addressees = req.Addressees
	composed, err := compose.Document(form)
	if err != nil {
		return err
	}
	d.FileName = fileName(d.Subject, string(d.ID))
	d.Issuance.Prepared = true
	if d.Issuance.Draft, err = keepPDF(ctx, o.Blobs, composed); err != nil {
		return err
	}
	d.Source, err = keepSource(ctx, o.Blobs, draftSource{Body: req.Body, Addressees: req.Addressees})
	return err
}

// importFinal takes over a PDF that is finished: its number, and our verdict on it.
func (o *Outbox) importFinal(ctx context.Context, d *Document, actor Actor, req NewDocument) error {
	i := &d.Issuance
	report, err := o.Press.validate(ctx, i.Draft, d.FileName)
	if err != nil {
		return err
	}
	if report.Verdict != validation.Valid && report.Verdict != validation.ValidWithNotes && !req.Confirmed {
		return text.Detailed(text.SignatureRequired, nil, "exchange.final-not-valid", report.Headline)
	}
	day := dayIn(req.Final.Date)
	d.Imported = true
	i.Final, i.Verdict = i.Draft, Verdict(report.Verdict)
	i.Number = Number{Year: day.Year(), Seq: req.Final.Seq, Notation: req.Notation, Date: day.UTC()}
	i.Issued = Fact{At: d.CreatedAt, By: actor}
	d.DocumentID = documentID(d.Agency, i.Number)
	return nil
}

// Sign has the leader, who must be a competent person of the agency and the one
// named on the document if one is, approve and sign it. Signing again is a no-op.
// Errors: not-allowed, state-conflict, those of signer.Sign (certificate-revoked,
// docmdp-forbids, key-locked, tsa-unavailable, …).
func (o *Outbox) Sign(ctx context.Context, leader Actor, id ID) (Document, error) {
	if err := o.Press.sign(ctx, leader, &documentPaper{id: id, actor: leader}); err != nil {
		return Document{}, err
	}
	v, err := o.Document(ctx, leader, id)
	return v.Document, err
}

// Seal has the văn thư number, date and seal a signed document, which issues it. A
// repeat goes on where the last one stopped, and is a no-op after the end. Errors:
// signature-required unless the person's signature is valid, not-allowed, those of
// signer.Sign.
func (o *Outbox) Seal(ctx context.Context, clerk Actor, id ID) (Document, error) {
	if err := o.Press.seal(ctx, clerk, &documentPaper{id: id, actor: clerk}); err != nil {
		return Document{}, err
	}
	v, err := o.Document(ctx, clerk, id)
	return v.Document, err
}
