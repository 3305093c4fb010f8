package exchange

import "context"

// AuditRows lists what an audit compares with the evidence log. Nothing else needs
// whole tables.
type AuditRows interface {
	// EvidenceAgencies returns every agency that has an evidence log, sorted.
	EvidenceAgencies(ctx context.Context) ([]AgencyCode, error)
	// DeliveriesAfter returns at most limit deliveries of agency behind the id after, in
	// the order of their ids.
	DeliveriesAfter(ctx context.Context, agency AgencyCode, after ID, limit int) ([]Delivery, error)
	// TransfersAfter returns at most limit transfers to recipient behind the given sender
	// and id, in that order.
	TransfersAfter(ctx context.Context, recipient, sender AgencyCode, after TransferID, limit int) ([]Transfer, error)
}
