package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"antin/api"
	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/failpoint"
	"antin/internal/text"
	"antin/store"
)

// This file is an agency of the demo as a process of its own, which tells its
// supervisor what it does.

// side is one of the two agencies.
type side int

const (
	sender   side = 0
	receiver side = 1
)

func (s side) String() string { return [...]string{"A", "B"}[s] }

// savedAgency is what a process needs to be an agency: places and keys. Key is
// its own alone; of the other it knows address and certificate.
type savedAgency struct {
	Side         side
	Dir, PKI     string
	Addr         [2]string // where each listens
	Via          [2]string // where the other finds it, where that is not the same
	Database     string    // URL of PostgreSQL; empty: SQLite in Dir
	S3           *store.S3Options
	Certificates [2][]byte
	Key          []byte
	Since        time.Time
}

// open makes the agency's node from what is on disk, as the demo makes it anew.
func (s savedAgency) open(ctx context.Context, e *env) (*node, error) {
	pki, err := certstest.Load(s.PKI, certstest.Options{Now: e.now})
	if err != nil {
		return nil, err
	}
	client, err := fetch.New(fetch.Options{Now: e.now})
	if err != nil {
		return nil, err
	}
	setupA, setupB := demoAgencies(pki)
	var nodes [2]*node
	var directory exchange.AgencyList
	for i, setup := range []agencySetup{setupA, setupB} {
		if nodes[i], err = newNode(ctx, e, setup, pki.BaseURL()+"/q"); err != nil {
			return nil, err
		}
		nodes[i].close() // the port it opened for itself
		if err := s.identify(nodes[i], side(i)); err != nil {
			return nil, err
		}
		directory = append(directory, nodes[i].office.Agency)
	}
	n := nodes[s.Side]
	if n.listener, err = listen(ctx, s.Addr[s.Side]); err != nil {
		return nil, err
	}
	return n, s.openCore(ctx, e, n, directory, pki, client)
}

// openCore is node.open with the database and the place of blobs that s says.
func (s savedAgency) openCore(ctx context.Context, e *env, n *node, directory exchange.Directory, pki *certstest.PKI, client *fetch.Client) error {
	sign, err := sandboxSigner(e, pki, client)
	if err != nil {
		return err
	}
	judge, err := sandboxValidator(pki, client)
	if err != nil {
		return err
	}
	n.core, err = newCore(ctx, e.now, coreParts{
		dir: s.Dir, database: s.Database, s3: s.S3, office: n.office, identity: n.identity, directory: directory, sign: sign, judge: judge, scopes: api.ScopeNames(),
		line:    func(t exchange.Transport) exchange.Transport { n.wire = &wire{Transport: t}; return n.wire },
		onError: func(err error) { e.trouble(string(n.office.Agency.Code), err) },
	})
	if err != nil {
		return err
	}
	return n.staff(ctx, pki)
}

// identify gives n the saved identity of who.
func (s savedAgency) identify(n *node, who side) error {
	cert, err := x509.ParseCertificate(s.Certificates[who])
	if err != nil {
		return err
	}
	n.identity = peer.Identity{Certificate: s.Certificates[who]}
	n.office.Agency.Endpoint = "https://" + cmp.Or(s.Via[who], s.Addr[who])
	n.office.Agency.TLS = [][32]byte{n.identity.Fingerprint()}
	n.office.Agency.Keys = []exchange.GatewayKey{{Public: cert.PublicKey, NotBefore: s.Since}}
	if who != s.Side {
		return nil
	}
	key, err := x509.ParsePKCS8PrivateKey(s.Key)
	if err != nil {
		return err
	}
	n.identity.Key, _ = key.(crypto.Signer)
	n.office.GatewayKey = n.identity.Key
	return nil
}

// fact is something that an agency's process tells its supervisor: that it is
// about to do something, or that something is committed. A fact is told after its
// commit, never before.
type fact struct {
	Kind     string `json:"kind"`
	N        int    `json:"n,omitempty"` // of a submission
	Transfer string `json:"transfer,omitempty"`
	Receipt  string `json:"receipt,omitempty"` // digest
	Old      bool   `json:"old,omitempty"`     // found at start, not done now
	Error    string `json:"error,omitempty"`
}

// The kinds of fact.
const (
	factReady     = "ready"     // serves and works
	factSubmitted = "submitted" // Send has returned: acknowledged
	factFailed    = "failed"    // a submission was refused
	factSending   = "sending"   // an attempt begins
	factAnswered  = "answered"  // an attempt brought an answer, not stored yet
	factOffered   = "offered"   // a transfer arrives, nothing stored yet
	factCreated   = "created"   // a document, a delivery or a transfer's row is committed
	factReceived  = "received"  // a transfer and its receipt are committed
	factChecked   = "checked"   // an inbox item is read and checked
	factDelivered = "delivered" // a receipt is stored
	factMeasured  = "measured"  // the process has come to rest, or has not
)

// orderResume is the line that has a clerk resume what waits for a peer.
const orderResume = "resume"

// orderMeasure is the line that has a process say whether it holds no more than when it
// began.
const orderMeasure = "measure"

// agencyProcess is the child's main: an agency that tells facts on its standard
// output and sends document n when a line n comes in.
func agencyProcess() int {
	if err := beAgency(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func beAgency(ctx context.Context, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var s savedAgency
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	n, err := s.open(ctx, testEnv(os.Stderr))
	if err != nil {
		return err
	}
	n.worker.SweepEvery = 2 * time.Second // what a failing disk left is not waited for
	w := newWitness(n, os.Stdout)
	if err := w.remember(ctx); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- n.run(ctx) }()
	began := holds()
	w.tell(fact{Kind: factReady})
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if in.Text() == orderResume {
			if err := w.resume(ctx); err != nil {
				w.tell(fact{Kind: factFailed, Error: err.Error()})
			}
			continue
		}
		if in.Text() == orderMeasure {
			w.tell(fact{Kind: factMeasured, Error: began.regained()})
			continue
		}
		i, err := strconv.Atoi(in.Text())
		if err != nil {
			break
		}
		w.submit(ctx, i, filepath.Join(filepath.Dir(file), fmt.Sprintf("vanban-%d.pdf", i)))
	}
	stop() // nobody listens any more
	return <-ended
}

// held is what a process holds.
type held struct{ goroutines, files, heapMB int }

func holds() held {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd") // none where the system does not tell
	return held{runtime.NumGoroutine(), len(files), int(m.HeapAlloc >> 20)}
}

// regained waits until the process holds about what it did, and says what it holds more
// where it does not come to that. What works all the time is only about to begin at first
// (about 50 goroutines on PostgreSQL), and connections and readers are kept: that is slack.
func (h held) regained() string {
	var now held
	for range 300 {
		now = holds()
		if now.goroutines <= h.goroutines+100 && now.files <= h.files+64 && now.heapMB <= h.heapMB+32 {
			return ""
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Sprintf("held %+v at first, and %+v in the end", h, now)
}

func testEnv(err io.Writer) *env {
	return &env{streams: streams{out: io.Discard, err: err}, lang: text.VI, now: failpoint.Clock(time.Now)}
}

// witness watches a node from where its seams are and tells what it sees.
type witness struct {
	n   *node
	mu  sync.Mutex
	out io.Writer
}

func newWitness(n *node, out io.Writer) *witness {
	w := &witness{n: n, out: out}
	store := witnessedStore{n.db, w}
	n.press.Store, n.outbox.Store, n.inbox.Store, n.results.Store, n.worker.Store = store, store, store, store, store
	n.wire.Transport = witnessedTransport{n.wire.Transport, w}
	n.server.Receiver = witnessedReceiver{n.server.Receiver, w}
	return w
}

func (w *witness) tell(f fact) {
	line, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.out.Write(append(line, '\n'))
}

// submit creates and sends document i. Its keys make a repeat the same submission.
func (w *witness) submit(ctx context.Context, i int, file string) {
	d, err := w.submitted(ctx, i, file)
	if err != nil {
		w.tell(fact{Kind: factFailed, N: i, Error: err.Error()})
		return
	}
	w.tell(fact{Kind: factSubmitted, N: i, Transfer: string(d.TransferID)})
}

func (w *witness) submitted(ctx context.Context, i int, file string) (exchange.Delivery, error) {
	f, err := os.Open(file)
	if err != nil {
		return exchange.Delivery{}, err
	}
	defer f.Close()
	doc, err := w.n.outbox.Create(ctx, w.n.clerk, finished(i, f, fmt.Sprintf("create-%d", i)))
	if err != nil {
		return exchange.Delivery{}, err
	}
	ds, err := w.n.outbox.Send(ctx, w.n.clerk, exchange.SendRequest{Document: doc.ID, To: []exchange.AgencyCode{"H98.35"}, Key: fmt.Sprintf("send-%d", i)})
	if err != nil {
		return exchange.Delivery{}, err
	}
	if len(ds) != 1 {
		return exchange.Delivery{}, fmt.Errorf("%d deliveries", len(ds))
	}
	return ds[0], nil
}

// resume has the clerk send on at once what waits out a back-off.
func (w *witness) resume(ctx context.Context) error {
	all, err := everything(ctx, w.n)
	if err != nil {
		return err
	}
	for _, d := range all.deliveries {
		if d.State != exchange.DeliveryReady {
			continue
		}
		err := w.n.outbox.Resume(ctx, w.n.clerk, d.ID)
		if text.CodeOf(err) == text.StateConflict {
			continue // it has arrived meanwhile
		}
		return err
	}
	return nil
}

// finished is a PDF made elsewhere that a clerk sends on as number seq.
func finished(seq int, r io.Reader, key string) exchange.NewDocument {
	return exchange.NewDocument{
		Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "UBND-VP", Subject: fmt.Sprintf("Văn bản thử số %d", seq),
		PDF: r, FileName: fmt.Sprintf("van-ban-%d.pdf", seq), Confirmed: true, Key: key,
		Final: &exchange.Number{Seq: seq, Date: time.Date(2026, 11, 23, 0, 0, 0, 0, exchange.Vietnam)},
	}
}

// remember tells what was committed before this process began: what the one
// before it may not have lived to tell.
func (w *witness) remember(ctx context.Context) error {
	all, err := everything(ctx, w.n)
	for _, i := range all.items {
		if i.State != exchange.InboxReceived {
			w.tell(fact{Kind: factChecked, Transfer: string(i.TransferID), Old: true})
		}
	}
	for _, d := range all.deliveries {
		if d.State == exchange.DeliveryDelivered {
			w.tell(fact{Kind: factDelivered, Transfer: string(d.TransferID), Receipt: string(exchange.DigestOf(d.Receipt)), Old: true})
		}
	}
	return err
}

// witnessedStore tells of rows once their transaction has committed.
type witnessedStore struct {
	exchange.Store
	w *witness
}

func (s witnessedStore) Update(ctx context.Context, fn func(exchange.Tx) error) error {
	var facts []fact
	err := s.Store.Update(ctx, func(tx exchange.Tx) error {
		facts = nil
		return fn(witnessedTx{tx, &facts})
	})
	if err == nil {
		for _, f := range facts {
			s.w.tell(f)
		}
	}
	return err
}

type witnessedTx struct {
	exchange.Tx
	facts *[]fact
}

func (t witnessedTx) CreateDocument(ctx context.Context, d exchange.Document) error {
	*t.facts = append(*t.facts, fact{Kind: factCreated})
	return t.Tx.CreateDocument(ctx, d)
}

func (t witnessedTx) CreateDelivery(ctx context.Context, d exchange.Delivery) error {
	*t.facts = append(*t.facts, fact{Kind: factCreated, Transfer: string(d.TransferID)})
	return t.Tx.CreateDelivery(ctx, d)
}

func (t witnessedTx) SaveDelivery(ctx context.Context, d exchange.Delivery) error {
	if d.State == exchange.DeliveryDelivered {
		*t.facts = append(*t.facts, fact{Kind: factDelivered, Transfer: string(d.TransferID), Receipt: string(exchange.DigestOf(d.Receipt))})
	}
	return t.Tx.SaveDelivery(ctx, d)
}

func (t witnessedTx) CreateTransfer(ctx context.Context, x exchange.Transfer) error {
	*t.facts = append(*t.facts, fact{Kind: factReceived, Transfer: string(x.ID), Receipt: string(exchange.DigestOf(x.Receipt))})
	return t.Tx.CreateTransfer(ctx, x)
}

func (t witnessedTx) SaveInboxItem(ctx context.Context, i exchange.InboxItem) error {
	if i.State != exchange.InboxReceived {
		*t.facts = append(*t.facts, fact{Kind: factChecked, Transfer: string(i.TransferID)})
	}
	return t.Tx.SaveInboxItem(ctx, i)
}

type witnessedTransport struct {
	exchange.Transport
	w *witness
}

func (t witnessedTransport) Deliver(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	t.w.tell(fact{Kind: factSending, Transfer: string(e.TransferID)})
	receipt, err := t.Transport.Deliver(ctx, to, e)
	t.w.tell(fact{Kind: factAnswered, Transfer: string(e.TransferID)})
	return receipt, err
}

type witnessedReceiver struct {
	peer.Receiver
	w *witness
}

func (r witnessedReceiver) Receive(ctx context.Context, in exchange.Incoming) (exchange.Receipt, error) {
	r.w.tell(fact{Kind: factOffered})
	return r.Receiver.Receive(ctx, in)
}

// rows is what an agency holds of the exchange.
type rows struct {
	documents  []exchange.Document
	deliveries []exchange.Delivery
	items      []exchange.InboxItem
	transfers  []exchange.Transfer
}

func everything(ctx context.Context, n *node) (all rows, err error) {
	self := n.office.Agency.Code
	err = n.db.View(ctx, func(tx exchange.Tx) (err error) {
		all = rows{}
		if all.documents, err = tx.Documents(ctx, self, exchange.Page{Limit: 500}); err != nil {
			return err
		}
		if all.items, err = tx.InboxItems(ctx, self, exchange.InboxFilter{Page: exchange.Page{Limit: 500}}); err != nil {
			return err
		}
		var subjects []exchange.ID
		for _, d := range all.documents {
			subjects = append(subjects, d.ID)
		}
		for _, i := range all.items {
			subjects = append(subjects, i.ID)
			x, err := tx.Transfer(ctx, exchange.TransferKey{Recipient: self, Sender: i.From, ID: i.TransferID})
			if err != nil {
				return err
			}
			all.transfers = append(all.transfers, x)
		}
		for _, id := range subjects {
			ds, err := tx.DeliveriesOf(ctx, id)
			if err != nil {
				return err
			}
			all.deliveries = append(all.deliveries, ds...)
		}
		return nil
	})
	return all, err
}

// blobs are all bytes that the rows name.
func (r rows) blobs() (out []exchange.Blob) {
	for _, d := range r.documents {
		out = append(out, d.Blobs()...)
	}
	for _, d := range r.deliveries {
		out = append(out, d.Blobs()...)
	}
	for _, i := range r.items {
		out = append(out, i.Blobs()...)
	}
	for _, x := range r.transfers {
		out = append(out, x.Blobs()...)
	}
	return out
}
