package main

import (
	"context"
	"fmt"

	"antin/exchange"
	"antin/internal/text"
)

// doctorCmd looks at everything that serve depends on and says how to mend it.
type doctorCmd struct {
	JSON bool `help:"${help_json}" name:"json"`
}

// The statuses of a finding.
const (
	findingOK   = "ok"
	findingWarn = "warn"
	findingFail = "fail"
)

// finding is one thing looked at. Fix is empty when Status is ok.
type finding struct {
	Check  string       `json:"check"`
	Status string       `json:"status"` // ok, warn or fail
	What   text.Message `json:"what"`
	Fix    text.Message `json:"fix,omitzero"`
	Detail string       `json:"detail,omitempty"` // the cause, for whoever looks closer
}

// Run looks at everything; exit 1 when anything fails.
func (c *doctorCmd) Run(e *env, ctx *ctxHolder) error {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	d := &doctor{e: e, cfg: cfg, keyFile: defaultKeyConfig}
	failed := false
	for _, look := range []func(context.Context) []finding{d.config, d.clock, d.trust, d.permissions, d.disk, d.database, d.blobs, d.folders, d.keys, d.keyLog, d.tokens,
		d.certificates, d.stamps, d.ocsp, d.directory, d.peers} {
		for _, f := range look(ctx) {
			failed = failed || f.Status == findingFail
			if err := c.print(e, f); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if failed {
		return exitError(1)
	}
	return nil
}

func (c *doctorCmd) print(e *env, f finding) error {
	if c.JSON {
		return printJSON(e.out, f)
	}
	mark := map[string]string{findingOK: "✓", findingWarn: "!", findingFail: "✗"}[f.Status]
	if _, err := fmt.Fprintf(e.out, "%s %s\n", mark, f.What.In(e.lang)); err != nil {
		return err
	}
	if f.Detail != "" {
		fmt.Fprintf(e.out, "    %s\n", f.Detail)
	}
	if !f.Fix.IsZero() {
		fmt.Fprintf(e.out, "    → %s\n", f.Fix.In(e.lang))
	}
	return nil
}

// doctor holds what the checks share.
type doctor struct {
	e       *env
	cfg     *Config
	keyFile string // the key helper's own configuration
	// bound are the certificates of persons, as the database names them.
	bound []namedCertificate
}

type namedCertificate struct {
	name string
	der  []byte
}

func good(check string, key text.Key, args ...any) finding {
	return finding{Check: check, Status: findingOK, What: text.Get(key, args...)}
}

// bad is a finding whose fix stands under the key with ".fix" behind it.
func bad(status, check string, cause error, key text.Key, args ...any) finding {
	f := finding{Check: check, Status: status, What: text.Get(key, args...), Fix: text.Get(key + ".fix")}
	if cause != nil {
		f.Detail = cause.Error()
	}
	return f
}

// config asks what serve would ask at its start.
func (d *doctor) config(context.Context) []finding {
	var out []finding
	if err := d.cfg.checkServe(); err != nil {
		te := text.As(err)
		out = append(out, finding{Check: "config", Status: findingFail, What: te.Message(), Fix: te.Fix()})
	}
	for _, name := range d.cfg.strange {
		out = append(out, bad(findingWarn, "config", nil, "doctor.strange", name))
	}
	if out == nil {
		out = append(out, good("config", "doctor.config", d.cfg.file))
	}
	return out
}

// trust says until it is set that nothing is trusted.
func (d *doctor) trust(context.Context) []finding {
	var out []finding
	trust, err := d.cfg.Trust.load()
	anchors, sandbox := trust.now(d.e.now()), trust.sandbox
	switch {
	case err != nil:
		out = append(out, bad(findingFail, "trust", err, "doctor.trust.unreadable"))
	case sandbox:
		out = append(out, bad(findingFail, "trust", nil, "doctor.trust.sandbox"))
	case len(anchors) == 0:
		out = append(out, bad(findingFail, "trust", nil, "doctor.trust.none"))
	default:
		out = append(out, good("trust", "doctor.trust", len(anchors)))
	}
	if len(d.cfg.Trust.AllowHosts) == 0 {
		out = append(out, bad(findingWarn, "allow-hosts", nil, "doctor.hosts.none"))
	} else {
		out = append(out, good("allow-hosts", "doctor.hosts", len(d.cfg.Trust.AllowHosts)))
	}
	return out
}

// own is this agency as the directory file must not name it.
func (d *doctor) own() exchange.Agency {
	return exchange.Agency{Code: exchange.AgencyCode(d.cfg.Agency.Code)}
}
