package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"antin/internal/text"
)

// The facts of a signed directory.
const (
	EventDirectoryAccepted EventKind = "directory.accepted"
	// EventDirectoryRefused: an older version than one that was accepted before, or other
	// bytes under the same number. An alarm: somebody takes a key's withdrawal back.
	EventDirectoryRefused EventKind = "directory.refused"
	EventDirectoryExpired EventKind = "directory.expired" // an alarm
)

// AcceptedDirectory is a signed directory that was verified.
type AcceptedDirectory struct {
	Serial    int64     `json:"serial"`
	SHA256    string    `json:"sha256"` // of the bytes that are signed
	Signer    string    `json:"signer"` // identifier of the key
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
	File      []byte    `json:"file"` // as it came
}

// DirectoryGuard remembers the newest signed directory of an agency, over restarts and
// whatever happens to the file. Its fields are set once, before use.
type DirectoryGuard struct {
	Store  Store
	Agency AgencyCode
	Now    func() time.Time
}

// Newest returns the newest directory that was accepted, the zero value when none was.
func (g *DirectoryGuard) Newest(ctx context.Context) (a AcceptedDirectory, err error) {
	err = g.Store.View(ctx, func(tx Tx) (err error) {
		a, err = newestDirectory(ctx, tx, g.Agency)
		return err
	})
	return a, err
}

func newestDirectory(ctx context.Context, tx Tx, agency AgencyCode) (a AcceptedDirectory, err error) {
	body, err := tx.Mark(ctx, agency, directoryMark)
	if err != nil || body == nil {
		return a, err
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return a, fmt.Errorf("reading accepted directory: %w", err)
	}
	return a, nil
}

// Accept takes in a directory that was verified, and notes it when it is new. One of a
// lower serial than the newest, or of its serial with other bytes, is refused with
// state-conflict and an alarm in the evidence.
func (g *DirectoryGuard) Accept(ctx context.Context, a AcceptedDirectory) error {
	newest, err := g.Newest(ctx)
	if err != nil || newest.Serial == a.Serial && newest.SHA256 == a.SHA256 {
		return err // nothing is written while nothing changes
	}
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	var refused error
	err = g.Store.Update(ctx, func(tx Tx) error {
		refused = nil
		newest, err := newestDirectory(ctx, tx, g.Agency)
		if err != nil || newest.Serial == a.Serial && newest.SHA256 == a.SHA256 {
			return err
		}
		kind := EventDirectoryAccepted
		if a.Serial <= newest.Serial {
			kind = EventDirectoryRefused
			refused = text.Detailed(text.StateConflict, nil, "directory.rollback", a.Serial, newest.Serial)
		} else if err := tx.SetMark(ctx, g.Agency, directoryMark, body); err != nil {
			return err
		}
		_, err = tx.AppendEvent(ctx, Event{Agency: g.Agency, At: g.Now().UTC(), Kind: kind, Subject: "directory", By: System(g.Agency),
			Digest: Digest(a.SHA256), Data: map[string]string{"serial": strconv.FormatInt(a.Serial, 10), "signer": a.Signer,
				"newest": strconv.FormatInt(newest.Serial, 10), "expires": a.ExpiresAt.UTC().Format(time.RFC3339)}})
		return err
	})
	if err != nil {
		return err
	}
	return refused
}
