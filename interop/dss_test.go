//go:build interop

package interop_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// javaMemory bounds the one Java process; DSS keeps whole files and their pages.
const javaMemory = "-Xmx1500m"

// dssVersion is the version whose judgement the expectations here were made with.
const dssVersion = "6.4"

// What DSS calls a signature and a time-stamp that holds.
const (
	dssPassed      = "TOTAL_PASSED"
	dssStampPassed = "PASSED"
)

// java is the process of interop/dss, in which EU DSS and veraPDF live: starting
// one takes longer than twenty judgements.
type java struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	mu      sync.Mutex
	next    int
	waiting map[string]chan javaAnswer
	ended   error
}

// javaAnswer is one line of its answers, of whichever kind.
type javaAnswer struct {
	ID, File, Error string
	DSS             string
	Signatures      []dssStatus
	Timestamps      []dssStatus
	Flavour         string
	Compliant       bool
	Assertions      int
	Broken          map[string]int
}

// dssStatus is what DSS says of one signature or time-stamp.
type dssStatus struct {
	Field, Indication, Sub, Level, Type string
	Errors, Warnings                    []string
}

// startJava starts the program whose jars lie in the folder that ANTIN_JUDGES names.
func startJava() (*java, error) {
	lib := os.Getenv("ANTIN_JUDGES")
	if lib == "" {
		return nil, errors.New("ANTIN_JUDGES must name the folder with the jars of interop/dss (mvn package: target/lib)")
	}
	j := &java{waiting: map[string]chan javaAnswer{}}
	j.cmd = exec.Command("java", javaMemory, "-XX:+UseSerialGC", "-Djava.awt.headless=true", "-cp", filepath.Join(lib, "*"), "antin.interop.Judge", "-")
	j.cmd.Stderr = os.Stderr
	var err error
	if j.in, err = j.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := j.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := j.cmd.Start(); err != nil {
		return nil, err
	}
	hello := make(chan javaAnswer, 1)
	j.waiting["hello"] = hello
	go j.listen(bufio.NewReader(out))
	if a := <-hello; a.DSS != dssVersion {
		return nil, fmt.Errorf("DSS %q where %s is expected: %s", a.DSS, dssVersion, a.Error)
	}
	return j, nil
}

// listen hands out the answers until the program ends.
func (j *java) listen(out *bufio.Reader) {
	for {
		line, err := out.ReadBytes('\n')
		var a javaAnswer
		if err == nil {
			err = json.Unmarshal(line, &a)
		}
		j.mu.Lock()
		if err != nil {
			j.ended = fmt.Errorf("reading the Java process: %w", err)
			for id, ch := range j.waiting {
				ch <- javaAnswer{Error: j.ended.Error()}
				delete(j.waiting, id)
			}
			j.mu.Unlock()
			return
		}
		if ch := j.waiting[a.ID]; ch != nil {
			ch <- a
			delete(j.waiting, a.ID)
		}
		j.mu.Unlock()
	}
}

// ask sends one request about one file and waits for the answer.
func (j *java) ask(words ...string) (javaAnswer, error) {
	answer := make(chan javaAnswer, 1)
	j.mu.Lock()
	if j.ended != nil {
		defer j.mu.Unlock()
		return javaAnswer{}, j.ended
	}
	j.next++
	id := fmt.Sprint(j.next)
	j.waiting[id] = answer
	_, err := io.WriteString(j.in, id+"\t"+strings.Join(words, "\t")+"\n")
	j.mu.Unlock()
	if err != nil {
		return javaAnswer{}, err
	}
	select {
	case a := <-answer:
		if a.Error != "" {
			return a, fmt.Errorf("java %s: %s", words[0], a.Error)
		}
		return a, nil
	case <-time.After(toolTimeout):
		return javaAnswer{}, fmt.Errorf("java %s: %w", strings.Join(words, " "), errStuck)
	}
}

func (j *java) close() {
	_ = j.in.Close()
	_ = j.cmd.Wait()
}

// orNone stands for an argument that is not given.
func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// dssQuestion is how DSS is asked about a file.
type dssQuestion struct {
	root, password string
	online         bool      // it may fetch certificates and revocation data
	eddsa          bool      // by its policy with EdDSA allowed, which ETSI does not list
	at             time.Time // the time of the judgement; zero is now
}

// dssJudge lets DSS validate the file at path.
func (w *world) dssJudge(path string, q dssQuestion) (javaAnswer, error) {
	network, policy := "offline", "default"
	if q.online {
		network = "online"
	}
	if q.eddsa {
		policy = "eddsa"
	}
	if !q.at.IsZero() {
		return w.java.ask("at", q.at.UTC().Format(time.RFC3339), q.root, network, policy, orNone(q.password), path)
	}
	return w.java.ask("dss", q.root, network, policy, orNone(q.password), path)
}

// of is what DSS says of the signature in field, which it knows by the last part of
// its name.
func (a javaAnswer) of(field string) (dssStatus, error) {
	for _, s := range a.Signatures {
		if s.Field == field[strings.LastIndex(field, ".")+1:] {
			return s, nil
		}
	}
	return dssStatus{}, fmt.Errorf("DSS sees no signature in %s: %+v", field, a.Signatures)
}

// passed wants TOTAL_PASSED of field, at level when that is not empty.
func (a javaAnswer) passed(field, level string) error {
	s, err := a.of(field)
	switch {
	case err != nil:
		return err
	case s.Indication != dssPassed:
		return fmt.Errorf("DSS on %s: %s %s: %q, %q", field, s.Indication, s.Sub, s.Errors, s.Warnings)
	case level != "" && s.Level != level:
		return fmt.Errorf("DSS on %s: level %s, not %s", field, s.Level, level)
	}
	return nil
}

// dssSigning says how DSS signs.
type dssSigning struct {
	key, level, digest string
	pss                bool
	field              string // a new one by the name that DSS gives when empty
	password           string
}

// dssSign lets DSS sign in.
func (w *world) dssSign(in, out string, s dssSigning) error {
	scheme := "plain"
	if s.pss {
		scheme = "pss"
	}
	_, err := w.java.ask("sign", w.root, w.TSAURL(), s.level, s.digest, scheme, w.p12(s.key, asciiPassword), asciiPassword,
		orNone(s.field), orNone(s.password), in, out)
	return err
}

// dssExtend lets DSS raise the signatures of in to level.
func (w *world) dssExtend(in, out, level, password string) error {
	_, err := w.java.ask("extend", w.root, w.TSAURL(), level, orNone(password), in, out)
	return err
}

// veraJudge wants veraPDF to find the file at path in keeping with flavour.
func (w *world) veraJudge(path, flavour string) error {
	a, err := w.java.ask("verapdf", flavour, path)
	if err == nil && (!a.Compliant || a.Assertions == 0) {
		err = fmt.Errorf("veraPDF: not %s: broken rules %v", flavour, a.Broken)
	}
	return err
}
