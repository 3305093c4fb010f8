package exchange

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	// maxSealed bounds the events under one seal, whose hashes are held while its root is
	// made: 3 MB. A busier day gets several.
	maxSealed = 100_000
	// maxSealPages is how many seals are read at a time: more than a year's.
	maxSealPages = 500
)

// Statement is what a seal's time-stamp is over: everything that the seal says.
func (s EvidenceSeal) Statement() Digest {
	return DigestOf([]byte(strings.Join([]string{"antin-seal-1", string(s.Agency), strconv.FormatInt(s.First, 10), strconv.FormatInt(s.Last, 10),
		string(s.Root), string(s.Prev)}, "\n")))
}

// Sealer seals every agency's evidence once a day: all events up to midnight, UTC, that
// no seal covers yet. Its fields are set once, before use.
type Sealer struct {
	Store Store
	// Stamp returns an RFC 3161 time-stamp over a SHA-256 digest; nil where no service is
	// configured, and seals have no proof of their time.
	Stamp func(ctx context.Context, imprint []byte) ([]byte, error)
	Now   func() time.Time
}

// Run seals what is due. An agency whose time-stamp cannot be had is left for the next
// time; nothing is sealed without.
func (s *Sealer) Run(ctx context.Context) error {
	var agencies []AgencyCode
	if err := s.Store.View(ctx, func(tx Tx) (err error) {
		agencies, err = tx.EvidenceAgencies(ctx)
		return err
	}); err != nil {
		return err
	}
	var errs []error
	for _, a := range agencies {
		for {
			more, err := s.seal(ctx, a)
			if err != nil {
				errs = append(errs, fmt.Errorf("sealing the evidence of %s: %w", a, err))
			}
			if err != nil || !more {
				break
			}
		}
	}
	return errors.Join(errs...)
}

// seal adds one seal of agency's evidence; more is true when there may be another.
func (s *Sealer) seal(ctx context.Context, agency AgencyCode) (more bool, err error) {
	until := s.Now().UTC().Truncate(24 * time.Hour)
	var prev EvidenceSeal
	if err := s.Store.View(ctx, func(tx Tx) (err error) {
		prev, err = tx.LastSeal(ctx, agency)
		return err
	}); err != nil {
		return false, err
	}
	leaves, err := hashesAfter(ctx, s.Store, agency, prev.Last, maxSealed, func(e Event) bool { return e.At.Before(until) })
	if err != nil || len(leaves) == 0 {
		return false, err
	}
	root := merkle(leaves)
	made := EvidenceSeal{Agency: agency, First: prev.Last + 1, Last: prev.Last + int64(len(leaves)), Root: Digest(hex.EncodeToString(root[:])),
		At: s.Now().UTC().Truncate(time.Second)}
	if prev.Last > 0 {
		made.Prev = prev.Statement()
	}
	if s.Stamp != nil {
		imprint, err := hex.DecodeString(string(made.Statement()))
		if err != nil {
			return false, err
		}
		if made.Token, err = s.Stamp(ctx, imprint); err != nil {
			return false, err
		}
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		last, err := tx.LastSeal(ctx, agency)
		if err != nil || last.Last != prev.Last {
			return err // another process was faster
		}
		return tx.AddSeal(ctx, made)
	})
	return len(leaves) == maxSealed, err
}

// hashesAfter returns the hashes of agency's events behind seq, in order, until one
// that while refuses, at most limit.
func hashesAfter(ctx context.Context, store Store, agency AgencyCode, seq int64, limit int, while func(e Event) bool) (leaves [][]byte, err error) {
	for {
		var page []Event
		if err := store.View(ctx, func(tx Tx) (err error) {
			page, err = tx.EventsAfter(ctx, agency, seq, min(auditPage, limit-len(leaves)))
			return err
		}); err != nil {
			return nil, err
		}
		for _, e := range page {
			if !while(e) {
				return leaves, nil
			}
			leaf, err := hex.DecodeString(string(e.Hash))
			if err != nil {
				return nil, fmt.Errorf("event %d: %w", e.Seq, err)
			}
			leaves, seq = append(leaves, leaf), e.Seq
		}
		if len(page) == 0 || len(leaves) == limit {
			return leaves, nil
		}
	}
}

// sealsOf returns every seal of agency in order.
func sealsOf(ctx context.Context, store Store, agency AgencyCode) (out []EvidenceSeal, err error) {
	for {
		var page []EvidenceSeal
		after := int64(0)
		if len(out) > 0 {
			after = out[len(out)-1].Last
		}
		if err := store.View(ctx, func(tx Tx) (err error) {
			page, err = tx.Seals(ctx, agency, after, maxSealPages)
			return err
		}); err != nil {
			return nil, err
		}
		if out = append(out, page...); len(page) < maxSealPages {
			return out, nil
		}
	}
}
