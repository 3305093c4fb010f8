package main

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"antin/api"
	"antin/certs"
	"antin/certs/fetch"
	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/tsa"
	"antin/signer/validation"
	"antin/store"
	"antin/web"
	"antin/web/render"
)

// gateway is what `antin serve` runs: the agency's parts and what is around them.
type gateway struct {
	*core
	cfg       *Config
	log       *slog.Logger
	now       func() time.Time
	directory *peerDirectory
	own       *ownIdentity
	stamps    *tsa.Client // nil when no service is configured
	fetch     *fetch.Client
	renderer  *render.Renderer

	publicRenderer *render.Renderer // of the public pages alone

	metrics *metrics
	health  *health
	peers   *peer.Server

	expiredSerial int64 // of the directory whose end was told

	deskTLS, publicTLS *liveCertificate // nil without TLS

	endTraces func() // tells of what waits; nil when nobody is told
}

// sealEvery is how often it is looked whether a day's evidence is to be sealed: soon
// after midnight, and again where no time-stamp could be had.
const sealEvery = time.Hour

func fingerprintOf(id peer.Identity) []byte {
	pin := id.Fingerprint()
	return pin[:]
}

func isInUse(err error) bool { return errors.Is(err, store.ErrInUse) }

// openGateway reads everything that the configuration names, refuses test data
// wherever it stands, and puts the agency together. Nothing listens yet.
func openGateway(ctx context.Context, e *env, cfg *Config) (*gateway, error) {
	if e.log == nil {
		e.log = newLogger(e, cfg)
	}
	g := &gateway{cfg: cfg, log: e.log, now: e.now}
	p, err := g.parts(e)
	if err != nil {
		return nil, err
	}
	if g.core, err = newCore(ctx, e.now, p); err != nil {
		return nil, err
	}
	g.peers = g.server
	g.openFolders()
	g.worker.Errands = append(g.worker.Errands, exchange.Errand{Name: "carried files", Every: carryEvery, Do: g.takeCarried})
	sealer := &exchange.Sealer{Store: g.db, Now: g.now}
	if g.stamps != nil {
		sealer.Stamp = func(ctx context.Context, imprint []byte) ([]byte, error) {
			return countedStamps{g.stamps, g}.Timestamp(ctx, crypto.SHA256, imprint)
		}
	}
	g.worker.Errands = append(g.worker.Errands, exchange.Errand{Name: "sealing the evidence", Every: sealEvery, Do: sealer.Run})
	g.outbox.Gate = g.mayLeave
	g.worker.Errands = append(g.worker.Errands, exchange.Errand{Name: "watching the directory", Every: directoryWatch, Do: g.watchDirectory})
	g.own.change = func(id peer.Identity) {
		g.client.CloseIdle() // what waits there still shows the old one
		g.log.Info("transport key changed", "certificate", hex.EncodeToString(fingerprintOf(id)))
		if err := g.noteSettings(context.WithoutCancel(ctx), e); err != nil {
			g.log.Error("settings not noted", "error", err)
		}
	}
	if err := errors.Join(g.ready(ctx), g.startTraces(ctx), g.noteSettings(ctx, e)); err != nil {
		return nil, errors.Join(err, g.close())
	}
	return g, nil
}

// close ends what the gateway holds; nothing answers any more.
func (g *gateway) close() error {
	if g.endTraces != nil {
		g.endTraces()
	}
	return g.core.close()
}

// ready does what needs the open database.
func (g *gateway) ready(ctx context.Context) error {
	if err := g.directory.bind(ctx, &exchange.DirectoryGuard{Store: g.db, Agency: g.office.Agency.Code, Now: g.now}); err != nil {
		return err
	}
	if err := refuseSandboxAccounts(ctx, g.access, g.office.Agency.Code); err != nil {
		return err
	}
	if err := g.checkClockBehind(ctx); err != nil {
		return err
	}
	g.metrics = newMetrics(g)
	var err error
	g.health, err = newHealth(g)
	return err
}

// parts reads trust, keys, identity and directory.
func (g *gateway) parts(e *env) (coreParts, error) {
	cfg := g.cfg
	p := coreParts{dir: cfg.DataDir, sessions: cfg.Sessions, expiry: cfg.Expiry, maxPayload: int64(cfg.Limits.MaxPayloadMB) << 20,
		log: slog.New(slog.DiscardHandler), scopes: scopeNames(), onError: g.trouble("exchange")}
	o, err := cfg.storeOptions(e)
	if err != nil {
		return p, err
	}
	p.database, p.s3, p.blobKey = o.Database, o.S3, o.BlobKey
	if g.own, err = openIdentity(cfg, e.now, func(err error) { g.log.Error("transport key not reloaded", "error", err) }); err != nil {
		return p, err
	}
	identity := g.own.files.value
	seals, err := loadSeals(cfg)
	if err != nil {
		return p, err
	}
	p.identity = identity
	p.office = cfg.office(identity, seals, e.now())
	g.own.office, p.offices, p.current = p.office, g.own, g.own.current
	if g.directory, err = cfg.openDirectory(p.office.Agency, e.now, func(err error) { g.log.Error("directory not reloaded", "error", err) }); err != nil {
		return p, err
	}
	p.directory = g.directory
	trust, err := openTrust(&cfg.Trust, e.now, func(err error) { g.log.Error("trust not reloaded", "error", err) })
	if err != nil {
		return p, err
	}
	if g.fetch, err = cfg.fetcher(e); err != nil {
		return p, err
	}
	policy, err := loadPolicy(cfg.Trust.Policy)
	if err != nil {
		return p, err
	}
	issuers := certs.IssuerSources{trust, g.fetch}
	if p.hooks, err = cfg.hooks(); err != nil {
		return p, err
	}
	p.onAlarm = g.webhookAlarm
	p.judge = &validation.Validator{Trust: trust, Revocation: g.fetch, Issuers: issuers, Policy: policy, Seals: g.knowsSeal}
	p.sign = &signer.Signer{Keys: countedKeys{cfg.keys(), g}, Revocation: g.fetch, Issuers: issuers, Now: e.now}
	p.sign.Trust = trust
	if len(cfg.TSA.URLs) > 0 {
		if g.stamps, err = cfg.TSA.client(cfg.TSA.URLs, nil, e.now); err != nil {
			return p, err
		}
		p.sign.Timestamps = countedStamps{g.stamps, g}
	}
	return p, g.openRenderer()
}

// knowsSeal reports whether c is a seal of an agency in the directory, ours included.
func (g *gateway) knowsSeal(c *certs.Certificate) bool {
	all, err := g.directory.Agencies(context.Background())
	if err != nil {
		return false
	}
	for _, a := range all {
		for _, der := range a.Seals {
			if bytes.Equal(der, c.Raw) {
				return true
			}
		}
	}
	return false
}

// office is the agency as its own gateway knows it.
func (c *Config) office(id peer.Identity, seals [][]byte, now time.Time) exchange.Office {
	o := exchange.Office{Agency: c.ownAgency(id, seals, now), SealKey: c.Keys.Seal, SealDiameterMM: c.Agency.SealDiameterMM,
		GatewayKey: id.Key, GatewayCertificate: id.Certificate, VerifyURL: strings.TrimSuffix(c.Public.URL, "/") + "/q"}
	if c.Agency.Numbering == "external" {
		o.Numbering = exchange.NumberingExternal
	}
	return o
}

// fetcher asks OCSP, CRL and AIA; its answers are kept over restarts.
func (c *Config) fetcher(e *env) (*fetch.Client, error) {
	cache := filepath.Join(c.DataDir, "revocation")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, storageError(err)
	}
	table, err := hostTable(c.Trust.RewriteHosts)
	if err != nil {
		return nil, err
	}
	return newClient(fetch.Options{AllowHosts: c.Trust.AllowHosts, RefuseHosts: c.ownListeners(), Rewrite: table,
		CRLDir: c.Trust.CRLs, Nonce: c.Trust.OCSPNonce, CacheDir: cache, Now: e.now})
}

// ownListeners are our own loopback addresses, which no certificate may have us
// ask, not even behind a permission for the whole machine.
func (c *Config) ownListeners() (own []string) {
	for _, l := range []string{c.Listen.Desk, c.Listen.Public, c.Listen.Admin} {
		if loopback(l) && !strings.HasSuffix(l, ":0") && !strings.HasPrefix(l, "localhost") {
			own = append(own, l)
		}
	}
	return own
}

func (g *gateway) openRenderer() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cache := filepath.Join(g.cfg.DataDir, "render")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return storageError(err)
	}
	g.renderer, g.publicRenderer = render.New([]string{self, "render"}, cache), render.NewPublic([]string{self, "render"}, cache)
	return nil
}

// trouble logs failures of our own side; those with a code of their own were told
// to whoever asked and are worth a line only when someone looks closer.
func (g *gateway) trouble(where string) func(error) {
	return func(err error) {
		switch text.CodeOf(err) {
		case text.Internal, text.StorageFull, text.DatabaseUnavailable, text.BlobsUnavailable, text.SelfCheckFailed, text.KeyUnavailable:
			g.log.Error(where, "error", err)
		default:
			g.log.Debug(where, "error", err)
		}
	}
}

// noteFor bounds the noting of a failure in the database, which may be what failed.
const noteFor = 2 * time.Second

// pageTrouble hears of a failure that a page showed under trace.
func (g *gateway) pageTrouble(trace string, err error) {
	g.log.Error("page", "trace_id", trace, "error", err)
	g.note(trace, "page", err)
}

// apiTrouble hears of a failure that the API answered under trace.
func (g *gateway) apiTrouble(trace, request string, err error) {
	g.log.Error("api", "trace_id", trace, "request", request, "error", err)
	g.note(trace, request, err)
}

// note keeps a failure where the operator's search finds it by the id that was shown.
func (g *gateway) note(trace, where string, failure error) {
	ctx, cancel := context.WithTimeout(context.Background(), noteFor)
	defer cancel()
	if err := g.finder.Note(ctx, g.office.Agency.Code, trace, where, failure); err != nil {
		g.log.Error("failure not noted", "trace_id", trace, "error", err)
	}
}

func scopeNames() (names []string) {
	for _, s := range api.Scopes() {
		names = append(names, string(s))
	}
	return names
}

// publicPages serves verification and the QR's address.
func (g *gateway) publicPages() http.Handler {
	return web.Public{Validator: g.judge, Results: g.byToken, Result: g.successor, Now: g.now, Renderer: g.publicRenderer, OnError: g.pageTrouble}.Handler()
}

// byToken looks a QR's token up.
func (g *gateway) byToken(ctx context.Context, token string) (exchange.Result, exchange.Office, bool, error) {
	r, err := g.results.ByToken(ctx, token)
	if text.CodeOf(err) == text.NotFound {
		return exchange.Result{}, g.office, false, nil
	}
	return r, g.office, err == nil, err
}
