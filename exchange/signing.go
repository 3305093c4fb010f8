package exchange

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
)

// PrefixSigning is the prefix of a Signing's ID.
const PrefixSigning = "ks_" // ký số

// SigningKind says whose signature a Signing waits for.
type SigningKind string

// The kinds of signing.
const (
	SigningPerson SigningKind = "person" // the competent person's
	SigningSeal   SigningKind = "seal"   // the agency's, applied by văn thư
)

// The facts of signing, beside those of Issuance.
const (
	EventSigningAsked    EventKind = "signing.asked"    // a signature or the seal was asked for
	EventSigningReturned EventKind = "signing.returned" // the competent person sent the draft back
)

// Signing is a PDF that was prepared for a signature up to the last step: the
// value, which a key elsewhere gives. It is completed at most once and expires.
type Signing struct {
	ID      ID          `json:"id"`
	Agency  AgencyCode  `json:"agency"`
	Version int         `json:"-"` // grows with each save; the store's column is the truth
	Subject ID          `json:"subject"`
	Kind    SigningKind `json:"kind"`
	By      Actor       `json:"by"` // who prepared it, and alone may complete it
	Base    Digest      `json:"base"`
	// Key is the KeyProvider's id of the key that is to sign; empty when the key lives
	// where no KeyProvider reaches, as in a person's token.
	Key string `json:"key,omitempty"`
	// Prepared is what will follow the base, its gap still empty. Of a signing that is
	// done only the description remains, not the bytes.
	Prepared signer.Prepared `json:"prepared"`
	// Shown is the SHA-256 of the ByteRange: of everything that the signature covers
	// and the preview shows.
	Shown     Digest    `json:"shown"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Done      Fact      `json:"done,omitzero"`
}

// reuseLeft is how long a prepared signing must still live to be given out again
// when the same person asks for the same: enough to read and sign.
const reuseLeft = 10 * time.Minute

type sessionKey struct{}

// WithSession returns a context that names the login session in which an act is
// done, for the log of the key helper. It is a name, never the session's secret.
func WithSession(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, sessionKey{}, name)
}

func sessionName(ctx context.Context) string {
	s, _ := ctx.Value(sessionKey{}).(string)
	return s
}

// newPaper returns what id names as the press works on it, not loaded yet;
// not-found when it is neither a document nor a result.
func newPaper(id ID, actor Actor) (paper, error) {
	switch {
	case id.Has(PrefixDocument):
		return &documentPaper{id: id, actor: actor}, nil
	case id.Has(PrefixResult):
		return &resultPaper{id: id, actor: actor}, nil
	}
	return nil, text.Errorf(text.NotFound, nil)
}

// desk is one act at the press: who acts for which office on what.
type desk struct {
	actor  Actor
	office Office
	paper
}

// take begins an act of actor, in one of roles, on what id names.
func (ps *Press) take(ctx context.Context, actor Actor, id ID, roles ...Role) (*desk, error) {
	if err := actor.may(roles...); err != nil {
		return nil, err
	}
	p, err := newPaper(id, actor)
	if err != nil {
		return nil, err
	}
	return ps.takePaper(ctx, actor, p)
}

func (ps *Press) takePaper(ctx context.Context, actor Actor, p paper) (*desk, error) {
	office, err := ps.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return nil, err
	}
	if err := ps.Store.View(ctx, func(tx Tx) error { return p.load(ctx, tx) }); err != nil {
		return nil, err
	}
	return &desk{actor: actor, office: office, paper: p}, nil
}

// Prepare stops one step before the signature. SigningPerson: a lãnh đạo's, by the
// certificate bound to the account, which chain begins with. SigningSeal: the
// agency's, by văn thư, on a numbered document that the competent person signed; an
// empty chain means the agency's key behind the KeyProvider, another one begins with
// a seal certificate of the agency. The same person asking again for the same gets
// the same signing; anything else ends the earlier one. Errors: not-allowed,
// not-found, certificate-mismatch, signature-required, state-conflict (signed, or
// without a number), and those of signer.Prepare.
func (ps *Press) Prepare(ctx context.Context, actor Actor, id ID, kind SigningKind, chain []*certs.Certificate) (Signing, error) {
	switch kind {
	case SigningPerson:
		d, err := ps.take(ctx, actor, id, RoleLeader)
		if err != nil {
			return Signing{}, err
		}
		return ps.preparePerson(ctx, d, chain, true)
	case SigningSeal:
		d, err := ps.take(ctx, actor, id, RoleClerk)
		if err != nil {
			return Signing{}, err
		}
		return ps.prepareSeal(ctx, d, chain, true)
	}
	return Signing{}, fieldError("kind")
}

// prepare makes the signing of base and, with keep, stores it in place of any
// other that waits.
func (ps *Press) prepare(ctx context.Context, d *desk, kind SigningKind, base Blob, keep bool, ask func(signer.Input) (signer.Request, error)) (Signing, error) {
	info := d.about()
	r, err := ps.Blobs.Open(ctx, base.Digest)
	if err != nil {
		return Signing{}, err
	}
	defer func() { _ = r.Close() }()
	in := signer.Input{Reader: r, Size: r.Size(), Name: info.fileName}
	req, err := ask(in)
	if err != nil {
		return Signing{}, err
	}
	req.Level = signingLevel
	if keep {
		if s, ok, err := ps.waiting(ctx, d, kind, base, req); ok || err != nil {
			return s, err
		}
	}
	prepared, err := ps.Signer.Prepare(ctx, in, req)
	if err != nil {
		return Signing{}, ps.refused(ctx, d.actor, d, err)
	}
	now := ps.Now().UTC()
	s := Signing{ID: NewID(PrefixSigning, now), Agency: info.agency, Subject: info.id, Kind: kind, By: d.actor, Base: base.Digest, Key: req.Key,
		Prepared: *prepared, Shown: Digest(hex.EncodeToString(prepared.DocumentDigest)), CreatedAt: now, ExpiresAt: prepared.Expires}
	if !keep {
		return s, nil
	}
	return s, ps.Store.Update(ctx, func(tx Tx) error {
		if err := d.load(ctx, tx); err != nil {
			return err
		}
		if s.baseOf(d.issuance()).Digest != s.Base {
			return text.Errorf(text.DocumentChanged, nil)
		}
		if err := tx.DropSignings(ctx, s.Subject, kind); err != nil {
			return err
		}
		return tx.CreateSigning(ctx, s)
	})
}

// waiting returns the signing that d's actor prepared before for the same base and
// certificate and that still lives long enough.
func (ps *Press) waiting(ctx context.Context, d *desk, kind SigningKind, base Blob, req signer.Request) (s Signing, ok bool, err error) {
	err = ps.Store.View(ctx, func(tx Tx) (err error) {
		s, err = tx.OpenSigning(ctx, d.about().id, kind)
		return err
	})
	if errors.Is(err, &text.Error{Code: text.NotFound}) {
		return Signing{}, false, nil
	}
	if err != nil {
		return Signing{}, false, err
	}
	same := s.Base == base.Digest && s.By == d.actor && s.Key == req.Key && s.ExpiresAt.Sub(ps.Now()) >= reuseLeft
	if same && len(req.Certificates) > 0 {
		same = len(s.Prepared.Certificates) > 0 && bytes.Equal(s.Prepared.Certificates[0], req.Certificates[0].Raw)
	}
	return s, same, nil
}

// baseOf is the file that s is to follow, as i has it now.
func (s Signing) baseOf(i *Issuance) Blob {
	if s.Kind == SigningSeal {
		return i.Signed
	}
	return i.Draft
}

// Complete finishes a signing that actor prepared with what the key gave: a raw
// value or a CMS. Completing what is done changes nothing. Errors: not-found,
// not-allowed (prepared by another), state-conflict (expired), document-changed
// (another file has taken the base's place), certificate-mismatch, and those of
// signer.Complete; after an error the signing may be tried again until it expires.
func (ps *Press) Complete(ctx context.Context, actor Actor, id ID, value signer.Completion) error {
	s, err := ps.signing(ctx, actor, id)
	if err != nil || s.Done.Done() {
		return err
	}
	role := RoleLeader
	if s.Kind == SigningSeal {
		role = RoleClerk
	}
	d, err := ps.take(ctx, actor, s.Subject, role)
	if err != nil {
		return err
	}
	if s.Kind == SigningSeal {
		return ps.finishSeal(ctx, d, s, value)
	}
	return ps.finishPerson(ctx, d, s, value)
}

// signing returns the signing id that actor prepared.
func (ps *Press) signing(ctx context.Context, actor Actor, id ID) (s Signing, err error) {
	err = ps.Store.View(ctx, func(tx Tx) (err error) {
		s, err = tx.Signing(ctx, id)
		return err
	})
	if err != nil {
		return Signing{}, err
	}
	if err := ownedBy(s.Agency, actor); err != nil {
		return Signing{}, err
	}
	if s.By.ID != actor.ID || s.By.Role != actor.Role {
		return Signing{}, text.Detailed(text.NotAllowed, nil, "signing.by-other", s.By.Name)
	}
	return s, nil
}

// embed completes s with value and stores the outcome.
func (ps *Press) embed(ctx context.Context, d *desk, s Signing, value signer.Completion) (Blob, *signer.Result, error) {
	if s.baseOf(d.issuance()).Digest != s.Base {
		return Blob{}, nil, text.Errorf(text.DocumentChanged, nil)
	}
	r, err := ps.Blobs.Open(ctx, s.Base)
	if err != nil {
		return Blob{}, nil, err
	}
	defer func() { _ = r.Close() }()
	var res *signer.Result
	out, err := spool(ctx, ps.Blobs, func(w io.Writer) (err error) {
		res, err = ps.Signer.Complete(ctx, signer.Input{Reader: r, Size: r.Size(), Name: d.about().fileName}, &s.Prepared, value, w)
		return err
	})
	if err != nil {
		return Blob{}, nil, ps.refused(ctx, d.actor, d, err)
	}
	return out, res, nil
}

// finished notes in tx that s is done. A signing that was never stored, since no
// step lay between its two halves, has version 0.
func (s Signing) finished(ctx context.Context, tx Tx, done Fact) error {
	stored, err := tx.Signing(ctx, s.ID)
	if errors.Is(err, &text.Error{Code: text.NotFound}) && s.Version == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if stored.Done.Done() {
		return text.Errorf(text.StateConflict, errors.New("signing is done already"))
	}
	stored.Done, stored.Prepared.Update, stored.Prepared.SignedAttributes = done, nil, nil
	return tx.SaveSigning(ctx, stored)
}

// Preview opens what a signing would sign: the base and the prepared update, the
// place of the signature's value still empty. It is for showing only, never to be
// handed out as a signed file. The caller closes it. Errors: not-found,
// not-allowed, state-conflict (done already).
func (ps *Press) Preview(ctx context.Context, actor Actor, id ID) (BlobReader, error) {
	s, err := ps.signing(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if s.Done.Done() {
		return nil, text.Errorf(text.StateConflict, nil)
	}
	base, err := ps.Blobs.Open(ctx, s.Base)
	if err != nil {
		return nil, err
	}
	return newPreview(base, s.Prepared.Update), nil
}

// preview reads a base and what follows it as one.
type preview struct {
	*io.SectionReader
	base BlobReader
	tail []byte
}

func newPreview(base BlobReader, tail []byte) *preview {
	p := &preview{base: base, tail: tail}
	p.SectionReader = io.NewSectionReader(joinedAt{p}, 0, base.Size()+int64(len(tail)))
	return p
}

// Close implements io.Closer.
func (p *preview) Close() error { return p.base.Close() }

// joinedAt reads across the seam of a preview.
type joinedAt struct{ *preview }

// ReadAt implements io.ReaderAt.
func (j joinedAt) ReadAt(b []byte, off int64) (n int, err error) {
	size := j.base.Size()
	if off < size {
		n, err = j.base.ReadAt(b[:min(int64(len(b)), size-off)], off)
		if n == len(b) || err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
	}
	at := off + int64(n) - size
	if at < 0 || at >= int64(len(j.tail)) {
		return n, io.EOF
	}
	n += copy(b[n:], j.tail[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
