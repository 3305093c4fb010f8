package exchange

import (
	"context"
	"encoding/hex"
	"errors"

	"antin/exchange/jws"
)

// What an audit finds of seals and signatures.
const (
	AuditSeal  AuditCode = "seal-differs"   // the events are not those that were sealed, or a seal is missing
	AuditStamp AuditCode = "stamp-invalid"  // the time-stamp of a seal does not hold
	AuditSign  AuditCode = "receipt-forged" // the signature of a stored receipt does not hold, or it is about another transfer
)

// sealCheck compares seals with the events as they are read.
type sealCheck struct {
	seals  []EvidenceSeal
	leaves [][]byte // of the seal at hand
}

// begin reads the seals and checks how they follow one another, and their time-stamps.
func (r *audit) begin(ctx context.Context) error {
	list, err := sealsOf(ctx, r.audits.Store, r.Agency)
	if err != nil {
		return err
	}
	var prev EvidenceSeal
	for _, s := range list {
		if s.First != prev.Last+1 || s.Last < s.First || prev.Last > 0 && s.Prev != prev.Statement() || prev.Last == 0 && s.Prev != "" {
			r.fault(s.First, AuditSeal, "")
		}
		if r.stamp(s); s.Token == nil {
			r.Unstamped++
		}
		prev = s
	}
	r.Seals, r.Sealed = len(list), prev.Last
	r.check.seals = list
	return nil
}

func (r *audit) stamp(s EvidenceSeal) {
	if s.Token == nil || r.audits.Stamp == nil {
		return
	}
	imprint, err := hex.DecodeString(string(s.Statement()))
	if err == nil {
		err = r.audits.Stamp(s.Token, imprint)
	}
	if err != nil {
		r.fault(s.First, AuditStamp, "")
	}
}

// sealed adds e to the seal at hand, and compares the root behind its last event.
func (r *audit) sealed(e Event) {
	c := &r.check
	if len(c.seals) == 0 || e.Seq < c.seals[0].First {
		return
	}
	leaf, err := hex.DecodeString(string(e.Hash))
	if err != nil {
		leaf = nil // the root will differ
	}
	c.leaves = append(c.leaves, leaf)
	if e.Seq < c.seals[0].Last {
		return
	}
	root := merkle(c.leaves)
	if hex.EncodeToString(root[:]) != string(c.seals[0].Root) {
		r.fault(c.seals[0].First, AuditSeal, "")
	}
	c.seals, c.leaves = c.seals[1:], nil
}

// unsealed reports seals over events that are no longer there.
func (r *audit) unsealed() {
	for _, s := range r.check.seals {
		r.fault(s.First, AuditSeal, "")
	}
}

// receipt verifies again what is stored as a receipt of agency for a transfer, under
// the keys that the directory lists for the time that it states.
func (r *audit) receipt(ctx context.Context, agency AgencyCode, manifest, receipt []byte, subject ID) error {
	if receipt == nil || r.audits.Directory == nil {
		return nil
	}
	signer, err := r.audits.Directory.Agency(ctx, agency)
	if err != nil {
		r.Unverified++ // no longer listed
		return ctx.Err()
	}
	said, err := jws.PeekReceipt(receipt)
	if err == nil {
		_, _, err = checkReceipt(receipt, manifest, signer, said.ReceivedAt)
	}
	switch {
	case err == nil:
		r.Receipts++
	case errors.Is(err, jws.ErrUnknown):
		r.Unverified++ // its key has left the directory
	default:
		r.fault(0, AuditSign, subject)
	}
	return nil
}
