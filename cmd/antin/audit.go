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
}

// auditVerifyCmd looks for what was changed after it happened.
type auditVerifyCmd struct {
	JSON bool `name:"json" help:"${help_json}"`
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
	whole, err := c.agencies(ctx, e, &exchange.Audit{Store: r, Verify: r.Verify})
	if err == nil && !whole {
		return exitError(changedExit)
	}
	return err
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
		return nil
	}
	e.warn("audit.bad", string(r.Agency), len(r.Faults), r.Events)
	for _, f := range r.Faults {
		fmt.Fprintln(e.err, "  "+f.Message().In(e.lang))
	}
	return nil
}
