package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"antin/exchange"
)

const (
	// benchFiles is how many sealed PDFs the documents share. Making each takes a
	// tenth of a second, and only the number of rows matters to lists and searches.
	benchFiles = 40
	// benchBatch is how many rows are written in one transaction.
	benchBatch = 2000
	// benchOld bounds the documents that clerks choose from to open.
	benchOld = 2000
	// benchArrival bounds the wait for the other agency's document.
	benchArrival = time.Minute
)

// benchSubjects and benchPlaces make subjects that differ in words, as real ones do.
var (
	benchSubjects = []string{"đề nghị thẩm định dự toán", "báo cáo tình hình giải ngân", "tăng cường phòng chống thiên tai", "cử cán bộ tham gia tập huấn",
		"trả lời đơn kiến nghị của công dân", "kiểm tra an toàn thực phẩm", "rà soát thủ tục hành chính", "cấp phép xây dựng nhà ở", "bàn giao tài sản công",
		"tổ chức lễ khai giảng năm học mới", "thu hồi đất để làm đường", "tiêm phòng đàn gia súc"}
	benchPlaces = []string{"thôn Đông", "thôn Đoài", "xóm Chợ", "khu phố 3", "ấp Tân Tiến", "bản Nà Phặc", "tổ dân phố 7", "thôn Thượng", "làng Mía"}
)

func fingerprint(der []byte) [32]byte { return sha256.Sum256(der) }

// selfCommand is this very program with a verb.
func selfCommand(verb string) ([]string, error) {
	self, err := os.Executable()
	return []string{self, verb}, err
}

// deskMux is the clerks' origin: pages and API on one listener.
func deskMux(api, pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	for _, p := range apiPaths {
		mux.Handle(p, api)
	}
	mux.Handle("/", pages)
	return mux
}

// benchSubject is the subject of document i, and two words that find it.
func benchSubject(i int) (subject, query string) {
	about, where := benchSubjects[i%len(benchSubjects)], benchPlaces[(i/len(benchSubjects))%len(benchPlaces)]
	lot := strconv.Itoa(i / 500)
	return fmt.Sprintf("Về việc %s tại %s, đợt %s", about, where, lot), where + " " + lot
}

// filler writes the rows of the benchmark.
type filler struct {
	n    *node
	plan benchPlan
	now  time.Time
}

// fillBench fills n's data directory: some documents made as clerks make them, and
// as many copies of their rows as were asked for.
func fillBench(ctx context.Context, n *node, plan benchPlan) (ready benchReady, err error) {
	f := filler{n: n, plan: plan, now: time.Now()}
	if ready.Doors, err = n.doors(ctx, plan.Clerks); err != nil {
		return ready, err
	}
	sealed, err := f.sealed(ctx)
	if err != nil {
		return ready, err
	}
	if ready.Old, err = f.documents(ctx, sealed); err != nil {
		return ready, err
	}
	if ready.Signed, err = f.signed(ctx); err != nil {
		return ready, err
	}
	ready.Items, err = f.items(ctx)
	return ready, err
}

// draft has the leader sign a new document.
func (f filler) draft(ctx context.Context, i int) (exchange.Document, error) {
	subject, _ := benchSubject(i)
	d, err := f.n.outbox.Create(ctx, f.n.clerk, exchange.NewDocument{Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "UBND-VP",
		Subject: subject, Signatory: f.n.leader.ID, Addressees: []string{"UBND phường Mẫu Đơn"}, Places: []string{"Như trên", "Lưu: VT"},
		Body: fmt.Sprintf("Văn bản thử số %d.\nĐề nghị quý cơ quan phối hợp thực hiện và báo cáo kết quả trước ngày 30 hằng tháng.", i+1)})
	if err != nil {
		return d, err
	}
	return f.n.outbox.Sign(ctx, f.n.leader, d.ID)
}

// sealed makes the documents whose files the others share.
func (f filler) sealed(ctx context.Context) (all []exchange.Document, err error) {
	for i := range min(benchFiles, f.plan.Documents) {
		d, err := f.draft(ctx, i)
		if err != nil {
			return nil, err
		}
		if d, err = f.n.outbox.Seal(ctx, f.n.clerk, d.ID); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// inBatches calls write for 0 to n-1, many in one transaction.
func (f filler) inBatches(ctx context.Context, n int, write func(tx exchange.Tx, i int) error) error {
	for from := 0; from < n; from += benchBatch {
		err := f.n.db.Update(ctx, func(tx exchange.Tx) error {
			for i := from; i < min(from+benchBatch, n); i++ {
				if err := write(tx, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// documents writes the years before: issued, sent and delivered.
func (f filler) documents(ctx context.Context, sealed []exchange.Document) ([]benchFile, error) {
	n := f.plan.Documents - len(sealed)
	step := 3 * 365 * 24 * time.Hour / time.Duration(max(1, n))
	day := func(i int) time.Time { return f.now.AddDate(-4, 0, 0).Add(time.Duration(i) * step) }
	ids := newIDs(exchange.PrefixDocument, n, day)
	err := f.inBatches(ctx, n, func(tx exchange.Tx, i int) error {
		d := sealed[i%len(sealed)]
		at := day(i)
		d.ID, d.CreatedAt, d.Version = ids[i], at, 0
		d.Subject, _ = benchSubject(i)
		d.Receivers = "UBND phường Mẫu Đơn"
		d.Issuance.Number.Year, d.Issuance.Number.Seq, d.Issuance.Number.Date = at.Year(), i+1, at
		d.DocumentID = fmt.Sprintf("%s,%s,%d/UBND-VP", d.Agency, at.Format("2006/01/02"), i+1)
		d.Sent = exchange.Fact{At: at, By: f.n.clerk}
		if err := f.create(ctx, tx, d); err != nil {
			return err
		}
		if err := f.happened(ctx, tx, exchange.EventSent, d.ID, at); err != nil {
			return err
		}
		return tx.CreateDelivery(ctx, exchange.Delivery{ID: exchange.NewID(exchange.PrefixDelivery, at), Agency: d.Agency, To: "H98.35",
			Kind: exchange.KindDocument, Subject: d.ID, TransferID: exchange.NewTransferID(at), Payload: d.Issuance.Final, CreatedAt: at,
			ExpiresAt: at.AddDate(0, 0, 5), State: exchange.DeliveryDelivered, NextAt: at, EndedAt: at})
	})
	var old []benchFile
	for i := 0; i < n; i += max(1, n/benchOld) {
		old = append(old, benchFile{ID: ids[i], File: i % len(sealed)})
	}
	return old, err
}

// newIDs are n fresh ones; made before the transactions that use them, which may
// run more than once.
func newIDs(prefix string, n int, at func(int) time.Time) []exchange.ID {
	ids := make([]exchange.ID, n)
	for i := range ids {
		ids[i] = exchange.NewID(prefix, at(i))
	}
	return ids
}

// signed writes documents that wait for their number.
func (f filler) signed(ctx context.Context) (ids []exchange.ID, err error) {
	model, err := f.draft(ctx, 0)
	if err != nil {
		return nil, err
	}
	ids = newIDs(exchange.PrefixDocument, f.plan.Drafts, func(int) time.Time { return f.now })
	return ids, f.inBatches(ctx, f.plan.Drafts, func(tx exchange.Tx, i int) error {
		d := model
		d.ID, d.Version = ids[i], 0
		d.Subject, _ = benchSubject(f.plan.Documents + i)
		return f.create(ctx, tx, d)
	})
}

// create writes a document with the beginning of its timeline.
func (f filler) create(ctx context.Context, tx exchange.Tx, d exchange.Document) error {
	if err := tx.CreateDocument(ctx, d); err != nil {
		return err
	}
	return f.happened(ctx, tx, exchange.EventDocumentCreated, d.ID, d.CreatedAt)
}

func (f filler) happened(ctx context.Context, tx exchange.Tx, kind exchange.EventKind, id exchange.ID, at time.Time) error {
	_, err := tx.AppendEvent(ctx, exchange.Event{Agency: f.n.office.Agency.Code, At: at, Kind: kind, Subject: id, By: f.n.clerk})
	return err
}

// items writes received documents that wait for a decision: copies of the one that
// the other agency sends.
func (f filler) items(ctx context.Context) (ids []exchange.ID, err error) {
	var model exchange.InboxItem
	err = waitFor(ctx, benchArrival, "the other agency's document", func(ctx context.Context) (bool, error) {
		all, err := f.n.inbox.List(ctx, f.n.clerk, exchange.InboxFilter{State: exchange.InboxWaiting})
		if err != nil || len(all) == 0 {
			return false, err
		}
		model = all[0].InboxItem
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	ids = newIDs(exchange.PrefixInbox, f.plan.Items, func(int) time.Time { return f.now })
	return ids, f.inBatches(ctx, f.plan.Items, func(tx exchange.Tx, i int) error {
		item := model
		item.ID, item.TransferID, item.Version = ids[i], exchange.NewTransferID(f.now), 0
		item.Header.Subject, _ = benchSubject(i)
		item.Header.Number = strconv.Itoa(1000 + i)
		item.Header.DocumentID = fmt.Sprintf("H98.35,%s,%d/UBND-VP", f.now.Format("2006/01/02"), 1000+i)
		if err := tx.CreateInboxItem(ctx, item); err != nil {
			return err
		}
		return f.happened(ctx, tx, exchange.EventReceived, item.ID, item.ReceivedAt)
	})
}
