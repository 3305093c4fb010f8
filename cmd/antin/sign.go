package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/appearance"
	"antin/signer/pades"
)

// signCmd signs PDF files.
type signCmd struct {
	Files            []string `arg:"" name:"file" help:"${help_files}"`
	Output           string   `short:"o" required:"" help:"${help_output}" placeholder:"OUT"`
	Key              string   `help:"${help_key}" placeholder:"REF"`
	KeyPasswordFile  string   `name:"key-password-file" help:"${help_key_password}" placeholder:"F"`
	Level            string   `help:"${help_level}" default:"B-B" placeholder:"B-B|B-T|B-LT|B-LTA"`
	TSA              []string `name:"tsa" help:"${help_tsa}" placeholder:"URL" sep:"none"`
	TSATimeout       []string `name:"tsa-timeout" help:"${help_tsa_timeout}" placeholder:"[HOST=]SPAN" sep:"none"`
	Trust            []string `help:"${help_trust}" placeholder:"PATH" sep:"none"`
	Field            string   `help:"${help_field}" placeholder:"NAME"`
	Certify          int      `help:"${help_certify}" placeholder:"1|2|3"`
	NewField         bool     `name:"new-field-after-certify" help:"${help_new_field}"`
	Lock             string   `help:"${help_lock}" placeholder:"all|include:F,…|exclude:F,…"`
	Normalise        bool     `help:"${help_normalise}"`
	Offline          bool     `help:"${help_offline}"`
	Reason           string   `help:"${help_reason}" placeholder:"TEXT"`
	Location         string   `help:"${help_location}" placeholder:"TEXT"`
	Role             string   `help:"${help_role}" placeholder:"TEXT"`
	Commitment       string   `help:"${help_commitment}" placeholder:"OID|NAME"`
	SignaturePolicy  string   `name:"signature-policy" help:"${help_signature_policy}" placeholder:"OID,URI,HASHFILE"`
	ContentTimestamp bool     `name:"content-timestamp" help:"${help_content_timestamp}"`
	Anchor           string   `help:"${help_anchor}" placeholder:"TEXT"`
	Appearance       string   `help:"${help_appearance}" placeholder:"text|none"`
	Page             string   `help:"${help_page}" placeholder:"N|last"`
	Rect             string   `help:"${help_rect}" placeholder:"x,y,w,h"`
	Digest           string   `help:"${help_digest}" enum:"sha256,sha384,sha512,sha3-256,sha3-384,sha3-512" default:"sha256"`
	RSAPSS           bool     `name:"rsa-pss" help:"${help_rsa_pss}"`
	SubFilter        string   `name:"subfilter" help:"${help_subfilter}" enum:"cades,pkcs7" default:"cades"`
	PDFPasswordFile  string   `name:"pdf-password-file" help:"${help_pdf_password}" placeholder:"F"`
	Resume           string   `help:"${help_resume}" placeholder:"STATE"`
	Value            string   `help:"${help_value}" placeholder:"F"`
	AllowHost        []string `name:"allow-host" help:"${help_allow_host}" placeholder:"HOST" sep:"none"`
	evidenceFlags    `embed:""`
	Jobs             int  `help:"${help_jobs}" placeholder:"N"`
	JSON             bool `name:"json" help:"${help_json}"`
	Force            bool `help:"${help_force}"`

	password string // of encrypted files
	batch    *batch // of several files; nil for one
}

// The place of a visible signature when --rect does not say, in points: lower left,
// inside the usual margin, or with --anchor right below the text.
const (
	defaultMargin = 36
	defaultWidth  = 200
	defaultHeight = 64
	anchorGap     = 4
)

// signJob is one file to sign.
type signJob struct{ file, output string }

// signLine is the contract's line for one file.
type signLine struct {
	File   string `json:"file"`
	Output string `json:"output,omitempty"`
	Status string `json:"status"`
	*signer.Result
	*stopped
	// Warnings stand for those of Result, which a signing that stopped has none of yet.
	Warnings []signer.Warning `json:"warnings,omitempty"`
	Error    *jsonError       `json:"error,omitempty"`

	err  error
	temp string // where the signed file waits for its name; empty when it has it
}

// Run signs the files in the order given.
func (c *signCmd) Run(e *env, ctx *ctxHolder) error {
	if err := c.checkResume(); err != nil {
		return err
	}
	jobs, err := c.jobsFor()
	if err != nil {
		return err
	}
	req, err := c.request()
	if err != nil {
		return err
	}
	if c.password, err = pdfPassword(c.PDFPasswordFile); err != nil {
		return err
	}
	s, err := c.signer(e)
	if err != nil {
		return err
	}
	if len(jobs) > 1 && !c.stops() {
		c.batch = &batch{dir: c.Output, force: c.Force, out: e.outputs()}
		defer c.batch.discard()
	}
	q := signQueue{signCmd: c, env: e}
	err = eachInOrder(ctx, c.Jobs, jobs, func(ctx context.Context, j signJob) signLine {
		return c.signOne(ctx, e, s, req, j)
	}, q.add)
	if err == nil {
		err = q.flush()
	}
	if err != nil {
		return err
	}
	return c.finish(e, q.all)
}

// signQueue holds the lines of signed files back until the files are on the disk
// under their names.
type signQueue struct {
	*signCmd
	env     *env
	all     []signLine
	pending []signLine
	since   time.Time // when the first of pending came
}

// add takes one more line, in order.
func (q *signQueue) add(l signLine) error {
	if len(q.pending) == 0 {
		q.since = q.env.now()
	}
	q.pending = append(q.pending, l)
	if q.batch != nil && len(q.pending) < batchFiles && q.env.now().Sub(q.since) < batchWait {
		return nil
	}
	return q.flush()
}

// flush gives the files their names and prints their lines.
func (q *signQueue) flush() error {
	var files []named
	var at []int
	for i, l := range q.pending {
		if l.temp != "" {
			files, at = append(files, named{l.temp, l.Output}), append(at, i)
		}
	}
	if len(files) > 0 {
		for i, err := range q.batch.commit(files) {
			if err != nil {
				q.pending[at[i]] = q.pending[at[i]].failed(err, q.env.lang)
			}
		}
	}
	for _, l := range q.pending {
		q.all = append(q.all, l)
		if err := q.print(q.env, l); err != nil {
			return err
		}
	}
	q.pending = nil
	return nil
}

// jobsFor pairs each input with its output and refuses pairs that would destroy a file.
func (c *signCmd) jobsFor() ([]signJob, error) {
	several := len(c.Files) > 1
	if several && !strings.HasSuffix(c.Output, "/") && !isDir(c.Output) {
		if _, err := os.Stat(c.Output); err == nil {
			return nil, text.Detailed(text.InvalidInput, nil, "cli.need_output")
		}
	}
	seen := map[string]bool{}
	jobs := make([]signJob, 0, len(c.Files))
	for _, f := range c.Files {
		out := outputPath(c.Output, f, several)
		if seen[out] {
			return nil, text.Detailed(text.InvalidInput, nil, "cli.same_name", filepath.Base(f))
		}
		seen[out] = true
		a, errA := os.Stat(f)
		b, errB := os.Stat(out)
		if errA == nil && errB == nil && os.SameFile(a, b) {
			return nil, text.Detailed(text.OutputExists, nil, "cli.output_is_input", f)
		}
		jobs = append(jobs, signJob{f, out})
	}
	return jobs, nil
}

// request turns the flags into what the signer is asked for.
func (c *signCmd) request() (signer.Request, error) {
	req := signer.Request{Key: c.Key, Field: c.Field, Certify: c.Certify, Reason: c.Reason, Location: c.Location, PSS: c.RSAPSS, Offline: c.Offline}
	level, ok := ades.ParseLevel(c.Level)
	if !ok {
		return req, text.Detailed(text.InvalidInput, nil, "cli.bad_level")
	}
	req.Level = level
	if level != ades.BB && len(c.TSA) == 0 {
		return req, text.Detailed(text.InvalidInput, nil, "cli.need_tsa", c.Level)
	}
	if level != ades.BB && c.Offline {
		return req, text.Detailed(text.InvalidInput, nil, "cli.offline_level")
	}
	if c.Certify < 0 || c.Certify > 3 {
		return req, text.Detailed(text.InvalidInput, nil, "cli.bad_certify")
	}
	req.Digest, req.NewFieldAfterCertify = digestNames[c.Digest], c.NewField
	if err := c.claims(&req); err != nil {
		return req, err
	}
	lock, err := parseLock(c.Lock)
	if err != nil {
		return req, err
	}
	req.Lock = lock
	return req, c.place(&req)
}

func parseLock(s string) (*pades.Lock, error) {
	if s == "" {
		return nil, nil
	}
	if s == "all" {
		return &pades.Lock{Action: pades.LockAll}, nil
	}
	kind, names, ok := strings.Cut(s, ":")
	if ok && names != "" {
		switch kind {
		case "include":
			return &pades.Lock{Action: pades.LockInclude, Fields: strings.Split(names, ",")}, nil
		case "exclude":
			return &pades.Lock{Action: pades.LockExclude, Fields: strings.Split(names, ",")}, nil
		}
	}
	return nil, text.Detailed(text.InvalidInput, nil, "cli.bad_lock")
}

// place reads --page, --rect and --appearance. Any of them makes the signature
// visible unless --appearance none says otherwise.
func (c *signCmd) place(req *signer.Request) error {
	switch c.Page {
	case "":
	case "last":
		req.Page = pades.LastPage
	default:
		n, err := strconv.Atoi(c.Page)
		if err != nil || n < 1 {
			return text.Detailed(text.InvalidInput, err, "cli.bad_page")
		}
		req.Page = n
	}
	switch c.Appearance {
	case "none":
		if c.Anchor != "" {
			return text.Detailed(text.InvalidInput, nil, "cli.anchor_invisible")
		}
		return nil
	case "":
		if c.Page == "" && c.Rect == "" && c.Anchor == "" {
			return nil
		}
	case "text":
	default:
		return text.Detailed(text.InvalidInput, nil, "cli.bad_appearance", c.Appearance)
	}
	req.Rect = [4]float64{defaultMargin, defaultMargin, defaultMargin + defaultWidth, defaultMargin + defaultHeight}
	if req.Anchor = c.Anchor; c.Anchor != "" {
		req.Rect = [4]float64{0, -anchorGap - defaultHeight, defaultWidth, -anchorGap} // right below the text
	}
	if c.Rect != "" {
		rect, err := parseRect(c.Rect)
		if err != nil {
			return err
		}
		req.Rect = rect
	}
	reason := c.Reason
	req.Draw = func(leaf *certs.Certificate, at time.Time) (pades.Appearance, error) {
		return appearance.Plain(appearance.PlainMark{Name: leaf.CommonName, Agency: leaf.Attribute("O"), Reason: reason, At: at}), nil
	}
	return nil
}

// parseRect reads x,y,w,h into left, bottom, right, top.
func parseRect(s string) (r [4]float64, err error) {
	parts := strings.Split(s, ",")
	if len(parts) != 4 {
		return r, text.Detailed(text.InvalidInput, nil, "cli.bad_rect")
	}
	for i, p := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || v != v || v < -1e6 || v > 1e6 {
			return r, text.Detailed(text.InvalidInput, err, "cli.bad_rect")
		}
		r[i] = v
	}
	if r[2] <= 0 || r[3] <= 0 {
		return r, text.Detailed(text.InvalidInput, nil, "cli.bad_rect")
	}
	r[2] += r[0]
	r[3] += r[1]
	return r, nil
}

func (c *signCmd) signOne(ctx context.Context, e *env, s *signer.Signer, req signer.Request, j signJob) signLine {
	l := signLine{File: j.file, Output: j.output}
	f, size, err := openInput(j.file)
	if err != nil {
		return l.failed(err, e.lang)
	}
	defer f.Close()
	in := signer.Input{Reader: f, Size: size, Name: filepath.Base(j.file), Password: c.password}
	normalised := false
	if c.Normalise {
		if in, normalised, err = signer.Normalise(ctx, in); err != nil {
			return l.failed(err, e.lang)
		}
	}
	if c.stops() {
		p, err := c.prepareOne(ctx, s, in, req)
		if err != nil {
			return l.failed(err, e.lang)
		}
		l.Output, l.Status, l.stopped, l.Warnings = "", "prepared", c.stopped(p), p.Warnings
		if normalised {
			l.Warnings = append(l.Warnings, signer.WarnNormalised)
		}
		return l
	}
	write := func(w io.Writer) error { // in large pieces, so that nothing is gained by a buffer
		l.Result, err = c.sign(ctx, s, in, req, w)
		return err
	}
	if c.batch != nil {
		l.temp, err = c.batch.write(j.output, write)
	} else {
		err = e.outputs().writeFile(j.output, c.Force, write)
	}
	if err != nil {
		return l.failed(err, e.lang)
	}
	l.Status, l.Warnings = "signed", l.Result.Warnings
	if normalised {
		l.Warnings = append(l.Warnings, signer.WarnNormalised)
	}
	return l
}

// sign signs one document, or completes what was prepared.
func (c *signCmd) sign(ctx context.Context, s *signer.Signer, in signer.Input, req signer.Request, out io.Writer) (*signer.Result, error) {
	if c.Resume != "" {
		return c.completeOne(ctx, s, in, out)
	}
	return s.Sign(ctx, in, out, req)
}

// failed says refused for what the document, the policy or the request forbids,
// and failed for what may pass when tried again.
func (l signLine) failed(err error, lang text.Lang) signLine {
	l.Output, l.Result, l.err = "", nil, err
	l.Error = newJSONError(err, lang)
	l.Status = "refused"
	if code := text.CodeOf(err); code.Exit() == text.TSAUnavailable.Exit() || code == text.Internal || code == text.Interrupted {
		l.Status = "failed"
	}
	return l
}

// warn prints the warnings in words.
func (l signLine) warn(e *env) {
	for _, w := range l.Warnings {
		e.say(text.Key("cli.warning." + string(w)))
	}
}

func (c *signCmd) print(e *env, l signLine) error {
	switch {
	case c.JSON:
		return printJSON(e.out, l)
	case l.stopped != nil:
		e.say("cli.prepared", l.File, l.State, l.Expires.Local().Format(time.DateTime))
		l.warn(e)
		fmt.Fprintln(e.out, l.ToSign)
	case l.err == nil:
		e.say("cli.signed", l.File, l.Output, l.Level)
		l.warn(e)
	case len(c.Files) > 1:
		fmt.Fprintln(e.err, text.Get("cli.file_failed", l.File, l.Error.Message, l.Error.Code, l.Error.Fix).In(e.lang))
	}
	return nil
}

// finish gives one file's own error, and for several the contract's 6 when some
// were signed and others not.
func (c *signCmd) finish(e *env, all []signLine) error {
	signed := 0
	var first error
	for _, l := range all {
		if l.err == nil {
			signed++
		} else if first == nil {
			first = l.err
		}
	}
	if len(all) > 1 {
		e.say("cli.summary_signed", signed, len(all)-signed)
	}
	switch {
	case first == nil:
		return nil
	case len(all) == 1 && !c.JSON:
		return first
	case signed > 0:
		return exitError(6)
	}
	return exitError(text.CodeOf(first).Exit())
}
