package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
)

// augmentCmd raises signatures that are there to a higher level, without any key.
type augmentCmd struct {
	Files           []string `arg:"" name:"file" help:"${help_files}"`
	Output          string   `short:"o" required:"" help:"${help_output}" placeholder:"OUT"`
	Level           string   `required:"" help:"${help_augment_level}" placeholder:"B-T|B-LT|B-LTA"`
	TSA             []string `name:"tsa" help:"${help_augment_tsa}" placeholder:"URL" sep:"none"`
	TSATimeout      []string `name:"tsa-timeout" help:"${help_tsa_timeout}" placeholder:"[HOST=]SPAN" sep:"none"`
	Trust           []string `help:"${help_trust}" placeholder:"PATH" sep:"none"`
	AllowHost       []string `name:"allow-host" help:"${help_allow_host}" placeholder:"HOST" sep:"none"`
	evidenceFlags   `embed:""`
	PDFPasswordFile string `name:"pdf-password-file" help:"${help_pdf_password}" placeholder:"F"`
	JSON            bool   `name:"json" help:"${help_json}"`
	Force           bool   `help:"${help_force}"`
}

// Run augments the files in the order given.
func (c *augmentCmd) Run(e *env, ctx *ctxHolder) error {
	// The rules for outputs are those of `antin sign`.
	jobs, err := (&signCmd{Files: c.Files, Output: c.Output}).jobsFor()
	if err != nil {
		return err
	}
	level, ok := ades.ParseLevel(c.Level)
	switch {
	case !ok || level == ades.BB:
		return text.Detailed(text.InvalidInput, nil, "cli.bad_augment_level")
	case level != ades.BLT && len(c.TSA) == 0:
		return text.Detailed(text.InvalidInput, nil, "cli.need_tsa", c.Level)
	}
	password, err := pdfPassword(c.PDFPasswordFile)
	if err != nil {
		return err
	}
	s, err := c.signer(e)
	if err != nil {
		return err
	}
	var all []signLine
	err = eachInOrder(ctx, 0, jobs, func(ctx context.Context, j signJob) signLine {
		return c.augmentOne(ctx, e, s, level, password, j)
	}, func(l signLine) error {
		all = append(all, l)
		return c.print(e, l)
	})
	if err != nil {
		return err
	}
	return c.finish(e, all)
}

func (c *augmentCmd) augmentOne(ctx context.Context, e *env, s *signer.Signer, level ades.Level, password string, j signJob) signLine {
	l := signLine{File: j.file, Output: j.output}
	f, size, err := openInput(j.file)
	if err != nil {
		return l.failed(err, e.lang)
	}
	defer f.Close()
	in := signer.Input{Reader: f, Size: size, Name: filepath.Base(j.file), Password: password}
	err = e.outputs().writeFile(j.output, c.Force, func(w io.Writer) error {
		bw := bufio.NewWriterSize(w, 1<<20)
		l.Result, err = s.Augment(ctx, in, bw, level)
		if err != nil {
			return err
		}
		return bw.Flush()
	})
	if err != nil {
		return l.failed(err, e.lang)
	}
	l.Status, l.Warnings = "signed", l.Result.Warnings
	return l
}

func (c *augmentCmd) print(e *env, l signLine) error {
	switch {
	case c.JSON:
		return printJSON(e.out, l)
	case l.err == nil:
		e.say("cli.augmented", l.File, l.Output, l.Level)
		l.warn(e)
	case len(c.Files) > 1:
		fmt.Fprintln(e.err, text.Get("cli.file_failed", l.File, l.Error.Message, l.Error.Code, l.Error.Fix).In(e.lang))
	}
	return nil
}

// finish gives one file's own error, and for several the contract's 6 when some
// were raised and others not.
func (c *augmentCmd) finish(e *env, all []signLine) error {
	raised := 0
	var first error
	for _, l := range all {
		switch {
		case l.err == nil:
			raised++
		case first == nil:
			first = l.err
		}
	}
	if len(all) > 1 {
		e.say("cli.summary_augmented", raised, len(all)-raised)
	}
	switch {
	case first == nil:
		return nil
	case len(all) == 1 && !c.JSON:
		return first
	case raised > 0:
		return exitError(6)
	}
	return exitError(text.CodeOf(first).Exit())
}
