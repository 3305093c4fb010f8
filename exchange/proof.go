package exchange

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"antin/internal/text"
)

// ProofVersion is the version of EvidenceProof's form.
const ProofVersion = 1

// maxProofPath bounds the nodes from a leaf to its root: that of a tree of 2^32 leaves.
const maxProofPath = 32

// EvidenceProof shows without any database that events were sealed: each with its way to the
// root of its seal.
type EvidenceProof struct {
	Version int         `json:"version"`
	Agency  AgencyCode  `json:"agency"`
	Subject ID          `json:"subject"`
	Seals   []SealedRun `json:"seals"`
	Open    int         `json:"unsealed"` // events of the subject that no seal covers yet
}

// SealedRun is a seal with the events under it that a proof is about.
type SealedRun struct {
	Seal   EvidenceSeal  `json:"seal"`
	Events []ProvenEvent `json:"events"`
}

// ProvenEvent is an event with the nodes beside its way to the root, from the leaf up
// (RFC 9162, 2.1.3).
type ProvenEvent struct {
	Event Event    `json:"event"`
	Path  []Digest `json:"path"`
}

// ErrProof is returned for a proof that proves nothing.
var ErrProof = errors.New("proof does not hold")

// merklePath returns the nodes that lead from leaf i to the root of leaves.
func merklePath(leaves [][]byte, i int) [][sha256.Size]byte {
	if len(leaves) <= 1 {
		return nil
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	if i < k {
		return append(merklePath(leaves[:k], i), merkle(leaves[k:]))
	}
	return append(merklePath(leaves[k:], i-k), merkle(leaves[:k]))
}

// rootFrom returns the root of n leaves that leaf i with its path leads to, as RFC 9162,
// 2.1.3.2 has it; ok is false when the path is not one of that tree.
func rootFrom(leaf []byte, i, n int64, path [][]byte) (root [sha256.Size]byte, ok bool) {
	if i < 0 || i >= n || len(path) > maxProofPath {
		return root, false
	}
	fn, sn := i, n-1
	r := sha256.Sum256(append([]byte{0}, leaf...))
	for _, p := range path {
		if sn == 0 || len(p) != sha256.Size {
			return root, false
		}
		if fn&1 == 1 || fn == sn {
			r = sha256.Sum256(bytes.Join([][]byte{{1}, p, r[:]}, nil))
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			r = sha256.Sum256(bytes.Join([][]byte{{1}, r[:], p}, nil))
		}
		fn, sn = fn>>1, sn>>1
	}
	return r, sn == 0
}

// Prove returns the proof of every event of agency about id, or of which id is the
// document. Errors: not-found when the log holds none; state-conflict when none is
// sealed yet.
func (a *Audit) Prove(ctx context.Context, agency AgencyCode, id ID) (p EvidenceProof, err error) {
	p = EvidenceProof{Version: ProofVersion, Agency: agency, Subject: id}
	var events []Event
	if err := a.Store.View(ctx, func(tx Tx) (err error) {
		events, err = tx.EventsOf(ctx, id)
		return err
	}); err != nil {
		return p, err
	}
	var leaves [][]byte
	for _, e := range events {
		if e.Agency != agency {
			continue
		}
		if n := len(p.Seals); n == 0 || e.Seq > p.Seals[n-1].Seal.Last {
			seal, found, err := a.sealOver(ctx, agency, e.Seq)
			if err != nil {
				return p, err
			}
			if !found {
				p.Open++
				continue
			}
			if leaves, err = hashesAfter(ctx, a.Store, agency, seal.First-1, int(seal.Last-seal.First+1), func(Event) bool { return true }); err != nil {
				return p, err
			}
			p.Seals = append(p.Seals, SealedRun{Seal: seal})
		}
		run := &p.Seals[len(p.Seals)-1]
		i := int(e.Seq - run.Seal.First)
		if i < 0 || i >= len(leaves) {
			return p, fmt.Errorf("event %d is not under its seal: %w", e.Seq, ErrProof)
		}
		proven := ProvenEvent{Event: e, Path: []Digest{}}
		for _, node := range merklePath(leaves, i) {
			proven.Path = append(proven.Path, Digest(hex.EncodeToString(node[:])))
		}
		run.Events = append(run.Events, proven)
	}
	switch {
	case len(p.Seals) == 0 && p.Open > 0:
		return p, text.Detailed(text.StateConflict, nil, "proof.unsealed")
	case len(p.Seals) == 0:
		return p, text.Errorf(text.NotFound, nil)
	}
	return p, nil
}

// sealOver returns the seal that covers event seq.
func (a *Audit) sealOver(ctx context.Context, agency AgencyCode, seq int64) (s EvidenceSeal, found bool, err error) {
	err = a.Store.View(ctx, func(tx Tx) error {
		list, err := tx.Seals(ctx, agency, seq-1, 1)
		if found = err == nil && len(list) == 1 && list[0].First <= seq; found {
			s = list[0]
		}
		return err
	})
	return s, found, err
}

// Check verifies everything that p itself can show: the hash of each event, and that it
// leads to the root of its seal. Whether a seal's time-stamp holds is asked of stamp,
// with the token and the digest that it must be over. Errors wrap ErrProof.
func (p EvidenceProof) Check(stamp func(token, imprint []byte) error) error {
	if p.Version != ProofVersion || len(p.Seals) == 0 {
		return fmt.Errorf("%w: version %d with %d seals", ErrProof, p.Version, len(p.Seals))
	}
	for _, run := range p.Seals {
		s := run.Seal
		if s.Agency != p.Agency || len(run.Events) == 0 {
			return fmt.Errorf("%w: seal of %s with %d events", ErrProof, s.Agency, len(run.Events))
		}
		imprint, err := hex.DecodeString(string(s.Statement()))
		if err != nil {
			return err
		}
		if err := stamp(s.Token, imprint); err != nil {
			return fmt.Errorf("%w: time-stamp over events %d to %d: %w", ErrProof, s.First, s.Last, err)
		}
		for _, e := range run.Events {
			if err := e.under(p, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// under checks one event against its seal.
func (v ProvenEvent) under(p EvidenceProof, s EvidenceSeal) error {
	e := v.Event
	if e.Hash != e.sum() || e.Agency != p.Agency || e.Subject != p.Subject && e.Parent != p.Subject {
		return fmt.Errorf("%w: event %d was changed, or is about something else", ErrProof, e.Seq)
	}
	leaf, err := hex.DecodeString(string(e.Hash))
	if err != nil {
		return fmt.Errorf("%w: event %d: %w", ErrProof, e.Seq, err)
	}
	path := make([][]byte, len(v.Path))
	for i, node := range v.Path {
		if path[i], err = hex.DecodeString(string(node)); err != nil {
			return fmt.Errorf("%w: event %d: %w", ErrProof, e.Seq, err)
		}
	}
	root, ok := rootFrom(leaf, e.Seq-s.First, s.Last-s.First+1, path)
	if !ok || hex.EncodeToString(root[:]) != string(s.Root) {
		return fmt.Errorf("%w: event %d does not lead to the root", ErrProof, e.Seq)
	}
	return nil
}
