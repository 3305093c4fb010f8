package api_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"antin/api"
)

// The commands of the developer card are run as a person would paste them. Where
// there is no curl the test says that it did not run; CI has one.
func TestTheDeveloperCardsCommandsWork(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here: the developer card's commands were not run")
	}
	a, b := newPair(t)
	pdf := a.signedPDF(t)
	a.send(t, a.created(t, a.uploaded(t, pdf), "900"), b) // waits at B to be refused
	settle(t, a, b)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for _, s := range []*site{a, b} {
		go func() { done <- s.worker.Run(ctx) }()
	}
	var script strings.Builder
	examples := api.CurlExamples(api.Endpoint{Base: a.http.URL + "/a", Key: a.secrets[fullKey], Agency: "H15.01"}, api.Endpoint{Base: b.http.URL + "/b", Key: b.secrets[fullKey], Agency: "H15.02"})
	for _, e := range examples {
		if e.Title.VI == "" || e.Title.EN == "" || strings.ContainsAny(e.Command, "{}") && strings.Contains(e.Command, "{A}") {
			t.Errorf("example %+v", e)
		}
		script.WriteString(e.Command + "\necho\n")
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-eu")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(script.String())
	out, err := cmd.CombinedOutput()
	cancel()
	for range 2 {
		must(t, <-done)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile(filepath.Join(dir, "vanban.pdf"))
	if must(t, err); !bytes.Equal(got, pdf) {
		t.Error("the sample is not the document's file")
	}
	for _, want := range []string{`"verdict":"valid"`, `"state":"DELIVERED"`, `"state":"ACCEPTED"`, `"state":"RETURNED"`, `"deliveries":[`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	if strings.Contains(string(out), `"trace_id"`) {
		t.Errorf("a command was refused:\n%s", out)
	}
}
