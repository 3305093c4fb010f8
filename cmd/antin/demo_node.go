package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"antin/api"
	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
)

// node is one agency of the demo: its own database, blobs, keys and peer
// listener. Two nodes meet only over mutual TLS.
type node struct {
	*core    // nil before open
	office   exchange.Office
	identity peer.Identity
	listener net.Listener
	wire     *wire
	setup    agencySetup

	leader, clerk, officer, operator exchange.Actor
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
	n.office.GatewayKey, n.office.GatewayCertificate = n.identity.Key, n.identity.Certificate
	n.office.Agency.Endpoint = "https://" + n.listener.Addr().String()
	n.office.Agency.TLS = [][32]byte{n.identity.Fingerprint()}
	n.office.Agency.Keys = []exchange.GatewayKey{{Public: n.identity.Key.Public(), NotBefore: now.Add(-time.Hour)}}
	return nil
}

// newNode prepares an agency: its name, its address and its transport key.
func newNode(ctx context.Context, e *env, s agencySetup, verifyURL string) (*node, error) {
	n := &node{setup: s}
	n.office = exchange.Office{
		Agency:  exchange.Agency{Code: s.code, Name: s.name, InCharge: s.inCharge, Place: s.place},
		SealKey: s.sealRole, VerifyURL: verifyURL, Sandbox: true,
	}
	return n, n.newIdentity(ctx, e.now())
}

// open opens the node's data directory and puts its parts together.
func (n *node) open(ctx context.Context, e *env, dir string, directory exchange.Directory, pki *certstest.PKI, client *fetch.Client) error {
	sign, err := sandboxSigner(e, pki, client)
	if err != nil {
		return err
	}
	judge, err := sandboxValidator(pki, client)
	if err != nil {
		return err
	}
	n.core, err = newCore(ctx, e.now, coreParts{
		dir: dir, office: n.office, identity: n.identity, directory: directory, sign: sign, judge: judge, scopes: api.ScopeNames(),
		line: func(t exchange.Transport) exchange.Transport {
			n.wire = &wire{Transport: t}
			return n.wire
		},
		onError: func(err error) { e.trouble(string(n.office.Agency.Code), err) },
	})
	if err != nil {
		return err
	}
	return n.staff(ctx, pki)
}

// staff gives the demo's people accounts that only tickets open. The leader's key
// is in the process: in the demo one button signs.
func (n *node) staff(ctx context.Context, pki *certstest.PKI) (err error) {
	for _, p := range []struct {
		into    *exchange.Actor
		account exchange.NewAccount
	}{
		{&n.clerk, exchange.NewAccount{Login: "van-thu", Name: n.setup.clerk, Role: exchange.RoleClerk}},
		{&n.officer, exchange.NewAccount{Login: "mot-cua", Name: "Bộ phận một cửa", Role: exchange.RoleOfficer}},
		{&n.operator, exchange.NewAccount{Login: "quan-tri", Name: "Quản trị", Role: exchange.RoleOperator}},
		{&n.leader, exchange.NewAccount{Login: "lanh-dao", Name: n.setup.leader, Role: exchange.RoleLeader, Position: "CHỦ TỊCH",
			Competence: "TM. ỦY BAN NHÂN DÂN", Key: certstest.RoleLeader, Certificate: pki.Leader().Certificate.Raw}},
	} {
		if p.account.Name == "" {
			continue // the agency signs nothing in the demo
		}
		p.account.NoPassword = true
		a, err := n.access.AccountByLogin(ctx, n.office.Agency.Code, p.account.Login)
		if text.CodeOf(err) == text.NotFound {
			a, _, err = n.access.AddAccount(ctx, exchange.System(n.office.Agency.Code), p.account)
		}
		if err != nil {
			return err
		}
		*p.into = a.Actor()
	}
	if n.leader.ID != "" { // for pages that ask the office itself who may sign
		n.core.office.Signatories = []exchange.Signatory{{ActorID: n.leader.ID, Name: n.leader.Name, Position: "CHỦ TỊCH", Competence: "TM. ỦY BAN NHÂN DÂN", Key: certstest.RoleLeader}}
	}
	return nil
}

// in is who acts in a role of the demo.
func (n *node) in(role exchange.Role) (exchange.Actor, error) {
	for _, a := range []exchange.Actor{n.clerk, n.leader, n.officer, n.operator} {
		if a.Role == role && a.ID != "" {
			return a, nil
		}
	}
	return exchange.Actor{}, text.Errorf(text.NotFound, nil)
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
	if n.core != nil {
		_ = n.core.close()
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
