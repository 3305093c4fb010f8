package main

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"antin/certs"
	"antin/exchange"
	"antin/internal/text"
	"antin/signer/tsp"
	"antin/store"
)

// auditProveCmd writes what a third party needs to believe the evidence about one id.
type auditProveCmd struct {
	ID     string `arg:"" help:"${help_audit_prove_id}"`
	Output string `short:"o" help:"${help_audit_prove_out}" required:"" placeholder:"FILE"`
	Force  bool   `help:"${help_force}"`
}

// maxProofFile bounds a proof that is read: some thousand events.
const maxProofFile = 32 << 20

// Run writes the proof beside whatever process works with the data.
func (c *auditProveCmd) Run(e *env, ctx *ctxHolder) (err error) {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	o, err := cfg.storeOptions(e)
	if err != nil {
		return err
	}
	r, err := store.OpenReader(ctx, o)
	if err != nil {
		return storeError(cfg.DataDir, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	p, err := (&exchange.Audit{Store: r}).Prove(ctx, exchange.AgencyCode(cfg.Agency.Code), exchange.ID(c.ID))
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFileMode(c.Output, 0o600, c.Force, func(w io.Writer) error { _, err := w.Write(append(body, '\n')); return err }); err != nil {
		return err
	}
	n := 0
	for _, s := range p.Seals {
		n += len(s.Events)
	}
	e.say("proof.done", n, c.ID, p.Open)
	return nil
}

// stampJudge verifies the time-stamps of seals. Without anchors it says nothing of who
// gave them.
type stampJudge struct {
	anchors certs.Anchors
	pool    []*certs.Certificate
	sandbox bool
}

// check verifies that token stamps the digest imprint, and that its certificate led to
// an anchor when it was made.
func (j stampJudge) check(token, imprint []byte) error {
	t, err := tsp.ParseToken(token)
	if err != nil {
		return err
	}
	if err := t.Verify(crypto.SHA256, imprint, j.pool...); err != nil {
		return err
	}
	if len(j.anchors) == 0 {
		return nil
	}
	leaf, err := t.SigningCertificate(j.pool...)
	if err != nil {
		return err
	}
	_, err = certs.BuildPath(context.Background(), leaf, certs.PathOptions{Intermediates: slices.Concat(t.SignedData.Certificates, j.pool), Anchors: j.anchors,
		At: t.GenTime, AllowSandbox: j.sandbox})
	return err
}

// stampJudge believes what the configuration trusts.
func (c *TrustConfig) stampJudge(now time.Time) (stampJudge, error) {
	t, err := c.load()
	if err != nil {
		return stampJudge{}, err
	}
	return stampJudge{anchors: t.now(now), pool: t.known, sandbox: t.sandbox}, nil
}

// verifyProof checks a proof that stands alone; exit 3 when it does not hold.
func (c *auditVerifyCmd) verifyProof(e *env) error {
	info, err := os.Stat(c.Proof)
	if err != nil {
		return inputError(c.Proof, err)
	}
	if info.Size() > maxProofFile {
		return text.Detailed(text.TooLarge, nil, "cli.path", c.Proof)
	}
	body, err := os.ReadFile(c.Proof)
	if err != nil {
		return inputError(c.Proof, err)
	}
	anchors, sandbox, err := loadTrust(c.Trust)
	if err != nil {
		return err
	}
	if sandbox {
		e.warn("cli.sandbox")
	}
	judge := stampJudge{anchors: anchors, sandbox: sandbox}
	var p exchange.EvidenceProof
	if err := json.Unmarshal(body, &p); err != nil {
		return text.Detailed(text.InvalidInput, err, "proof.bad", c.Proof)
	}
	line := proofLine{File: c.Proof, Agency: p.Agency, Subject: p.Subject, Seals: []proofSeal{}}
	err = p.Check(func(token, imprint []byte) error {
		if token == nil {
			return nil // told below
		}
		return judge.check(token, imprint)
	})
	line.OK = err == nil
	if err != nil {
		line.Detail = err.Error()
	}
	for _, s := range p.Seals {
		line.Events += len(s.Events)
		line.Seals = append(line.Seals, sealOf(s.Seal))
	}
	if err := line.print(e, c.JSON, len(anchors) > 0); err != nil {
		return err
	}
	if !line.OK {
		return exitError(changedExit)
	}
	return nil
}

// proofLine is what --json prints of a proof.
type proofLine struct {
	File    string              `json:"file"`
	OK      bool                `json:"ok"`
	Agency  exchange.AgencyCode `json:"agency"`
	Subject exchange.ID         `json:"subject"`
	Events  int                 `json:"events"`
	Seals   []proofSeal         `json:"seals"`
	Detail  string              `json:"detail,omitempty"`
}

// proofSeal is a seal of it: until when its events existed at the latest.
type proofSeal struct {
	First int64      `json:"first"`
	Last  int64      `json:"last"`
	Time  *time.Time `json:"time,omitempty"` // of the time-stamp
	TSA   string     `json:"tsa,omitempty"`
}

func sealOf(s exchange.EvidenceSeal) proofSeal {
	out := proofSeal{First: s.First, Last: s.Last}
	if t, err := tsp.ParseToken(s.Token); err == nil && s.Token != nil {
		out.Time = &t.GenTime
		if c, err := t.SigningCertificate(); err == nil {
			out.TSA = c.Subject
		}
	}
	return out
}

func (l proofLine) print(e *env, asJSON, trusted bool) error {
	if asJSON {
		return printJSON(e.out, l)
	}
	if !l.OK {
		e.warn("proof.bad", l.File)
		return nil
	}
	e.say("proof.ok", string(l.Agency), l.Events, string(l.Subject))
	for _, s := range l.Seals {
		if s.Time == nil {
			e.warn("proof.unstamped", s.First, s.Last)
			continue
		}
		e.say("proof.stamp", s.First, s.Last, s.Time.In(exchange.Vietnam).Format("02/01/2006 15:04:05"), s.TSA)
	}
	if !trusted {
		e.warn("proof.untrusted")
	}
	return nil
}
