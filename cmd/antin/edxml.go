package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"antin/exchange/edxml"
	"antin/internal/text"
)

// edxmlCmd looks into messages of the national format and makes them.
type edxmlCmd struct {
	Explain edxmlExplainCmd `cmd:"" help:"${help_edxml_explain}"`
	Lint    edxmlLintCmd    `cmd:"" help:"${help_edxml_lint}"`
	Unpack  edxmlUnpackCmd  `cmd:"" help:"${help_edxml_unpack}"`
	Pack    edxmlPackCmd    `cmd:"" help:"${help_edxml_pack}"`
	Diff    edxmlDiffCmd    `cmd:"" help:"${help_edxml_diff}"`
}

// edxmlExplainCmd says in plain words what messages hold.
type edxmlExplainCmd struct {
	Files []string `arg:"" name:"file" help:"${help_edxml_files}"`
	JSON  bool     `name:"json" help:"${help_json}"`
}

// explainLine is the answer of explain --json.
type explainLine struct {
	File string `json:"file"`
	*messageJSON
	Error *jsonError `json:"error,omitempty"`
}

// Run prints what each message holds.
func (c *edxmlExplainCmd) Run(e *env) error {
	return overMessages(e, c.Files, c.JSON, func(file string, m *edxml.Message) (exitError, error) {
		j, err := readAttachments(m)
		if err != nil {
			return 0, err
		}
		if c.JSON {
			return 0, printJSON(e.out, explainLine{File: file, messageJSON: j})
		}
		_, err = io.WriteString(e.out, explained(e.lang, file, j))
		return 0, err
	})
}

// overMessages hands each readable file to show and tells of the others. Its outcome
// is the gravest that show returns; 6 when some files could be read and others not.
func overMessages(e *env, files []string, asJSON bool, show func(file string, m *edxml.Message) (exitError, error)) error {
	var worst exitError
	var failed error
	for _, file := range files {
		outcome, err := withMessage(file, func(m *edxml.Message) (exitError, error) { return show(file, m) })
		worst = max(worst, outcome)
		if err == nil {
			continue
		}
		failed = err
		if asJSON {
			if err := printJSON(e.out, explainLine{File: file, Error: newJSONError(err, e.lang)}); err != nil {
				return err
			}
		} else if len(files) > 1 {
			e.fail(text.Detailed(text.CodeOf(err), err, "edxml.cmd.in_file", file, text.As(err).Message().In(e.lang)))
		}
		if len(files) > 1 {
			worst = max(worst, partlyDone)
		}
	}
	switch {
	case failed != nil && len(files) == 1 && asJSON:
		return exitError(text.CodeOf(failed).Exit())
	case failed != nil && len(files) == 1:
		return failed
	case worst != 0:
		return worst
	}
	return nil
}

// partlyDone is the outcome when some files could be read and others not.
const partlyDone exitError = 6

// withMessage opens and reads one message for as long as use runs: its attachments
// stay in the file.
func withMessage(file string, use func(*edxml.Message) (exitError, error)) (exitError, error) {
	f, size, err := openInput(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	m, err := edxml.Read(f, size, edxml.Limits{})
	if err != nil {
		return 0, err
	}
	return use(m)
}

// readAttachments is m with what reading every attachment to its end tells of it.
func readAttachments(m *edxml.Message) (*messageJSON, error) {
	j := newMessageJSON(m)
	for i := range m.Attachments {
		if err := copyAttachment(io.Discard, &m.Attachments[i], &j.Attachments[i]); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// copyAttachment writes the file a to w and notes in j what it was.
func copyAttachment(w io.Writer, a *edxml.Attachment, j *attachmentJSON) (err error) {
	content, err := a.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	if _, err := io.Copy(w, content); err != nil {
		return err
	}
	sum := content.SHA256()
	j.Bytes, j.SHA256, j.MediaType = content.Size(), hex.EncodeToString(sum[:]), content.MediaType()
	if reason, destroyed := content.Destroyed(); destroyed {
		j.Destroyed = &reason
	}
	return nil
}

// edxmlLintCmd lists what receivers may stumble over.
type edxmlLintCmd struct {
	Files []string `arg:"" name:"file" help:"${help_edxml_files}"`
	JSON  bool     `name:"json" help:"${help_json}"`
}

// lintLine is the answer of lint --json.
type lintLine struct {
	File     string          `json:"file"`
	Findings []edxml.Finding `json:"findings"`
}

// Run prints the findings on each message; one of severity error makes the outcome 3.
func (c *edxmlLintCmd) Run(e *env) error {
	return overMessages(e, c.Files, c.JSON, func(file string, m *edxml.Message) (exitError, error) {
		j, err := readAttachments(m)
		if err != nil {
			return 0, err
		}
		line := lintLine{File: file, Findings: edxml.Lint(m)}
		for i, a := range j.Attachments {
			if a.Destroyed != nil {
				line.Findings = append(line.Findings, edxml.Finding{Path: fmt.Sprintf("AttachmentEncoded/Attachment[%d]", i+1),
					Severity: edxml.SeverityError, Code: "edxml.destroyed", Message: *a.Destroyed})
			}
		}
		var outcome exitError
		for _, f := range line.Findings {
			if f.Severity == edxml.SeverityError {
				outcome = 3
			}
		}
		if c.JSON {
			line.Findings = append([]edxml.Finding{}, line.Findings...) // an empty list, not null
			return outcome, printJSON(e.out, line)
		}
		return outcome, c.print(e, line)
	})
}

func (c *edxmlLintCmd) print(e *env, line lintLine) error {
	if len(line.Findings) == 0 {
		_, err := fmt.Fprintln(e.out, text.Get("edxml.cmd.clean", line.File).In(e.lang))
		return err
	}
	for _, f := range line.Findings {
		sign := map[edxml.Severity]string{edxml.SeverityError: "✗", edxml.SeverityWarning: "!"}[f.Severity]
		if sign == "" {
			sign = "·"
		}
		if _, err := fmt.Fprintf(e.out, "%s %s: %s: %s\n", sign, line.File, f.Path, f.Message.In(e.lang)); err != nil {
			return err
		}
	}
	return nil
}

// openPlace is the folder that files are unpacked into or packed from; no name leads out of it.
func openPlace(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, inputError(dir, err)
	}
	return root, nil
}
