package main

import (
	"context"
	"fmt"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

// auditCmd checks the evidence.
type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"${help_audit_verify}"`
	Prove  auditProveCmd  `cmd:"" help:"${help_audit_prove}"`
}

// auditVerifyCmd looks for what was changed after it happened.
type auditVerifyCmd struct {
	Proof string   `help:"${help_audit_proof}" placeholder:"FILE"`
	Trust []string `help:"${help_audit_trust}" placeholder:"PATH"`
	JSON  bool     `name:"json" help:"${help_json}"`
}

// changedExit says that something is no longer as it was recorded: the contract's
// “invalid”.
const changedExit = 3

// auditLine is what --json prints of one agency.
type auditLine struct {
	exchange.AuditReport
	OK bool `json:"ok"`
}

// Run reads the evidence of every agency in the data directory, beside whatever
// process works in it; exit 3 when something was changed.
func (c *auditVerifyCmd) Run(e *env, ctx *ctxHolder) (err error) {
	if c.Proof != "" {
		return c.verifyProof(e)
	}
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	options, err := cfg.storeOptions(e)
	if err != nil {
		return err
	}
	if options.Database == "" && !store.Exists(cfg.DataDir) {
		return text.Detailed(text.NotFound, nil, "serve.data_dir", cfg.DataDir)
	}
	r, err := store.OpenReader(ctx, options)
	if err != nil {
		return storeError(cfg.DataDir, err)
	}
	defer func() { _ = r.Close() }()
	audit := &exchange.Audit{Store: r, Verify: r.Verify}
	if err := c.prepare(e, cfg, audit); err != nil {
		return err
	}
	whole, err := c.agencies(ctx, e, audit)
	if err == nil && !whole {
		return exitError(changedExit)
	}
	return err
}

// prepare gives the audit what receipts and time-stamps are judged by, as far as the
// configuration names it.
func (c *auditVerifyCmd) prepare(e *env, cfg *Config, audit *exchange.Audit) error {
	judge, err := cfg.Trust.stampJudge(e.now())
	if err != nil {
		return err
	}
	if len(c.Trust) > 0 {
		if judge.anchors, judge.sandbox, err = loadTrust(c.Trust); err != nil {
			return err
		}
	}
	audit.Stamp = judge.check
	if cfg.Directory == "" || cfg.Peer.Certificate == "" {
		return nil
	}
	identity, err := loadIdentity(cfg)
	if err != nil {
		return nil //nolint:nilerr // who audits need not have the gateway's key; no receipt is then counted
	}
	directory, err := cfg.openDirectory(cfg.ownAgency(identity, nil, e.now()), e.now, nil)
	if err != nil {
		return err
	}
	audit.Directory = directory
	return nil
}

func (c *auditVerifyCmd) agencies(ctx context.Context, e *env, a *exchange.Audit) (whole bool, err error) {
	agencies, err := a.Agencies(ctx)
	if err != nil {
		return false, err
	}
	if len(agencies) == 0 {
		e.say("audit.none")
	}
	whole = true
	for _, code := range agencies {
		report, err := a.Check(ctx, code)
		if err != nil {
			return false, err
		}
		whole = whole && report.OK()
		if err := c.print(e, report); err != nil {
			return false, err
		}
	}
	return whole, nil
}

func (c *auditVerifyCmd) print(e *env, r exchange.AuditReport) error {
	if c.JSON {
		return printJSON(e.out, auditLine{AuditReport: r, OK: r.OK()})
	}
	if r.OK() {
		e.say("audit.ok", string(r.Agency), r.Events, r.Blobs)
		e.say("audit.sealed", r.Seals, r.Sealed, r.Unstamped, r.Receipts, r.Unverified)
		return nil
	}
	e.warn("audit.bad", string(r.Agency), len(r.Faults), r.Events)
	for _, f := range r.Faults {
		fmt.Fprintln(e.err, "  "+f.Message().In(e.lang))
	}
	return nil
}
