package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// once runs the main job by itself, prints each step and leaves the files that the
// contract lists. Every step is checked; the first that does not hold ends the run.
func (d *demo) once(ctx context.Context, e *env, pdf string) error {
	steps := []struct {
		name text.Key
		run  step
	}{
		{"once.result", d.stepResult()},
		{"once.document", d.stepDocument(pdf)},
		{"once.send", d.stepSend()},
		{"once.accept", d.stepAccept()},
		{"once.files", d.stepFiles()},
		{"once.tampered", d.stepTampered()},
		{"once.wire", d.stepWire()},
		{"once.revoked", d.stepRevoked()},
		{"once.twice", d.stepTwice()},
		{"once.timeline", d.stepTimeline()},
	}
	r := &onceRun{}
	for i, s := range steps {
		r.said = nil
		if err := s.run(ctx, r); err != nil {
			e.say("once.failed", i+1, text.Get(s.name).In(e.lang))
			return err
		}
		e.say("once.step", i+1, len(steps), text.Get(s.name).In(e.lang))
		for _, m := range r.said {
			if !e.quiet {
				fmt.Fprintf(e.err, "     %s\n", m.In(e.lang))
			}
		}
	}
	e.say("once.done", d.dir)
	return nil
}

// onceRun is what the steps hand to each other.
type onceRun struct {
	result   exchange.Result
	document exchange.Document
	delivery exchange.Delivery
	item     exchange.ItemView
	said     []text.Message
}

func (r *onceRun) say(k text.Key, args ...any) { r.said = append(r.said, text.Get(k, args...)) }

// step is one step of the run.
type step = func(context.Context, *onceRun) error

// errStep says that a step did not do what it is there to show.
func errStep(format string, args ...any) error { return fmt.Errorf(format, args...) }

func (d *demo) stepResult() step {
	return func(ctx context.Context, r *onceRun) (err error) {
		if r.result, err = d.story.Result(ctx); err != nil {
			return err
		}
		if v := r.result.Issuance.Verdict; v != exchange.VerdictValid {
			return errStep("the issued result is %s", v)
		}
		r.say("once.result.said", r.result.Issuance.Number.String(), r.result.Issuance.Signer.Name, d.a.office.Agency.Name)
		return nil
	}
}

func (d *demo) stepDocument(pdf string) step {
	return func(ctx context.Context, r *onceRun) (err error) {
		if r.document, err = d.story.Document(ctx, pdf); err != nil {
			return err
		}
		if r.document, err = d.story.Sign(ctx, r.document.ID); err != nil {
			return err
		}
		r.say("once.document.said", r.document.Issuance.Number.String(), text.Get(text.Key("verdict."+string(r.document.Issuance.Verdict))).VI)
		return nil
	}
}

func (d *demo) stepSend() step {
	return func(ctx context.Context, r *onceRun) (err error) {
		if r.delivery, err = d.story.Send(ctx, r.document.ID); err != nil {
			return err
		}
		view, err := d.story.delivered(ctx, r.delivery)
		if err != nil {
			return err
		}
		if view.State != exchange.DeliveryDelivered || len(view.Receipt) == 0 {
			return errStep("the delivery ended as %s", view.State)
		}
		r.delivery = view.Delivery
		r.say("once.send.said", d.b.office.Agency.Name, string(r.delivery.TransferID))
		return nil
	}
}

func (d *demo) stepAccept() step {
	return func(ctx context.Context, r *onceRun) (err error) {
		if r.item, err = d.story.arrived(ctx, r.delivery); err != nil {
			return err
		}
		verdict := r.item.Verdict
		if verdict != r.document.Issuance.Verdict {
			return errStep("A calls the document %s, B calls it %s", r.document.Issuance.Verdict, verdict)
		}
		r.item, err = d.b.inbox.Accept(ctx, d.b.clerk, exchange.Decision{Item: r.item.ID, Assignee: "Phòng Văn hóa - Xã hội"})
		if err != nil {
			return err
		}
		for _, code := range []exchange.StatusCode{exchange.StatusArrived, exchange.StatusAccepted} {
			if _, err := d.story.told(ctx, r.delivery, code); err != nil {
				return err
			}
		}
		r.say("once.accept.said", text.Get(text.Key("verdict."+string(verdict))).VI, r.item.Arrival)
		return nil
	}
}

// stepFiles leaves the files of the main job.
func (d *demo) stepFiles() step {
	return func(ctx context.Context, r *onceRun) error {
		a, b := d.a, d.b
		open := []struct {
			path string
			get  func() (io.ReadCloser, error)
		}{
			{"a/ketqua.pdf", func() (io.ReadCloser, error) { return a.db.Open(ctx, r.result.Issuance.Final.Digest) }},
			{"a/vanban.pdf", func() (io.ReadCloser, error) { return a.db.Open(ctx, r.document.Issuance.Final.Digest) }},
			{"a/vanban.edxml", func() (io.ReadCloser, error) { return a.db.Open(ctx, r.delivery.Payload.Digest) }},
			{"b/vanban.edxml", func() (io.ReadCloser, error) { return b.inbox.OpenRaw(ctx, b.clerk, r.item.ID) }},
			{"b/vanban.pdf", func() (io.ReadCloser, error) {
				_, f, err := b.inbox.OpenAttachment(ctx, b.clerk, r.item.ID, 0)
				return f, err
			}},
			{"b/report.json", func() (io.ReadCloser, error) {
				report, err := b.inbox.Report(ctx, b.clerk, r.item.ID, 0)
				return io.NopCloser(bytes.NewReader(report)), err
			}},
			{"evidence/receipt.jws", func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.delivery.Receipt)), nil }},
		}
		for _, f := range open {
			if err := d.leave(f.path, f.get); err != nil {
				return err
			}
		}
		for _, pair := range [][2]string{{"a/vanban.pdf", "b/vanban.pdf"}, {"a/vanban.edxml", "b/vanban.edxml"}} {
			if err := d.same(pair[0], pair[1]); err != nil {
				return err
			}
		}
		r.say("once.files.said", filepath.Join(d.dir, "a", "ketqua.pdf"))
		return nil
	}
}

// leave writes one file of the contract's list.
func (d *demo) leave(name string, get func() (io.ReadCloser, error)) error {
	in, err := get()
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	defer in.Close()
	return writeFile(filepath.Join(d.dir, filepath.FromSlash(name)), true, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}

// same compares two of the files left.
func (d *demo) same(a, b string) error {
	x, err := os.ReadFile(filepath.Join(d.dir, filepath.FromSlash(a)))
	if err != nil {
		return err
	}
	y, err := os.ReadFile(filepath.Join(d.dir, filepath.FromSlash(b)))
	if err != nil {
		return err
	}
	if !bytes.Equal(x, y) {
		return errStep("%s and %s differ", a, b)
	}
	return nil
}

// stepTampered shows what happens to a document altered inside A.
func (d *demo) stepTampered() step {
	return func(ctx context.Context, r *onceRun) error {
		altered, err := d.story.Tamper(ctx, r.document.ID)
		if err != nil {
			return err
		}
		delivery, err := d.story.Send(ctx, altered.ID)
		if err != nil {
			return err
		}
		item, err := d.story.arrived(ctx, delivery)
		if err != nil {
			return err
		}
		if item.Verdict != exchange.VerdictInvalid {
			return errStep("the altered copy is %s", item.Verdict)
		}
		if _, err := d.b.inbox.Accept(ctx, d.b.clerk, exchange.Decision{Item: item.ID}); err == nil {
			return errStep("the altered copy could be accepted")
		}
		const reason = "Chữ ký không hợp lệ: nội dung đã bị sửa sau khi ký."
		if _, err := d.b.inbox.Refuse(ctx, d.b.clerk, exchange.Decision{Item: item.ID, Reason: reason}); err != nil {
			return err
		}
		view, err := d.story.told(ctx, delivery, exchange.StatusReturned)
		if err != nil {
			return err
		}
		if view.Business.Code != exchange.StatusReturned || view.Business.Reason != reason {
			return errStep("A shows %s %q instead of the reason", view.Business.Code, view.Business.Reason)
		}
		r.say("once.tampered.said", text.Get("verdict.invalid").VI, view.Business.Reason)
		return nil
	}
}

// stepWire shows that bytes spoiled on the line are refused, leave nothing behind,
// and arrive whole when sent again.
func (d *demo) stepWire() step {
	return func(ctx context.Context, r *onceRun) error {
		d.a.wire.spoil.Store(true)
		again, err := d.story.Document(ctx, "")
		if err != nil {
			return err
		}
		if again, err = d.story.Sign(ctx, again.ID); err != nil {
			return err
		}
		delivery, err := d.story.Send(ctx, again.ID)
		if err != nil {
			return err
		}
		refused := exchange.Note{}
		err = waitFor(ctx, 30*time.Second, "the spoiled attempt to be refused", func(ctx context.Context) (bool, error) {
			doc, err := d.a.outbox.Document(ctx, d.a.clerk, again.ID)
			for _, v := range doc.Deliveries {
				refused = v.Note
			}
			return refused.Code != "", err
		})
		if err != nil {
			return err
		}
		if refused.Code != text.DigestMismatch {
			return errStep("the spoiled attempt was answered with %s", refused.Code)
		}
		key := exchange.TransferKey{Recipient: d.b.office.Agency.Code, Sender: d.a.office.Agency.Code, ID: delivery.TransferID}
		if _, err := d.b.inbox.Known(ctx, key); text.CodeOf(err) != text.NotFound {
			return errStep("B keeps something of the spoiled transfer: %v", err)
		}
		if _, err := d.story.delivered(ctx, delivery); err != nil {
			return err
		}
		r.say("once.wire.said", refused.Message.VI)
		return nil
	}
}

// stepRevoked shows that a revoked certificate does not sign.
func (d *demo) stepRevoked() step {
	return func(ctx context.Context, r *onceRun) error {
		err := d.story.Revoked(ctx, r.document.ID)
		if text.CodeOf(err) != text.CertificateRevoked {
			return errStep("signing with a revoked certificate gave %w", errors.Join(errors.New("no refusal"), err))
		}
		r.say("once.revoked.said", text.As(err).Message().VI)
		return nil
	}
}

// stepTwice sends the very same transfer again, as after a lost answer.
func (d *demo) stepTwice() step {
	return func(ctx context.Context, r *onceRun) error {
		before, err := d.b.inbox.List(ctx, d.b.clerk, exchange.InboxFilter{})
		if err != nil {
			return err
		}
		receipt, err := d.a.client.Deliver(ctx, d.b.office.Agency, exchange.Envelope{
			TransferID: r.delivery.TransferID, From: r.delivery.Agency, To: r.delivery.To,
			Manifest: r.delivery.Manifest, Payload: r.delivery.Payload,
			Open: func(ctx context.Context) (io.ReadCloser, error) { return d.a.db.Open(ctx, r.delivery.Payload.Digest) },
		})
		if err != nil {
			return err
		}
		if !bytes.Equal(receipt, r.delivery.Receipt) {
			return errStep("the second receipt differs from the first")
		}
		after, err := d.b.inbox.List(ctx, d.b.clerk, exchange.InboxFilter{})
		if err != nil {
			return err
		}
		if len(after) != len(before) {
			return errStep("the repeat left %d items where there were %d", len(after), len(before))
		}
		r.say("once.twice.said", len(receipt))
		return nil
	}
}

// timelineEntry is one fact of evidence/timeline.json.
type timelineEntry struct {
	Side    string       `json:"side"`
	Message text.Message `json:"message"`
	exchange.Event
}

// stepTimeline writes every fact with its time, both sides, and checks that the
// evidence logs are unbroken.
func (d *demo) stepTimeline() step {
	return func(ctx context.Context, r *onceRun) error {
		var all []timelineEntry
		for _, s := range []struct {
			side string
			node *node
			id   exchange.ID
		}{{"a", d.a, r.result.ID}, {"a", d.a, r.document.ID}, {"b", d.b, r.item.ID}} {
			events, err := s.node.evidence.Timeline(ctx, s.node.clerk, s.id)
			if err != nil {
				return err
			}
			for _, ev := range events {
				all = append(all, timelineEntry{Side: s.side, Message: ev.Message(), Event: ev})
			}
		}
		for _, n := range []*node{d.a, d.b} {
			if _, _, err := n.evidence.Verify(ctx, n.office.Agency.Code); err != nil {
				return err
			}
		}
		r.say("once.timeline.said", len(all))
		return d.leave("evidence/timeline.json", func() (io.ReadCloser, error) {
			data, err := indentJSON(all)
			return io.NopCloser(bytes.NewReader(data)), err
		})
	}
}
