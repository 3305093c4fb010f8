package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
	"antin/store"
)

// node is one agency of the demo: its own database, blobs, keys and peer
// listener. Two nodes meet only over mutual TLS.
type node struct {
	office   exchange.Office
	identity peer.Identity
	listener net.Listener
	db       *store.DB
	offices  exchange.OfficeList

	press    *exchange.Press
	outbox   *exchange.Outbox
	inbox    *exchange.Inbox
	results  *exchange.Results
	evidence *exchange.Evidence
	worker   *exchange.Worker
	server   *peer.Server
	client   *peer.Client
	wire     *wire

	leader, clerk, officer exchange.Actor
}

// agencySetup is what distinguishes the demo's agencies.
type agencySetup struct {
	code     exchange.AgencyCode
	name     string
	inCharge string
	place    string
	sealRole string
	leader   string // empty: the agency signs nothing in the demo
	clerk    string
}

func demoAgencies(pki *certstest.PKI) (a, b agencySetup) {
	leader := pki.Leader().Certificate
	a = agencySetup{code: "H98.21", name: pki.Signer(certstest.RoleSealA).Certificate.CommonName, inCharge: "UBND TỈNH THỬ NGHIỆM", place: "Thử Nghiệm",
		sealRole: certstest.RoleSealA, leader: leader.CommonName, clerk: "Phạm Thị Văn Thư"}
	b = agencySetup{code: "H98.35", name: pki.Signer(certstest.RoleSealB).Certificate.CommonName, inCharge: "UBND TỈNH THỬ NGHIỆM", place: "Mẫu Đơn",
		sealRole: certstest.RoleSealB, clerk: "Hoàng Văn Tiếp Nhận"}
	return a, b
}

// newIdentity opens the node's peer port and makes its transport key.
func (n *node) newIdentity(ctx context.Context, now time.Time) (err error) {
	if n.listener, err = listen(ctx, "127.0.0.1:0"); err != nil {
		return err
	}
	n.identity, err = peer.NewIdentity(nil, n.office.Agency.Code, now.Add(-time.Hour), now.Add(365*24*time.Hour))
	if err != nil {
		return err
	}
	n.office.GatewayKey = n.identity.Key
	n.office.Agency.Endpoint = "https://" + n.listener.Addr().String()
	n.office.Agency.TLS = [][32]byte{n.identity.Fingerprint()}
	n.office.Agency.Keys = []exchange.GatewayKey{{Public: n.identity.Key.Public(), NotBefore: now.Add(-time.Hour)}}
	return nil
}

// newNode prepares an agency: who works there, and which keys it has.
func newNode(ctx context.Context, e *env, s agencySetup, verifyURL string) (*node, error) {
	n := &node{}
	n.office = exchange.Office{
		Agency:  exchange.Agency{Code: s.code, Name: s.name, InCharge: s.inCharge, Place: s.place},
		SealKey: s.sealRole, VerifyURL: verifyURL, Sandbox: true,
	}
	n.clerk = exchange.Actor{ID: "van-thu", Name: s.clerk, Role: exchange.RoleClerk, Agency: s.code}
	n.officer = exchange.Actor{ID: "mot-cua", Name: "Bộ phận một cửa", Role: exchange.RoleOfficer, Agency: s.code}
	if s.leader != "" {
		n.leader = exchange.Actor{ID: "lanh-dao", Name: s.leader, Role: exchange.RoleLeader, Agency: s.code}
		n.office.Signatories = []exchange.Signatory{{ActorID: n.leader.ID, Name: s.leader, Position: "CHỦ TỊCH", Competence: "TM. ỦY BAN NHÂN DÂN", Key: certstest.RoleLeader}}
	}
	return n, n.newIdentity(ctx, e.now())
}

// open opens the node's data directory and puts its parts together.
func (n *node) open(ctx context.Context, e *env, dir string, directory exchange.Directory, pki *certstest.PKI, client *fetch.Client) (err error) {
	if n.db, err = store.Open(ctx, store.Options{Dir: dir, Now: e.now}); err != nil {
		return err
	}
	sign, err := sandboxSigner(e, pki, client)
	if err != nil {
		return err
	}
	judge, err := sandboxValidator(pki, client)
	if err != nil {
		return err
	}
	n.offices = exchange.OfficeList{n.office}
	n.client = &peer.Client{Identity: n.identity, Now: e.now}
	n.wire = &wire{Transport: n.client}
	n.press = &exchange.Press{Store: n.db, Blobs: n.db, Offices: n.offices, Signer: sign, Validator: judge, Now: e.now}
	n.outbox = &exchange.Outbox{Store: n.db, Blobs: n.db, Directory: directory, Offices: n.offices, Transport: n.wire, Press: n.press, Now: e.now}
	n.inbox = &exchange.Inbox{Store: n.db, Blobs: n.db, Directory: directory, Offices: n.offices, Outbox: n.outbox, Validator: judge, Now: e.now}
	n.results = &exchange.Results{Store: n.db, Blobs: n.db, Offices: n.offices, Press: n.press, Now: e.now}
	n.evidence = &exchange.Evidence{Store: n.db}
	n.worker = &exchange.Worker{Store: n.db, Blobs: n.db, Queue: n.db, Outbox: n.outbox, Inbox: n.inbox, Now: e.now,
		OnError: func(err error) { e.trouble(string(n.office.Agency.Code), err) }}
	n.server = &peer.Server{Receiver: n.inbox, Blobs: n.db, Directory: directory, Identity: n.identity, Now: e.now, Known: n.inbox.Known,
		OnError: func(err error) { e.trouble(string(n.office.Agency.Code), err) }}
	return nil
}

// run serves peers and works on what is due until ctx ends.
func (n *node) run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- n.server.Serve(ctx, n.listener) }()
	err := n.worker.Run(ctx)
	if serr := <-done; err == nil && ctx.Err() == nil {
		err = serr
	}
	n.client.CloseIdle()
	return err
}

// close gives up what newNode and open took; for a node that never ran as well.
func (n *node) close() {
	if n.db != nil {
		_ = n.db.Close()
	}
	if n.listener != nil {
		_ = n.listener.Close()
	}
}

// trouble reports a failure on our own side, for whoever watches the terminal.
// What has a code of its own is told where it belongs: on the pages.
func (e *env) trouble(where string, err error) {
	if !e.quiet && text.CodeOf(err) == text.Internal {
		fmt.Fprintf(e.err, "! %s: %v\n", where, err)
	}
}

// demoDir returns the folder of the demo's files: dir itself, or a temporary one.
func demoDir(dir string) (string, error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "antin-demo-")
		if err != nil {
			return "", storageError(err)
		}
		return tmp, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the user's own folder; keys inside have their own mode
		return "", storageError(err)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", storageError(err)
	}
	return abs, nil
}
