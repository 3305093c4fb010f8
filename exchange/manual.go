package exchange

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"antin/internal/text"
	"antin/signer/compose"
)

// manual makes the delivery to a receiver that has no channel: a clerk hands it over.
func (p dispatch) manual(to AgencyCode) Delivery {
	return Delivery{ID: NewID(PrefixDelivery, p.now), Agency: p.from, To: to, Kind: p.kind, Subject: p.subject, TransferID: NewTransferID(p.now),
		Payload: p.payload, Priority: p.priority, CreatedAt: p.now, State: DeliveryManual, StatusCode: p.status}
}

// ExportKind names a part of the package for a receiver without a channel.
type ExportKind string

// The parts of the package.
const (
	ExportEdXML ExportKind = "edxml" // the message as it would have left
	ExportPDF   ExportKind = "pdf"   // the document alone
	ExportSlip  ExportKind = "slip"  // phiếu gửi: what was handed over, to be signed for
)

// Export is one part of the package. The caller closes Body.
type Export struct {
	Name      string // a file name that is safe anywhere
	MediaType string
	Body      BlobReader
}

// OpenExport returns a part of the package for a delivery outside the network, of
// the actor's agency. Errors: not-allowed, not-found, invalid-input, state-conflict
// when the receiver has a channel.
func (o *Outbox) OpenExport(ctx context.Context, actor Actor, id ID, kind ExportKind) (Export, error) {
	if err := actor.may(RoleClerk, RoleIntegrator); err != nil {
		return Export{}, err
	}
	var d Delivery
	var doc Document
	err := o.Store.View(ctx, func(tx Tx) (err error) {
		if d, err = byHand(ctx, tx, actor, id); err != nil {
			return err
		}
		doc, err = tx.Document(ctx, d.Subject)
		return err
	})
	if err != nil {
		return Export{}, err
	}
	base := strings.TrimSuffix(doc.FileName, ".pdf")
	switch kind {
	case ExportEdXML:
		r, err := o.Blobs.Open(ctx, d.Payload.Digest)
		return Export{Name: base + ".edxml", MediaType: messageType, Body: r}, err
	case ExportPDF:
		r, err := o.Blobs.Open(ctx, doc.Issuance.Final.Digest)
		return Export{Name: doc.FileName, MediaType: pdfType, Body: r}, err
	case ExportSlip:
		b, err := o.slip(ctx, doc, d, base)
		return Export{Name: "phieu-gui-" + string(d.To) + ".pdf", MediaType: pdfType, Body: memory{bytes.NewReader(b)}}, err
	}
	return Export{}, fieldError("kind")
}

// memory is a BlobReader over bytes.
type memory struct{ *bytes.Reader }

// Close implements io.Closer.
func (memory) Close() error { return nil }

// byHand loads a delivery outside the network, of the actor's agency.
func byHand(ctx context.Context, tx Tx, actor Actor, id ID) (Delivery, error) {
	d, err := tx.Delivery(ctx, id)
	if err != nil {
		return d, err
	}
	if err := ownedBy(d.Agency, actor); err != nil {
		return d, err
	}
	if d.State != DeliveryManual && d.State != DeliveryByHand {
		return d, text.Detailed(text.StateConflict, nil, "flow.has-channel", string(d.To))
	}
	return d, nil
}

// slip composes the page that goes with what is handed over.
func (o *Outbox) slip(ctx context.Context, doc Document, d Delivery, base string) ([]byte, error) {
	office, err := o.Offices.Office(ctx, doc.Agency)
	if err != nil {
		return nil, err
	}
	to, err := o.Directory.Agency(ctx, d.To)
	if err != nil {
		to = Agency{Code: d.To, Name: string(d.To)}
	}
	n, final := doc.Issuance.Number, doc.Issuance.Final
	day := n.Date.In(Vietnam).Format("02/01/2006")
	lines := []string{
		text.Get("flow.slip-to", to.Name, string(to.Code)).VI,
		text.Get("flow.slip-document", doc.Kind.Name, doc.Subject).VI,
		text.Get("flow.slip-file", doc.FileName, final.Size).VI, text.Get("flow.slip-digest", grouped(final.Digest)).VI,
		text.Get("flow.slip-message", base+".edxml", d.Payload.Size).VI, text.Get("flow.slip-digest", grouped(d.Payload.Digest)).VI,
		text.Get("flow.slip-receipt").VI,
	}
	b, err := compose.Document(compose.DocumentForm{
		ParentAgency: office.Agency.InCharge, Agency: office.Agency.Name, Place: office.Agency.Place, Type: text.Get("flow.slip-kind").VI,
		Notation: "PG", Subject: text.Get("flow.slip-subject", n.String(), day).VI, Body: compose.Text(strings.Join(lines, "\n")),
		Signer: compose.Signer{Position: text.Get("flow.slip-signer").VI, Name: text.Get("flow.slip-name").VI}, Receivers: []string{to.Name},
		SealDiameterMM: office.SealDiameterMM, Created: o.Now(),
	})
	if err != nil {
		return nil, fmt.Errorf("composing slip of %s: %w", d.ID, err)
	}
	return b, nil
}

// grouped is a digest as people compare it on paper: in groups of eight characters.
func grouped(d Digest) string {
	var groups []string
	for s := string(d); s != ""; {
		n := min(8, len(s))
		groups, s = append(groups, s[:n]), s[n:]
	}
	return strings.Join(groups, " ")
}

// maxClockAhead is how far in the future a time may lie that a person states: the
// difference between two clocks on two desks.
const maxClockAhead = 10 * time.Minute

// MarkDelivered notes that a delivery outside the network was handed over: how, in
// the clerk's words, and when. A repeat under the same key changes nothing. Errors:
// not-allowed, not-found, invalid-input, state-conflict when the receiver has a
// channel or it was handed over already.
func (o *Outbox) MarkDelivered(ctx context.Context, actor Actor, id ID, how string, at time.Time, key string) (Delivery, error) {
	if err := actor.may(RoleClerk, RoleIntegrator); err != nil {
		return Delivery{}, err
	}
	tidy(&how)
	if err := checkText("how", how, maxReason, true); err != nil {
		return Delivery{}, err
	}
	now := o.Now().UTC()
	if at.IsZero() {
		return Delivery{}, fieldError("at")
	}
	if at.After(now.Add(maxClockAhead)) {
		return Delivery{}, text.Detailed(text.InvalidInput, nil, "flow.future", "at")
	}
	idem, err := newOnce(actor.Agency, key, "delivery.handed", id, how, at)
	if err != nil {
		return Delivery{}, err
	}
	var d Delivery
	err = o.Store.Update(ctx, func(tx Tx) (err error) {
		if d, err = byHand(ctx, tx, actor, id); err != nil {
			return err
		}
		if _, ok, err := idem.done(ctx, tx); ok || err != nil {
			return err
		}
		moved, err := d.advance(SignalHanded, now)
		if err != nil {
			return err
		}
		if !moved {
			return text.Detailed(text.StateConflict, nil, "exchange.delivery-conflict", string(d.State), string(SignalHanded))
		}
		d.Handed = Handed{How: how, At: at.UTC(), By: actor}
		if err := tx.SaveDelivery(ctx, d); err != nil {
			return err
		}
		if _, err := tx.AppendEvent(ctx, Event{Agency: d.Agency, At: now, Kind: EventDeliveredByHand, Subject: d.ID, Parent: d.timeline(), By: actor,
			Peer: d.To, Digest: d.Payload.Digest, Data: map[string]string{"how": how, "at": at.UTC().Format(time.RFC3339)}}); err != nil {
			return err
		}
		return idem.keep(ctx, tx, id, now)
	})
	return d, err
}
