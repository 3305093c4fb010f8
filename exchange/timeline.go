package exchange

import (
	"context"
	"errors"
	"fmt"
	"time"

	"antin/internal/text"
)

// Evidence reads the evidence log of an agency.
type Evidence struct {
	Store Store
	// Bell, where set, rings when the log of an agency has grown; nil when nobody tells.
	Bell *Bell
}

// Grown returns a channel that is closed when the log of the actor's agency grows
// next, as far as this process knows; nil, which never is, without a Bell.
func (e *Evidence) Grown(actor Actor) <-chan struct{} {
	if e.Bell == nil {
		return nil
	}
	return e.Bell.Next(actor.Agency)
}

// Timeline returns every fact about a document, result or inbox item of the
// actor's agency in the order they were recorded: its own, those of its
// deliveries, and what the other side reported. not-found for an object of
// another agency.
func (e *Evidence) Timeline(ctx context.Context, actor Actor, id ID) (out []Event, err error) {
	err = e.Store.View(ctx, func(tx Tx) error {
		out = nil
		events, err := tx.EventsOf(ctx, id)
		if err != nil {
			return err
		}
		for _, ev := range events {
			if ev.Agency == actor.Agency {
				out = append(out, ev)
			}
		}
		if len(out) == 0 {
			return text.Errorf(text.NotFound, nil)
		}
		return nil
	})
	return out, err
}

// maxFeed bounds one page of the feed.
const maxFeed = 500

// Feed returns at most limit events of the actor's agency behind seq after, in the
// order they were recorded; 0 means 100, more than 500 means 500. An event keeps its
// seq for good, so a reader that remembers the last one misses none.
func (e *Evidence) Feed(ctx context.Context, actor Actor, after int64, limit int) (out []Event, err error) {
	if actor.Agency == "" {
		return nil, text.Errorf(text.NotAllowed, nil)
	}
	if limit <= 0 {
		limit = defaultLines
	}
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		out, err = tx.EventsAfter(ctx, actor.Agency, max(after, 0), min(limit, maxFeed))
		return err
	})
	return out, err
}

// Newest returns when agency's last event was recorded, UTC; the zero time when it has none.
func (e *Evidence) Newest(ctx context.Context, agency AgencyCode) (at time.Time, err error) {
	err = e.Store.View(ctx, func(tx Tx) error {
		last, err := tx.LastEvent(ctx, agency)
		at = last.At
		return err
	})
	return at, err
}

// chainPage is how many events Verify holds at a time.
const chainPage = 1000

// Verify reads the whole chain of agency and returns its length and the hash of
// its last event. The error names the first event that is changed or missing.
func (e *Evidence) Verify(ctx context.Context, agency AgencyCode) (n int64, head Digest, err error) {
	var prev Event
	for {
		var page []Event
		if err := e.Store.View(ctx, func(tx Tx) (err error) {
			page, err = tx.EventsAfter(ctx, agency, prev.Seq, chainPage)
			return err
		}); err != nil {
			return prev.Seq, prev.Hash, err
		}
		for _, ev := range page {
			if !ev.Intact(prev) {
				return prev.Seq, prev.Hash, fmt.Errorf("evidence of %s is broken at event %d: %w", agency, prev.Seq+1, ErrChain)
			}
			prev = ev
		}
		if len(page) < chainPage {
			return prev.Seq, prev.Hash, nil
		}
	}
}

// ErrChain is returned by Verify for a log that was changed.
var ErrChain = errors.New("event changed or missing")

// Message is the fact in words, for timelines.
func (e Event) Message() text.Message {
	key := text.Key("event." + string(e.Kind))
	args := []any{}
	switch e.Kind {
	case EventNumbered:
		args = append(args, e.Data["number"])
	case EventDeliveryHeld, EventDeliveryQuarantined, EventLaneHeld:
		args = append(args, string(e.Peer), e.Data["reason"])
	case EventLaneReleased, EventNonDelivery, EventNonDeliveryVoided:
		args = append(args, string(e.Peer))
	case EventLaneGap:
		args = append(args, string(e.Peer), e.Data["from"], e.Data["to"])
	case EventVerified:
		args = append(args, e.Data["name"])
	case EventSettings:
		args = append(args, text.Get(text.Key("settings."+e.Data["what"])))
	case EventSent, EventDelivered, EventDeliveryRefused, EventDeliveryEnded, EventDeliveryResumed:
		if s := StatusCode(e.Data["status"]); s != "" {
			return text.Get(key+".status", string(s), string(e.Peer))
		}
		args = append(args, string(e.Peer))
	case EventReconcileDifference:
		args = append(args, string(e.Peer), e.Data["day"], e.Data["only_here"], e.Data["only_there"], e.Data["other"])
	case EventDirectoryAccepted, EventDirectoryExpired:
		args = append(args, e.Data["serial"])
	case EventRestored:
		args = append(args, e.Data["backup"])
	case EventQuarantineHeard:
		args = append(args, string(e.Peer), e.Data["returned"])
	case EventQuarantineOverridden:
		args = append(args, string(e.Peer), e.Data["reason"])
	case EventQuarantineEnded:
		args = append(args, e.Data["lost_numbers"])
	case EventDirectoryRefused:
		args = append(args, e.Data["serial"], e.Data["newest"])
	case EventReceived, EventTransferRefused, EventReplayConflict, EventTransferClosed, EventLaneHalted, EventUploadFailed, EventReinstated,
		EventPeerNonDelivery, EventPeerCorrection, EventPeerSkip:
		args = append(args, string(e.Peer))
	case EventStatusReceived, EventStatusUnknown:
		args = append(args, string(e.Peer), e.Data["status"], StatusCode(e.Data["status"]).Message())
	case EventHandling:
		args = append(args, StatusCode(e.Data["status"]).Message())
	case EventSigningAsked:
		key += text.Key("." + e.Data["kind"])
	case EventReturned, EventSigningReturned:
		args = append(args, e.Data["reason"])
	case EventAccepted:
		args = append(args, e.Data["arrival"])
	case EventValidated, EventIssued:
		args = append(args, text.Get(text.Key("verdict."+e.Data["verdict"])))
	case EventAccountCreated, EventAccountChanged:
		args = append(args, e.Data["login"], text.Get(text.Key("role."+e.Data["role"])))
	case EventAccountPassword, EventAccountOwnPassword, EventAccountCertificate, EventAccountDisabled, EventAccountEnabled,
		EventAccountLogin, EventAccountLocked:
		args = append(args, e.Data["login"])
	case EventKeyCreated, EventKeyRotated, EventKeyRevoked,
		EventWebhookCreated, EventWebhookRotated, EventWebhookDisabled, EventWebhookEnabled, EventWebhookRedelivered, EventWebhookParked:
		args = append(args, e.Data["name"])
	case EventDocumentCreated, EventResultCreated, EventApproved, EventSigned, EventSealed, EventSigningRefused,
		EventSendRefused, EventFolderFailing, EventDamaged, EventDuplicate, EventContradiction, EventDocumentEdited, EventDocumentDeleted, EventResultDeleted, EventReplacementMade:
	case EventReplaced, EventRecallRequested, EventRecallAnswered, EventDeliveryManual, EventDeliveredByHand, EventRecorded,
		EventRegisterStarted, EventNumberVoided, EventResultRevoked, EventResultReplaced:
		return e.flowMessage()
	}
	return text.Get(key, args...)
}
