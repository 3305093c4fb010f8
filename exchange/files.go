package exchange

import (
	"context"
	"errors"
	"io"
	"time"

	"antin/internal/text"
)

// Files keeps what an agency uploads before one of its documents names it. An
// agency reaches only what it uploaded itself, so that knowing a digest opens
// nothing. A file that no document names is given up after some two days. Its
// fields are set once, before use; its methods are safe for concurrent use.
type Files struct {
	Store Store
	Blobs Blobs
	Now   func() time.Time
}

// Upload stores what r gives until EOF for the actor's agency. The same bytes
// again are the same file. The caller bounds r. Errors: not-allowed, storage-full,
// or r's own, after which nothing is stored.
func (f *Files) Upload(ctx context.Context, actor Actor, r io.Reader) (Blob, error) {
	if err := actor.may(RoleClerk, RoleLeader, RoleOfficer, RoleIntegrator); err != nil {
		return Blob{}, err
	}
	blob, err := f.Blobs.Put(ctx, r)
	if err != nil {
		return Blob{}, err
	}
	// An upload is a request whose idempotency key is its content.
	err = f.Store.Update(ctx, func(tx Tx) error {
		err := tx.SaveAnswer(ctx, Answer{Agency: actor.Agency, Key: uploadKey(blob.Digest), Request: blob.Digest, At: f.Now().UTC()})
		if errors.Is(err, ErrExists) {
			return nil
		}
		return err
	})
	return blob, err
}

// Open returns a file that the actor's agency uploaded; not-found for any other,
// and for one that was given up. The caller closes it.
func (f *Files) Open(ctx context.Context, actor Actor, d Digest) (BlobReader, error) {
	if _, ok := ParseDigest(string(d)); !ok || actor.Agency == "" {
		return nil, text.Errorf(text.NotFound, nil)
	}
	err := f.Store.View(ctx, func(tx Tx) error {
		_, err := tx.Answer(ctx, actor.Agency, uploadKey(d))
		return err
	})
	if err != nil {
		return nil, err
	}
	return f.Blobs.Open(ctx, d)
}

func uploadKey(d Digest) string { return "upload:" + string(d) }
