package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"antin/exchange/edxml"
	"antin/internal/text"
)

// edxmlDiffCmd compares what two messages say, however they are written.
type edxmlDiffCmd struct {
	Before string `arg:"" help:"${help_edxml_before}"`
	After  string `arg:"" help:"${help_edxml_after}"`
	JSON   bool   `name:"json" help:"${help_json}"`
}

// diffLine is the answer of diff --json. Paths are those of the header's JSON; a value
// that one side does not have is absent.
type diffLine struct {
	Before      string           `json:"before"`
	After       string           `json:"after"`
	Same        bool             `json:"same"`
	Differences []differenceLine `json:"differences"`
	Error       *jsonError       `json:"error,omitempty"`
}

type differenceLine struct {
	Path   string  `json:"path"`
	Before *string `json:"before,omitempty"`
	After  *string `json:"after,omitempty"`
}

// Run prints what differs; the outcome is 3 when anything does.
func (c *edxmlDiffCmd) Run(e *env) error {
	line := diffLine{Before: c.Before, After: c.After}
	err := c.compare(&line)
	switch {
	case err != nil && c.JSON:
		line.Error = newJSONError(err, e.lang)
		if err := printJSON(e.out, line); err != nil {
			return err
		}
		return exitError(text.CodeOf(err).Exit())
	case err != nil:
		return err
	case c.JSON:
		err = printJSON(e.out, line)
	case line.Same:
		e.say("edxml.cmd.same")
	default:
		err = c.print(e, line)
	}
	if err == nil && !line.Same {
		return exitError(3)
	}
	return err
}

func (c *edxmlDiffCmd) compare(line *diffLine) error {
	before, err := facts(c.Before)
	if err != nil {
		return text.Detailed(text.CodeOf(err), err, "edxml.cmd.in_file", c.Before, text.As(err).Message().VI)
	}
	after, err := facts(c.After)
	if err != nil {
		return text.Detailed(text.CodeOf(err), err, "edxml.cmd.in_file", c.After, text.As(err).Message().VI)
	}
	paths := slices.Collect(maps.Keys(before))
	for p := range after {
		if _, both := before[p]; !both {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	line.Differences = []differenceLine{}
	for _, p := range paths {
		d := differenceLine{Path: p}
		b, inBefore := before[p]
		a, inAfter := after[p]
		if inBefore {
			d.Before = &b
		}
		if inAfter {
			d.After = &a
		}
		if !inBefore || !inAfter || a != b {
			line.Differences = append(line.Differences, d)
		}
	}
	line.Same = len(line.Differences) == 0
	return nil
}

func (c *edxmlDiffCmd) print(e *env, line diffLine) error {
	for _, d := range line.Differences {
		if _, err := fmt.Fprintln(e.out, d.Path); err != nil {
			return err
		}
		for _, side := range []struct {
			sign  string
			value *string
		}{{"-", d.Before}, {"+", d.After}} {
			if side.value == nil {
				continue
			}
			if _, err := fmt.Fprintf(e.out, "  %s %s\n", side.sign, oneLine(*side.value)); err != nil {
				return err
			}
		}
	}
	return nil
}

// facts are the single statements of a message by their paths in its JSON. How it is
// written is none of them: dialect, content identifiers, wrapping.
func facts(file string) (map[string]string, error) {
	var j *messageJSON
	_, err := withMessage(file, func(m *edxml.Message) (_ exitError, err error) {
		j, err = readAttachments(m)
		return 0, err
	})
	if err != nil {
		return nil, err
	}
	j.Dialect, j.References = "", nil
	for i := range j.Attachments {
		j.Attachments[i].ContentID, j.Attachments[i].Wrapped = "", false
	}
	data, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	out := map[string]string{}
	flatten(out, "", tree)
	return out, nil
}

func flatten(out map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, child := range v {
			flatten(out, strings.TrimPrefix(path+"."+k, "."), child)
		}
	case []any:
		for i, child := range v {
			flatten(out, path+"["+strconv.Itoa(i+1)+"]", child)
		}
	default:
		out[path] = fmt.Sprint(v)
	}
}
