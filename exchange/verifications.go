package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"antin/internal/text"
)

// Verification is a report on a file that someone had checked. The file itself is
// not kept.
type Verification struct {
	ID     ID         `json:"id"`
	Agency AgencyCode `json:"agency"`
	At     time.Time  `json:"at"`
	By     Actor      `json:"by"`
	Name   string     `json:"name"` // of the file, as its owner knows it
	Digest Digest     `json:"sha256"`
	Stored Blob       `json:"stored"` // the report's bytes
	// Report is the object of `antin verify --json`.
	Report json.RawMessage `json:"-"`
}

// Blobs returns every blob that v keeps alive.
func (v Verification) Blobs() []Blob { return present(v.Stored) }

// Verifications keeps reports on files that were checked on request. Its fields are
// set once, before use; its methods are safe for concurrent use.
type Verifications struct {
	Store Store
	Blobs Blobs
	Now   func() time.Time
}

// Save keeps the report on a file of the given name and digest. Errors:
// not-allowed, invalid-input, too-large, storage-full.
func (v *Verifications) Save(ctx context.Context, actor Actor, report []byte, name string, digest Digest) (Verification, error) {
	if err := actor.may(RoleClerk, RoleLeader, RoleOfficer, RoleOperator, RoleIntegrator); err != nil {
		return Verification{}, err
	}
	tidy(&name)
	if err := checkText("name", name, maxSubject, false); err != nil {
		return Verification{}, err
	}
	if len(report) > maxReport || !json.Valid(report) {
		return Verification{}, fieldError("report")
	}
	if _, ok := ParseDigest(string(digest)); !ok {
		return Verification{}, fieldError("sha256")
	}
	blob, err := v.Blobs.Put(ctx, bytes.NewReader(report))
	if err != nil {
		return Verification{}, err
	}
	now := v.Now().UTC()
	made := Verification{ID: NewID(PrefixVerification, now), Agency: actor.Agency, At: now, By: actor, Name: name, Digest: digest, Stored: blob, Report: report}
	err = v.Store.Update(ctx, func(tx Tx) error { return tx.CreateVerification(ctx, made) })
	return made, err
}

// Verification returns a verification of the actor's agency with its report;
// not-found otherwise. Who looks after the gateway reads only what they had checked
// themselves: the others' files are the agency's business.
func (v *Verifications) Verification(ctx context.Context, actor Actor, id ID) (out Verification, err error) {
	err = v.Store.View(ctx, func(tx Tx) error {
		if out, err = tx.Verification(ctx, id); err != nil {
			return err
		}
		if actor.Role == RoleOperator && out.By.ID != actor.ID {
			return text.Errorf(text.NotFound, nil)
		}
		return ownedBy(out.Agency, actor)
	})
	if err != nil {
		return Verification{}, err
	}
	out.Report, err = readBlob(ctx, v.Blobs, out.Stored.Digest, maxReport)
	return out, err
}
