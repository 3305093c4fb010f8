package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/validation"
	"antin/store"
)

// core is one agency's parts put together: what `serve` runs one of and the demo
// two. Fields are set by newCore; tests replace some before run.
type core struct {
	office   exchange.Office
	identity peer.Identity
	db       *store.DB
	offices  exchange.Offices
	judge    *validation.Validator
	sign     *signer.Signer

	access        *exchange.Access
	press         *exchange.Press
	outbox        *exchange.Outbox
	inbox         *exchange.Inbox
	results       *exchange.Results
	files         *exchange.Files
	evidence      *exchange.Evidence
	registers     *exchange.Registers
	operations    *exchange.Operations
	verifications *exchange.Verifications
	webhooks      *exchange.Webhooks
	tracer        exchange.Tracer // nil when nobody is told of spans
	finder        *exchange.Finder
	worker        *exchange.Worker
	bell          *exchange.Bell // rings when evidence was written
	server        *peer.Server
	client        *peer.Client
	reconciler    *exchange.Reconciler
	puller        *exchange.Puller // nil where peers reach this gateway
	quarantine    *exchange.Quarantine
}

// coreParts is what differs between serve and the demo.
type coreParts struct {
	dir      string
	database string           // URL of PostgreSQL; empty: SQLite in dir
	s3       *store.S3Options // nil: files in dir
	blobKey  []byte           // encrypts files; nil: they lie as they are
	// holdAdmission leaves what came in as it is until a worker looks at the rows: the
	// measurement of the exchange itself.
	holdAdmission bool
	office        exchange.Office
	identity      peer.Identity
	// current and offices, where set, tell the identity, and the office with its key, of
	// the moment.
	current   func() peer.Identity
	offices   exchange.Offices
	directory exchange.Directory
	sign      *signer.Signer
	judge     *validation.Validator
	// line, where set, stands between the outbox and the peers.
	line       func(exchange.Transport) exchange.Transport
	sessions   Sessions
	expiry     ExpiryConfig
	maxPayload int64
	scopes     []string
	log        *slog.Logger
	onError    func(error)
	// hooks calls webhooks; nil calls none. onAlarm hears of those that were given up.
	hooks   exchange.WebhookCaller
	onAlarm func(exchange.Webhook, exchange.Handover)
}

// sharedSweep is how often a process looks for work that another one, which may have
// died, has left: its lanes are to move on within ten seconds.
const sharedSweep = 3 * time.Second

// quarantineEvery is how often a restored installation asks the peers that have not
// answered yet: nothing leaves until they have.
const quarantineEvery = time.Minute

// storeError gives the store's own errors the codes that people see.
func storeError(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case isInUse(err):
		return text.Detailed(text.DataInUse, err, "serve.data_dir", dir)
	}
	return err
}

// openStore opens the data directory of the configuration. Errors: data-in-use,
// database-newer, storage-full.
func openStore(ctx context.Context, e *env, cfg *Config) (*store.DB, error) {
	o, err := cfg.storeOptions(e)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, o)
	return db, storeError(cfg.DataDir, err)
}

// newCore opens the data directory and puts the parts together.
func newCore(ctx context.Context, now func() time.Time, p coreParts) (*core, error) {
	bell, waker := &exchange.Bell{}, &exchange.Waker{}
	awake, wake := waker.Takes, waker.Wake
	if p.holdAdmission {
		awake, wake = func(exchange.Job) bool { return true }, func(exchange.Job) {}
	}
	db, err := store.Open(ctx, store.Options{Dir: p.dir, Database: p.database, S3: p.s3, BlobKey: p.blobKey, Logger: p.log, Now: now, OnEvent: bell.Ring, Awake: awake, Wake: wake})
	if err != nil {
		return nil, storeError(p.dir, err)
	}
	c := &core{bell: bell, office: p.office, identity: p.identity, db: db, judge: p.judge, sign: p.sign}
	c.access = &exchange.Access{Store: db, Now: now, Idle: p.sessions.Idle, Absolute: p.sessions.Absolute, RefuseSandbox: !p.office.Sandbox, Scopes: p.scopes}
	var base exchange.Offices = exchange.OfficeList{p.office}
	if p.offices != nil {
		base = p.offices
	}
	c.offices = exchange.AccessOffices{Base: base, Access: c.access}
	c.client = &peer.Client{Identity: p.identity, Current: p.current, Now: now}
	var transport exchange.Transport = c.client
	if p.line != nil {
		transport = p.line(transport)
	}
	c.press = &exchange.Press{Store: db, Blobs: db, Offices: c.offices, Signer: p.sign, Validator: p.judge, Now: now}
	c.outbox = &exchange.Outbox{Store: db, Blobs: db, Directory: p.directory, Offices: c.offices, Transport: transport, Press: c.press, Now: now,
		Expiry: p.expiry.Normal, UrgentExpiry: p.expiry.Urgent}
	c.inbox = &exchange.Inbox{Store: db, Blobs: db, Directory: p.directory, Offices: c.offices, Outbox: c.outbox, Validator: p.judge, Now: now,
		MaxPayload: p.maxPayload}
	c.results = &exchange.Results{Store: db, Blobs: db, Offices: c.offices, Press: c.press, Now: now}
	c.files = &exchange.Files{Store: db, Blobs: db, Now: now}
	c.evidence = &exchange.Evidence{Store: db, Bell: bell}
	c.finder = &exchange.Finder{Store: db, Directory: p.directory, Now: now}
	c.registers = &exchange.Registers{Store: db, Offices: c.offices, Now: now}
	c.operations = &exchange.Operations{Store: db}
	c.verifications = &exchange.Verifications{Store: db, Blobs: db, Offices: c.offices, Now: now}
	c.worker = &exchange.Worker{Store: db, Blobs: db, Queue: db, Outbox: c.outbox, Inbox: c.inbox, Now: now, OnError: p.onError, Waker: waker}
	if db.Shared() {
		c.worker.SweepEvery, c.worker.Owner = sharedSweep, db.Owner()
	}
	c.webhooks = &exchange.Webhooks{Store: db, Now: now, Caller: p.hooks, Worker: c.worker, Agency: p.office.Agency.Code, Bell: bell, OnError: p.onError, OnAlarm: p.onAlarm}
	c.server = &peer.Server{Receiver: c.inbox, Directory: p.directory, Identity: p.identity, Current: p.current, Now: now, Known: c.inbox.Known,
		Limits: peer.Limits{Payload: p.maxPayload}, OnError: p.onError}
	c.wire(p, bell, now)
	if err := c.quarantine.Load(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return c, nil
}

// wire puts together what gateways tell one another beside transfers.
func (c *core) wire(p coreParts, bell *exchange.Bell, now func() time.Time) {
	ledger := &exchange.Ledger{Store: c.db, Offices: c.offices}
	c.server.Offices, c.server.Ledger = c.offices, ledger
	c.server.Held = &exchange.Held{Outbox: c.outbox, Bell: bell}
	c.server.Statements = &exchange.Statements{Store: c.db, Directory: p.directory, Offices: c.offices, Now: now}
	c.reconciler = &exchange.Reconciler{Ledger: ledger, Inbox: c.inbox, Remote: c.client, Directory: p.directory, Now: now, OnError: p.onError}
	c.worker.Errands = append(c.worker.Errands, exchange.Errand{Name: "giving up uploads", Every: time.Hour, Do: c.inbox.SweepUploads},
		exchange.Errand{Name: "comparing with peers", Every: time.Hour, Do: c.compare})
	if p.hooks != nil {
		c.worker.Errands = append(c.worker.Errands, exchange.Errand{Name: "webhooks", Every: webhooksAgain, Do: c.webhooks.Run})
	}
	c.quarantine = &exchange.Quarantine{Store: c.db, Offices: c.offices, Directory: p.directory, Reconciler: c.reconciler, Now: now, OnError: p.onError}
	c.outbox.Gate = c.quarantine.Gate
	c.worker.Errands = append(c.worker.Errands, exchange.Errand{Name: "asking peers after a restore", Every: quarantineEvery, Do: c.quarantine.Run})
	if c.office.Agency.Endpoint == "" { // nobody can come here
		c.puller = &exchange.Puller{Remote: c.client, Inbox: c.inbox, Directory: p.directory, Offices: c.offices, Now: now, OnError: p.onError}
		c.worker.Errands = append(c.worker.Errands, exchange.Errand{Name: "fetching", Every: time.Minute, Do: c.puller.Run})
	}
}

// compare reconciles with the peers; a restored installation first hears what it lost,
// which would be an alarm for each transfer else.
func (c *core) compare(ctx context.Context) error {
	if c.quarantine.Gate(ctx) != nil {
		return nil
	}
	return c.reconciler.Run(ctx)
}

func (c *core) close() error {
	c.client.CloseIdle()
	return c.db.Close()
}
