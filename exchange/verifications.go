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
	// Paper and ETSI are the same report as PDF, signed by the gateway when it had a key,
	// and as XML by TS 119 102-2: written once, with what the judgement stood on at hand,
	// and never again. Zero for a report that was kept without them.
	Paper Blob `json:"paper"`
	ETSI  Blob `json:"etsi"`
	// Report is the object of `antin verify --json`.
	Report json.RawMessage `json:"-"`
}

// Blobs returns every blob that v keeps alive.
func (v Verification) Blobs() []Blob { return present(v.Stored, v.Paper, v.ETSI) }

// Verifications keeps reports on files that were checked on request. Its fields are
// set once, before use; its methods are safe for concurrent use.
type Verifications struct {
	Store Store
	Blobs Blobs
	// Offices names the agency on the paper and holds the gateway's key and certificate;
	// nil leaves papers without a name and unsigned.
	Offices Offices
	Now     func() time.Time
}

// Save keeps the report on a file of the given name and digest. Errors:
// not-allowed, invalid-input, too-large, storage-full.
func (v *Verifications) Save(ctx context.Context, actor Actor, report []byte, name string, digest Digest) (Verification, error) {
	return v.save(ctx, actor, report, name, digest, nil)
}

// save is Save with the other forms of the report, which write adds to the row.
func (v *Verifications) save(ctx context.Context, actor Actor, report []byte, name string, digest Digest,
	write func(*Verification) error,
) (Verification, error) {
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
	if write != nil {
		if err := write(&made); err != nil {
			return Verification{}, err
		}
	}
	err = v.Store.Update(ctx, func(tx Tx) error {
		if err := tx.CreateVerification(ctx, made); err != nil {
			return err
		}
		_, err := tx.AppendEvent(ctx, Event{Agency: made.Agency, At: now, Kind: EventVerified, Subject: made.ID, By: actor, Digest: digest,
			Data: map[string]string{"name": name, "report_sha256": string(blob.Digest)}})
		return err
	})
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
