package main

import (
	"bufio"
	"context"
	"crypto"
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
	Files           []string `arg:"" name:"file" help:"${help_files}"`
	Output          string   `short:"o" required:"" help:"${help_output}" placeholder:"OUT"`
	Key             string   `required:"" help:"${help_key}" placeholder:"REF"`
	KeyPasswordFile string   `name:"key-password-file" help:"${help_key_password}" placeholder:"F"`
	Level           string   `help:"${help_level}" default:"B-B" placeholder:"B-B|B-T|B-LT"`
	TSA             []string `name:"tsa" help:"${help_tsa}" placeholder:"URL" sep:"none"`
	Trust           []string `help:"${help_trust}" placeholder:"PATH" sep:"none"`
	Field           string   `help:"${help_field}" placeholder:"NAME"`
	Certify         int      `help:"${help_certify}" placeholder:"1|2|3"`
	Lock            string   `help:"${help_lock}" placeholder:"all|include:F,…|exclude:F,…"`
	Offline         bool     `help:"${help_offline}"`
	Reason          string   `help:"${help_reason}" placeholder:"TEXT"`
	Location        string   `help:"${help_location}" placeholder:"TEXT"`
	Appearance      string   `help:"${help_appearance}" placeholder:"text|none"`
	Page            string   `help:"${help_page}" placeholder:"N|last"`
	Rect            string   `help:"${help_rect}" placeholder:"x,y,w,h"`
	Digest          string   `help:"${help_digest}" enum:"sha256,sha384,sha512" default:"sha256"`
	RSAPSS          bool     `name:"rsa-pss" help:"${help_rsa_pss}"`
	AllowHost       []string `name:"allow-host" help:"${help_allow_host}" placeholder:"HOST" sep:"none"`
	Jobs            int      `help:"${help_jobs}" placeholder:"N"`
	JSON            bool     `name:"json" help:"${help_json}"`
	Force           bool     `help:"${help_force}"`
}

// The place of a visible signature when --rect does not say: lower left, inside
// the usual margin, in points.
const defaultMargin = 36

// signJob is one file to sign.
type signJob struct{ file, output string }

// signLine is the contract's line for one file.
type signLine struct {
	File   string `json:"file"`
	Output string `json:"output,omitempty"`
	Status string `json:"status"`
	*signer.Result
	Error *jsonError `json:"error,omitempty"`

	err error
}

// Run signs the files in the order given.
func (c *signCmd) Run(e *env, ctx *ctxHolder) error {
	jobs, err := c.jobsFor()
	if err != nil {
		return err
	}
	req, err := c.request()
	if err != nil {
		return err
	}
	s, err := c.signer(e)
	if err != nil {
		return err
	}
	var all []signLine
	err = eachInOrder(ctx, c.Jobs, jobs, func(ctx context.Context, j signJob) signLine {
		return c.signOne(ctx, e, s, req, j)
	}, func(l signLine) error {
		all = append(all, l)
		return c.print(e, l)
	})
	if err != nil {
		return err
	}
	return c.finish(e, all)
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
	if !ok || level == ades.BLTA {
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
	switch c.Digest {
	case "sha384":
		req.Digest = crypto.SHA384
	case "sha512":
		req.Digest = crypto.SHA512
	default:
		req.Digest = crypto.SHA256
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
		return nil
	case "":
		if c.Page == "" && c.Rect == "" {
			return nil
		}
	case "text":
	default:
		return text.Detailed(text.InvalidInput, nil, "cli.bad_appearance", c.Appearance)
	}
	req.Rect = [4]float64{defaultMargin, defaultMargin, defaultMargin + 200, defaultMargin + 64}
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
	err = writeFile(j.output, c.Force, func(w io.Writer) error {
		bw := bufio.NewWriterSize(w, 1<<20)
		l.Result, err = s.Sign(ctx, signer.Input{Reader: f, Size: size, Name: filepath.Base(j.file)}, bw, req)
		if err != nil {
			return err
		}
		return bw.Flush()
	})
	if err != nil {
		return l.failed(err, e.lang)
	}
	l.Status = "signed"
	return l
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

func (c *signCmd) print(e *env, l signLine) error {
	switch {
	case c.JSON:
		return printJSON(e.out, l)
	case l.err == nil:
		e.say("cli.signed", l.File, l.Output, l.Level)
		for _, w := range l.Warnings {
			e.say(text.Key("cli.warning." + string(w)))
		}
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
