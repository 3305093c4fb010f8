package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"antin/exchange"
)

func TestBenchServePrintsEveryJobAndLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("short: fills a gateway")
	}
	t.Parallel()
	// Speed is not asked here: other tests run beside this one.
	cmd := again(t, roleProgram, "bench", "serve", "--clerks", "6", "--minutes", "0.15", "--documents", "60", "--limit", "60000", "--json")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.String())
	}
	seen := map[string]benchLine{}
	for line := range strings.Lines(string(out)) {
		var l benchLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		seen[l.Job] = l
	}
	pages, ok := seen[jobPages]
	if !ok || pages.N == 0 || pages.Errors != 0 || pages.Lost != 0 || pages.Limit != 60000 || pages.P50 <= 0 || pages.P95 < pages.P50 || pages.P99 < pages.P95 {
		t.Errorf("pages: %+v", pages)
	}
	if l, ok := seen[jobList]; !ok || l.N == 0 {
		t.Errorf("no lists among %v", seen)
	}
}

// A gateway that acknowledges everything and does nothing, or gives one number
// twice, is found out.
func TestBenchFindsWhatWasAcknowledgedAndIsNotThere(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		says string
		lost int
	}{
		"nothing happened": {`{"stage":"signed","deliveries":[],"state":"WAITING"}`, 5},
		"one number twice": {`{"stage":"issued","code_number":"07","deliveries":[{}],"accepted":{"at":"2026-11-24T09:00:00+07:00"},"arrival_number":3}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, tc.says) }))
			t.Cleanup(srv.Close)
			l := newLoad(benchReady{Desk: srv.URL})
			c, err := newClerk(t.Context(), l, 0, "/enter")
			if err != nil {
				t.Fatal(err)
			}
			l.any = c
			for _, job := range []string{jobNumber, jobSeal, jobSend, jobAccept} {
				l.done(job, exchange.ID("vb_"+job))
			}
			l.done(jobNumber, "vb_other")
			lost, checked, err := l.check(t.Context())
			if err != nil || checked != 5 || len(lost) != tc.lost {
				t.Errorf("%d of %d lost, %v: %v", len(lost), checked, err, lost)
			}
		})
	}
}

func TestPercentilesAreOfAllTimes(t *testing.T) {
	t.Parallel()
	l := newLoad(benchReady{})
	for i := range 100 {
		l.took(jobList, time.Duration(100-i)*time.Millisecond)
	}
	l.took(jobSeal, time.Hour) // apart
	for _, j := range l.summary() {
		if j.name == jobPages && (j.n != 100 || j.at(50) != 51 || j.at(95) != 96 || j.at(99) != 100) {
			t.Errorf("pages: %d, %v %v %v", j.n, j.at(50), j.at(95), j.at(99))
		}
	}
	if (jobFigures{}).at(95) != 0 {
		t.Error("times of nothing")
	}
}
