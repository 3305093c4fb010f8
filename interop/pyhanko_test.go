//go:build interop

package interop_test

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

//go:embed pyhanko_worker.py
var workerScript string

// pyVersion is the version whose judgement the expectations here were made with.
const pyVersion = "0.38."

// pyPassed is pyHanko's word for TOTAL-PASSED.
const pyPassed = "AdESPassed.OK"

// pyHanko is a few long-lived Python processes: starting one takes longer than
// twenty judgements.
type pyHanko struct {
	idle chan *pyWorker
	all  []*pyWorker
}

type pyWorker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// pySign asks for one signature.
type pySign struct {
	Command  string `json:"command"`
	In       string `json:"in"`
	Out      string `json:"out"`
	P12      string `json:"p12"`
	Password string `json:"password"`
	Level    string `json:"level"`
	Field    string `json:"field"`
	Visible  bool   `json:"visible"`
	OneStep  bool   `json:"one_step"`
	Root     string `json:"root"`
	TSA      string `json:"tsa"`
}

// pyValidate asks for a judgement.
type pyValidate struct {
	Command string `json:"command"`
	File    string `json:"file"`
	Root    string `json:"root"`
	Offline bool   `json:"offline"`
	Strict  bool   `json:"strict"`
	// Local asks for integrity and later changes alone, without revocation data and
	// without a network.
	Local bool `json:"local"`
	// Archival asks, beside Offline, for the process for archival material, which
	// wants a document time-stamp.
	Archival bool   `json:"archival"`
	Password string `json:"password"`
	// At is the time of the judgement by EN 319 102-1, in RFC 3339; "" is now, and then
	// Offline alone asks for that standard's processes.
	At string `json:"at,omitempty"`
	// Basic asks, beside At, for the process that knows no time-stamps.
	Basic bool `json:"basic"`
}

// pyStatus is pyHanko's judgement on one signature.
type pyStatus struct {
	Field         string
	Intact        bool
	Valid         bool
	Trusted       bool
	BottomLine    bool `json:"bottom_line"`
	Coverage      string
	Modifications string
	DocMDPOK      bool `json:"docmdp_ok"`
	Problem       string
	Timestamp     *struct{ Valid, Trusted bool }
	Indication    string
	Why           string
}

type pyAnswer struct {
	OK         bool
	Error      string
	PyHanko    string
	Signatures []pyStatus
}

// startPyHanko starts n workers with the Python that ANTIN_PYHANKO names.
func startPyHanko(n int) (*pyHanko, error) {
	python := os.Getenv("ANTIN_PYHANKO")
	if python == "" {
		return nil, errors.New("ANTIN_PYHANKO must name a python that has pyHanko")
	}
	p := &pyHanko{idle: make(chan *pyWorker, n)}
	for range n {
		w, err := startWorker(python)
		if err != nil {
			return nil, err
		}
		p.all = append(p.all, w)
		p.idle <- w
	}
	return p, nil
}

func startWorker(python string) (*pyWorker, error) {
	w := &pyWorker{cmd: exec.Command(python, "-c", workerScript)}
	w.cmd.Stderr = os.Stderr
	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.out = bufio.NewReader(out)
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	hello, err := w.read()
	if err != nil {
		return nil, fmt.Errorf("starting pyHanko: %w", err)
	}
	if !strings.HasPrefix(hello.PyHanko, pyVersion) {
		return nil, fmt.Errorf("pyHanko %s where %sx is expected", hello.PyHanko, pyVersion)
	}
	return w, nil
}

func (w *pyWorker) read() (*pyAnswer, error) {
	line, err := w.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("reading pyHanko's answer: %w", err)
	}
	a := &pyAnswer{}
	if err := json.Unmarshal(line, a); err != nil {
		return nil, err
	}
	if !a.OK {
		return nil, fmt.Errorf("pyHanko: %s", a.Error)
	}
	return a, nil
}

// ask sends one request to a free worker. A worker that does not answer in time
// is ended, and its request fails.
func (p *pyHanko) ask(request any) (*pyAnswer, error) {
	line, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	w := <-p.idle
	defer func() { p.idle <- w }()
	alarm := time.AfterFunc(toolTimeout, func() { _ = w.cmd.Process.Kill() })
	defer alarm.Stop()
	if _, err := w.in.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	return w.read()
}

func (p *pyHanko) close() {
	for _, w := range p.all {
		_ = w.in.Close()
		_ = w.cmd.Wait()
	}
}

// pySignFile lets pyHanko sign in.
func (w *world) pySignFile(in, out, key, level, field string, visible, oneStep bool) error {
	_, err := w.py.ask(pySign{Command: "sign", In: in, Out: out, P12: w.p12(key, password), Password: password, Level: level,
		Field: field, Visible: visible, OneStep: oneStep, Root: w.root, TSA: w.TSAURL()})
	return err
}

// pyJudge lets pyHanko judge file by root: with the network, or with nothing but
// what the file holds. Files with hybrid cross-references need strict to be false.
func (w *world) pyJudge(file, root string, offline, strict bool) (map[string]pyStatus, error) {
	return w.pyAsk(pyValidate{File: file, Root: root, Offline: offline, Strict: strict})
}

// pyAsk lets pyHanko judge as v says.
func (w *world) pyAsk(v pyValidate) (map[string]pyStatus, error) {
	v.Command = "validate"
	a, err := w.py.ask(v)
	if err != nil {
		return nil, err
	}
	all := map[string]pyStatus{}
	for _, s := range a.Signatures {
		all[s.Field] = s
	}
	return all, nil
}

// good reports what keeps s from being accepted in full, empty when nothing does.
func (s pyStatus) good(stamped bool) string {
	switch {
	case !s.Intact:
		return "not intact"
	case !s.Valid:
		return "signature value wrong"
	case !s.Trusted:
		return "not trusted: " + s.Problem + " " + s.Why
	case stamped && (s.Timestamp == nil || !s.Timestamp.Valid || !s.Timestamp.Trusted):
		return fmt.Sprintf("time-stamp not valid: %+v", s.Timestamp)
	case s.Coverage != "ENTIRE_FILE" && s.Coverage != "ENTIRE_REVISION":
		return "coverage " + s.Coverage
	case !s.DocMDPOK:
		return "later changes not allowed: " + s.Modifications
	case s.Indication != "" && s.Indication != pyPassed:
		return s.Indication + ": " + s.Why
	case !s.BottomLine:
		return "bottom line is no"
	}
	return ""
}
