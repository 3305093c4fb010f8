package signer

import (
	"context"
	"fmt"
	"time"

	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/pdf"
)

// addEvidence makes B-LT and B-LTA of B-T: certificates and revocation data of
// signer, TSA, CAs and those who vouch for them go into the document security
// store, as a revision of its own (EN 319 142-1, 5.4.2), which for B-LTA holds the
// document time-stamp over all of it too.
func (r *run) addEvidence(ctx context.Context) error {
	if !r.level().AtLeast(ades.BLT) {
		return nil
	}
	c, err := newCollector(r, r.file)
	if err != nil {
		return err
	}
	c.know(r.id.chain...)
	c.know(r.id.path...)
	// The signer's status counts from its time-stamp on, so it is asked anew; and a
	// certificate revoked since then is found out before anything is released.
	err = c.path(ctx, r.id.path, want{at: r.latest(), since: r.token.GenTime, signer: true})
	if err != nil {
		return err
	}
	if err := c.stamp(ctx, r.token); err != nil {
		return err
	}
	if err := c.contentStamps(ctx, r.prepared); err != nil {
		return err
	}
	if r.level() == ades.BLTA {
		return r.archive(ctx, c)
	}
	return r.addStore(c)
}

// current is the document as far as it is built: the original, the signed revision
// where this run made one, and the evidence added since.
func (r *run) current() (*pdf.File, error) {
	reader, size := join(r.in.Reader, r.in.Size, r.prepared.Update, r.evidence)
	file, err := pdf.Open(reader, size, pdf.Options{Password: r.in.Password, Known: r.file})
	if err != nil {
		return nil, fmt.Errorf("opening the new revision: %w", err)
	}
	return file, nil
}

// addStore appends a revision with what c collected and the document has not;
// nothing when there is nothing new. c starts anew.
func (r *run) addStore(c *collector) error {
	file, err := r.current()
	if err != nil {
		return err
	}
	built, err := pades.AddDSS(file, c.dss)
	if err != nil {
		return fmt.Errorf("adding the document security store: %w", err)
	}
	if built != nil {
		r.evidence = append(r.evidence, built.Data...)
	}
	c.dss = pades.DSS{}
	return nil
}

// latest is our clock, or the time-stamp's where that runs ahead of it.
func (r *run) latest() time.Time {
	now := r.Now()
	if r.token != nil && r.token.GenTime.After(now) {
		return r.token.GenTime
	}
	return now
}
