package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/validation"
)

// verifyCmd validates PDF files and says one verdict for each.
type verifyCmd struct {
	Files           []string `arg:"" name:"file" help:"${help_files}"`
	JSON            bool     `name:"json" help:"${help_json}"`
	Trust           []string `help:"${help_trust}" placeholder:"PATH" sep:"none"`
	At              string   `help:"${help_at}" placeholder:"RFC3339"`
	Offline         bool     `help:"${help_offline}"`
	Policy          string   `help:"${help_policy}" default:"vn-2026"`
	AllowHost       []string `name:"allow-host" help:"${help_allow_host}" placeholder:"HOST" sep:"none"`
	Report          string   `help:"${help_report}" placeholder:"FILE.pdf|.json|.xml"`
	PDFPasswordFile string   `name:"pdf-password-file" help:"${help_pdf_password}" placeholder:"F"`
	evidenceFlags   `embed:""`
	Content         string `help:"${help_content}" placeholder:"FILE"`
	FailOn          string `name:"fail-on" help:"${help_fail_on}" enum:",note" default:"" placeholder:"note"`
	Jobs            int    `help:"${help_jobs}" placeholder:"N"`
}

// verified is the outcome for one file: a report, or why there is none.
type verified struct {
	file   string
	report *validation.Report
	err    error
}

// Run validates the files in the order given.
func (c *verifyCmd) Run(e *env, ctx *ctxHolder) error {
	v, at, err := c.validator(e)
	if err != nil {
		return err
	}
	format, err := c.reportFormat()
	if err != nil {
		return err
	}
	password, err := pdfPassword(c.PDFPasswordFile)
	if err != nil {
		return err
	}
	var all []verified
	err = eachInOrder(ctx, c.Jobs, c.Files, func(ctx context.Context, file string) verified {
		r, err := c.validateFile(ctx, v, file, password, at)
		return verified{file: file, report: r, err: err}
	}, func(r verified) error {
		all = append(all, r)
		return c.print(e, r)
	})
	if err != nil {
		return err
	}
	if c.Report != "" && all[0].report != nil {
		if err := writeReport(c.Report, format, all[0].report); err != nil {
			return err
		}
	}
	return c.exit(all)
}

// validator builds what the flags ask for, and the time to judge at.
func (c *verifyCmd) validator(e *env) (*validation.Validator, time.Time, error) {
	at := e.now()
	if c.At != "" {
		t, err := time.Parse(time.RFC3339, c.At)
		if err != nil {
			return nil, at, text.Detailed(text.InvalidInput, err, "cli.bad_time")
		}
		at = t
	}
	policy, err := loadPolicy(c.Policy)
	if err != nil {
		return nil, at, err
	}
	trust, configured, err := trustOf(e, c.Trust)
	if err != nil {
		return nil, at, err
	}
	switch {
	case len(trust.anchors) == 0:
		e.warn("cli.no_trust")
	case trust.sandbox:
		e.warn("cli.sandbox")
	}
	// A sandbox anchor counts only where --trust names it.
	v := &validation.Validator{Trust: trust.anchors, Policy: policy, AllowSandbox: trust.sandbox && configured == nil}
	allow := c.AllowHost
	if configured != nil {
		allow = append(allow[:len(allow):len(allow)], configured.AllowHosts...)
	}
	var issuers certs.IssuerSource
	if v.Revocation, issuers, err = c.evidenceFlags.from(configured).sources(e, allow, c.Offline); err != nil {
		return nil, at, err
	}
	v.Issuers = certs.IssuerSources{trust.known, issuers}
	return v, at, nil
}

// validateFile judges a PDF, or a signature that is a file of its own.
func (c *verifyCmd) validateFile(ctx context.Context, v *validation.Validator, file, password string, at time.Time) (*validation.Report, error) {
	f, size, err := openInput(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	over := validation.CMSInput{Input: validation.Input{Reader: f, Size: size, Name: file, Password: password}}
	if c.Content != "" {
		content, n, err := openInput(c.Content)
		if err != nil {
			return nil, err
		}
		defer content.Close()
		over.Content, over.ContentSize = content, n
	}
	return v.ValidateFile(ctx, over, at)
}

func (c *verifyCmd) print(e *env, r verified) error {
	switch {
	case r.err != nil && c.JSON:
		return printJSON(e.out, struct {
			File  string     `json:"file"`
			Error *jsonError `json:"error"`
		}{r.file, newJSONError(r.err, e.lang)})
	case r.err != nil:
		te := text.As(r.err)
		fmt.Fprintln(e.err, text.Get("cli.file_failed", r.file, te.Message().In(e.lang), te.Code, te.Fix().In(e.lang)).In(e.lang))
		return nil
	case c.JSON:
		return printJSON(e.out, r.report)
	}
	return printReport(e.out, r.report, e.lang)
}

// exit follows the contract: one file has its own code; of several, 3 over 6 over
// 4 over 5 over 0, where 6 says that some could not be read and others could.
func (c *verifyCmd) exit(all []verified) error {
	if len(all) == 1 {
		if code := c.exitOf(all[0]); code != 0 {
			return exitError(code)
		}
		return nil
	}
	found := map[int]bool{}
	unread := 0
	for _, r := range all {
		if r.err != nil {
			unread++
			continue
		}
		found[c.exitOf(r)] = true
	}
	if unread == len(all) {
		return exitError(text.CodeOf(all[0].err).Exit())
	}
	found[6] = unread > 0
	for _, code := range []int{3, 6, 4, 5} {
		if found[code] {
			return exitError(code)
		}
	}
	return nil
}

func (c *verifyCmd) exitOf(r verified) int {
	switch {
	case r.err != nil:
		return text.CodeOf(r.err).Exit()
	case c.FailOn == "note" && r.report.Verdict == validation.ValidWithNotes:
		return 3
	}
	return r.report.Exit()
}

// vietnam is the zone in which people read times.
var vietnam = time.FixedZone("+07", 7*3600)

// printReport says a report to a person: the verdict first, then who and when,
// then what to know.
func printReport(w io.Writer, r *validation.Report, lang text.Lang) error {
	say := func(k text.Key, args ...any) string { return text.Get(k, args...).In(lang) }
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  %s\n", verdictMark(r.Verdict), say(text.Key("verdict."+string(r.Verdict))), r.File)
	if h := r.Headline.In(lang); h != say(text.Key("verdict."+string(r.Verdict))) {
		fmt.Fprintf(&b, "  %s\n", h)
	}
	for _, s := range r.Signatures {
		fmt.Fprintf(&b, "  %s: %s\n", s.Field, cmp.Or(s.Signer.Subject, say("verify.unknown")))
		fmt.Fprintf(&b, "    %s: %s\n", say("verify.issuer"), cmp.Or(s.Signer.Issuer, say("verify.unknown")))
		fmt.Fprintf(&b, "    %s\n", signedWhen(s, say))
		fmt.Fprintf(&b, "    %s: %s · %s", say("verify.level"), s.Level, s.Indication)
		if s.SubIndication != "" {
			fmt.Fprintf(&b, " / %s", s.SubIndication)
		}
		cover := say("verify.part", s.Covers.Revision, s.Covers.Of)
		if s.Covers.WholeFile {
			cover = say("verify.whole")
		}
		fmt.Fprintf(&b, " · %s\n", cover)
	}
	if len(r.Reasons) > 0 {
		fmt.Fprintf(&b, "  %s:\n", say("verify.notes"))
		for _, reason := range r.Reasons {
			fmt.Fprintf(&b, "   - %s [%s]\n", reason.Message.In(lang), reason.Code)
		}
	}
	if len(r.Changes) > 0 {
		fmt.Fprintf(&b, "  %s:\n", say("verify.changes"))
		for _, ch := range r.Changes {
			fmt.Fprintf(&b, "   - %s\n", ch.Message.In(lang))
		}
	}
	network := say("verify.offline")
	if r.Online {
		network = say("verify.online")
	}
	fmt.Fprintf(&b, "  %s\n", say("verify.checked", r.CheckedAt.In(vietnam).Format("15:04:05 02/01/2006"), r.Policy.Name, r.Policy.Version, network))
	_, err := io.WriteString(w, b.String())
	return err
}

func signedWhen(s validation.Signature, say func(text.Key, ...any) string) string {
	if s.Type == validation.DocumentTimestamp && !s.ClaimedTime.IsZero() { // nobody signed: its own time is all there is
		return fmt.Sprintf("%s: %s", say("report.stamped"), s.ClaimedTime.In(vietnam).Format("15:04:05 02/01/2006 -07:00"))
	}
	if s.BestTimeSource != validation.TimeNow && !s.BestTime.IsZero() {
		return fmt.Sprintf("%s: %s (%s)", say("verify.time"), s.BestTime.In(vietnam).Format("15:04:05 02/01/2006 -07:00"), say("verify.time.tsa"))
	}
	line := fmt.Sprintf("%s: %s", say("verify.time"), say("verify.time.now"))
	if !s.ClaimedTime.IsZero() {
		line += fmt.Sprintf(" (%s: %s)", say("verify.claimed"), s.ClaimedTime.In(vietnam).Format("15:04:05 02/01/2006 -07:00"))
	}
	return line
}

func verdictMark(v validation.Verdict) string {
	switch v {
	case validation.Valid, validation.ValidWithNotes:
		return "✓"
	case validation.Invalid:
		return "✗"
	case validation.Inconclusive, validation.Unsigned:
	}
	return "?"
}
