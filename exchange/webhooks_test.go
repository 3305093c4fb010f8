package exchange_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs/fetch"
	"antin/exchange"
	"antin/exchange/webhook"
	"antin/internal/text"
)

// system is an agency's own document system: it answers what the test has it answer and
// remembers what it took.
type system struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(n int, id string) int // status of the n-th call; 0 hangs until the caller goes
	calls  []taken
	got    map[string]int // ids it answered 2xx
}

type taken struct {
	id, signature string
	at            time.Time
	body          []byte
}

func newSystem(t *testing.T) *system {
	t.Helper()
	s := &system{got: map[string]int{}, answer: func(int, string) int { return http.StatusNoContent }}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		unix, _ := strconv.ParseInt(r.Header.Get("Webhook-Timestamp"), 10, 64)
		c := taken{id: r.Header.Get("Webhook-Id"), signature: r.Header.Get("Webhook-Signature"), at: time.Unix(unix, 0), body: body}
		s.mu.Lock()
		s.calls = append(s.calls, c)
		status := s.answer(len(s.calls), c.id)
		if status >= 200 && status < 300 {
			s.got[c.id]++
		}
		s.mu.Unlock()
		if status == 0 {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.Repeat("x", 64<<10)) // more than anybody reads
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *system) will(answer func(n int, id string) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *system) always(status int) { s.will(func(int, string) int { return status }) }

func (s *system) seen() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// caller reaches the systems of tests, which are on this machine.
func caller(t *testing.T, timeout time.Duration) *webhook.Client {
	t.Helper()
	o := fetch.Options{AllowHosts: []string{"127.0.0.1"}, ListedOnly: true}
	secure, err := fetch.NewDialer(o, false)
	must(t, err)
	plain, err := fetch.NewDialer(o, true)
	must(t, err)
	c := webhook.New(secure, plain, timeout)
	t.Cleanup(c.Close)
	return c
}

// hooked is a site with webhooks.
type hooked struct {
	*site
	*exchange.Webhooks
	operator exchange.Actor
	alarms   []exchange.Handover
}

func newHooked(t *testing.T) *hooked {
	t.Helper()
	a, _ := newPair(t)
	h := &hooked{site: a, operator: exchange.System("H15.01")}
	h.Webhooks = &exchange.Webhooks{Store: a.db, Now: a.Now, Caller: caller(t, 0), Agency: "H15.01", OnError: func(err error) { t.Error(err) },
		OnAlarm: func(_ exchange.Webhook, row exchange.Handover) { h.alarms = append(h.alarms, row) }}
	return h
}

func (h *hooked) add(t *testing.T, url string, kinds ...string) (exchange.WebhookSecret, exchange.ID) {
	t.Helper()
	secret, v, err := h.Add(t.Context(), h.operator, exchange.NewWebhook{Name: "Quản lý văn bản", URL: url, Kinds: kinds, After: -1})
	must(t, err)
	return exchange.WebhookSecret(secret), v.ID
}

// happen writes n facts of kind.
func (h *hooked) happen(t *testing.T, n int, kind exchange.EventKind) {
	t.Helper()
	must(t, h.db.Update(t.Context(), func(tx exchange.Tx) error {
		for i := range n {
			if _, err := tx.AppendEvent(t.Context(), exchange.Event{Agency: "H15.01", At: h.site.Now(), Kind: kind, Subject: exchange.ID(fmt.Sprintf("vd_%d", i)),
				By: h.clerk, Data: map[string]string{"name": "ký"}}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// until drains again and again, the clock moved on to each next attempt, until done.
func (h *hooked) until(t *testing.T, id exchange.ID, done func() bool) (rounds int) {
	t.Helper()
	for !done() {
		next, err := h.Drain(t.Context(), id)
		must(t, err)
		if rounds++; rounds > 2000 {
			t.Fatal("no end")
		}
		if wait := next.Sub(h.site.Now()); wait > 0 {
			h.advance(wait)
		}
	}
	return rounds
}

func (h *hooked) view(t *testing.T, id exchange.ID) exchange.WebhookView {
	t.Helper()
	v, err := h.Get(t.Context(), h.operator, id)
	must(t, err)
	return v
}

// The vector that implementations of Standard Webhooks publish.
func TestSignaturesAreThoseOfStandardWebhooks(t *testing.T) {
	t.Parallel()
	got := exchange.WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, no := range []exchange.WebhookSecret{"", "whsec_", "whsec_%%", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
		if s := no.Sign("a", time.Unix(0, 0), nil); s != "" {
			t.Errorf("%q signs %s", string(no), s)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	w := exchange.Webhook{Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", OldSecret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, w); strings.Contains(s, "MfKQ") {
			t.Errorf("%s prints %s", verb, s)
		}
	}
}

func TestEventsArriveInOrderAndSigned(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	h.happen(t, 3, exchange.EventAccepted) // before it began
	secret, id := h.add(t, s.URL+"/nhan", "accepted", "delivery.*")
	h.happen(t, 2, exchange.EventAccepted)
	h.happen(t, 2, exchange.EventReceived) // not asked for
	h.happen(t, 1, exchange.EventDeliveryRefused)
	next, err := h.Drain(t.Context(), id)
	must(t, err)
	calls := s.seen()
	if !next.IsZero() || len(calls) != 3 {
		t.Fatalf("%d calls, next at %v", len(calls), next)
	}
	last := 0.0
	for _, c := range calls {
		if c.signature != secret.Sign(c.id, c.at, c.body) {
			t.Errorf("signature %s of %s", c.signature, c.id)
		}
		var m map[string]any
		must(t, json.Unmarshal(c.body, &m))
		data := m["data"].(map[string]any)
		if seq := data["seq"].(float64); seq <= last || m["id"] != c.id || m["specversion"] != "1.0" || !strings.HasPrefix(m["type"].(string), "vn.antin.") {
			t.Errorf("message %s", c.body)
		} else {
			last = seq
		}
	}
	if v := h.view(t, id); v.Behind != 0 || v.State != exchange.WebhookActive || v.Secret != "" {
		t.Errorf("after all: %+v", v)
	}
}

// A receiver that is down, slow, or answers 500, for a day: 1,000 events wait in the log
// and arrive in order when it is back, each under one id.
func TestAReceiverThatFailsForADayLosesNothing(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(int, string) int{
		"answers 500": func(int, string) int { return http.StatusInternalServerError },
		"redirects":   func(int, string) int { return http.StatusTemporaryRedirect },
		"is slow":     func(int, string) int { return 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, s := newHooked(t), newSystem(t)
			h.Caller = caller(t, 50*time.Millisecond) // for a server that never answers
			if name != "is slow" {
				h.Caller = caller(t, 0)
			}
			_, id := h.add(t, s.URL)
			h.happen(t, 1000, exchange.EventAccepted)
			s.will(answer)
			begun := h.site.Now()
			before := runtime.NumGoroutine()
			rounds := h.until(t, id, func() bool { return h.site.Now().Sub(begun) > 24*time.Hour })
			if after := runtime.NumGoroutine(); after > before+1000 {
				t.Errorf("%d goroutines, had %d", after, before)
			}
			if calls := len(s.seen()); calls != rounds || calls > 60 {
				t.Errorf("%d calls in %d rounds of a day", calls, rounds)
			}
			if v := h.view(t, id); v.State != exchange.WebhookFailing || v.Behind < 1000 || v.Handover.Note.IsZero() {
				t.Errorf("after a day: %s, %d behind, %v", v.State, v.Behind, v.Handover.Note)
			}
			h.Caller = caller(t, 0)
			s.always(http.StatusOK)
			h.until(t, id, func() bool { return h.view(t, id).Behind == 0 })
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.got) != 1000 {
				t.Fatalf("%d ids", len(s.got))
			}
			for id, n := range s.got {
				if n != 1 {
					t.Errorf("%s was taken %d times", id, n)
				}
			}
			if len(h.alarms) != 0 {
				t.Errorf("alarms: %v", h.alarms)
			}
		})
	}
}

func TestAReceiverThatIsDownLosesNothing(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	_, down := h.add(t, gone.URL)
	_, up := h.add(t, s.URL)
	h.happen(t, 50, exchange.EventAccepted)
	begun := h.site.Now()
	h.until(t, down, func() bool { return h.site.Now().Sub(begun) > 24*time.Hour })
	h.until(t, up, func() bool { return h.view(t, up).Behind == 0 })
	if v := h.view(t, down); v.State != exchange.WebhookFailing || v.Behind < 50 || v.Handover.Note.Code != text.PeerUnavailable {
		t.Errorf("the one that is down: %s %d %v", v.State, v.Behind, v.Handover.Note)
	}
}

// One event that the receiver chokes on is set aside after three days and does not hold
// up the others; it is handed over again under its id when a person says so.
func TestAnEventThatIsNeverTakenIsSetAside(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	_, id := h.add(t, s.URL, "accepted")
	h.happen(t, 3, exchange.EventAccepted)
	poison := ""
	s.will(func(n int, id string) int {
		if n == 1 {
			poison = id
		}
		if id == poison {
			return http.StatusBadRequest
		}
		return http.StatusOK
	})
	h.until(t, id, func() bool { return len(h.view(t, id).Parked) > 0 && h.view(t, id).Behind == 0 })
	v := h.view(t, id)
	if v.State != exchange.WebhookActive || len(v.Parked) != 1 || len(h.alarms) != 1 || v.Parked[0].Note.Code != text.PeerRefused {
		t.Fatalf("%s, parked %v, alarms %v", v.State, v.Parked, h.alarms)
	}
	s.always(http.StatusOK)
	n, err := h.Redeliver(t.Context(), h.operator, id, 0)
	must(t, err)
	_, err = h.Drain(t.Context(), id)
	must(t, err)
	if v := h.view(t, id); n != 1 || len(v.Parked) != 0 || s.got[poison] != 1 {
		t.Errorf("redelivered %d, parked %v, taken %d times", n, v.Parked, s.got[poison])
	}
	_, err = h.Redeliver(t.Context(), h.operator, id, 0)
	wantCode(t, err, text.NotFound)
}

// A receiver that takes nothing for longer than anybody's patience is given up with an
// alarm; it goes on where it stopped.
func TestAReceiverThatNeverAnswersIsGivenUp(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	_, id := h.add(t, s.URL, "accepted")
	h.happen(t, 5, exchange.EventAccepted)
	s.always(http.StatusServiceUnavailable)
	begun := h.site.Now()
	h.until(t, id, func() bool { return h.view(t, id).State == exchange.WebhookParked })
	if days := h.site.Now().Sub(begun).Hours() / 24; days < 3 || days > 4 {
		t.Errorf("given up after %.1f days", days)
	}
	calls := len(s.seen())
	for range 3 {
		h.advance(24 * time.Hour)
		next, err := h.Drain(t.Context(), id)
		must(t, err)
		if !next.IsZero() {
			t.Errorf("called again at %v", next)
		}
	}
	if now := len(s.seen()); now != calls || len(h.alarms) != 2 {
		t.Errorf("%d calls after it was given up, alarms %v", now-calls, h.alarms)
	}
	s.always(http.StatusOK)
	must(t, h.Enable(t.Context(), h.operator, id))
	h.until(t, id, func() bool { return h.view(t, id).Behind == 0 })
	must2(t)(h.Redeliver(t.Context(), h.operator, id, 0))
	_, err := h.Drain(t.Context(), id)
	must(t, err)
	if len(s.got) != 5 {
		t.Errorf("%d of 5 arrived", len(s.got))
	}
}

func must2(t *testing.T) func(int, error) {
	return func(_ int, err error) { t.Helper(); must(t, err) }
}

func TestAGoneReceiverStopsItsWebhook(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	_, id := h.add(t, s.URL, "accepted")
	h.happen(t, 2, exchange.EventAccepted)
	s.always(http.StatusGone)
	_, err := h.Drain(t.Context(), id)
	must(t, err)
	if v := h.view(t, id); v.State != exchange.WebhookDisabled || v.Why.IsZero() || len(s.seen()) != 1 {
		t.Errorf("%s %v after %d calls", v.State, v.Why, len(s.seen()))
	}
	_, err = h.Redeliver(t.Context(), h.operator, id, 1)
	wantCode(t, err, text.StateConflict)
	s.always(http.StatusOK)
	must(t, h.Enable(t.Context(), h.operator, id))
	h.until(t, id, func() bool { return len(s.got) == 2 })
}

// What the receiver took while our commit failed is told again, under the same id.
func TestACrashBeforeTheCommitRepeatsTheSameID(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	_, id := h.add(t, s.URL, "accepted")
	h.happen(t, 1, exchange.EventAccepted)
	h.db.FailAt(1)
	if _, err := h.Drain(t.Context(), id); err == nil {
		t.Fatal("the cursor was kept")
	}
	h.db.FailAt(0)
	_, err := h.Drain(t.Context(), id)
	must(t, err)
	if calls := s.seen(); len(calls) != 2 || calls[0].id != calls[1].id || h.view(t, id).Behind != 0 {
		t.Errorf("calls %v", calls)
	}
}

func TestOldSecretsSignUntilTheirOverlapEnds(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	old, id := h.add(t, s.URL, "accepted")
	secret, v, err := h.Rotate(t.Context(), h.operator, id, 24*time.Hour)
	must(t, err)
	if fresh := exchange.WebhookSecret(secret); fresh == old || v.Secret != "" {
		t.Fatal("no new secret, or it is shown twice")
	}
	tell := func() taken {
		h.happen(t, 1, exchange.EventAccepted)
		_, err := h.Drain(t.Context(), id)
		must(t, err)
		calls := s.seen()
		return calls[len(calls)-1]
	}
	c := tell()
	if want := exchange.WebhookSecret(secret).Sign(c.id, c.at, c.body) + " " + old.Sign(c.id, c.at, c.body); c.signature != want {
		t.Errorf("during the overlap: %s", c.signature)
	}
	h.advance(25 * time.Hour)
	c = tell()
	if want := exchange.WebhookSecret(secret).Sign(c.id, c.at, c.body); c.signature != want {
		t.Errorf("after it: %s", c.signature)
	}
	_, _, err = h.Rotate(t.Context(), h.operator, id, 31*24*time.Hour)
	wantCode(t, err, text.InvalidInput)
}

func TestADisabledWebhookIsNotCalled(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	_, id := h.add(t, s.URL, "accepted")
	s.will(func(n int, _ string) int {
		if n == 1 {
			must(t, h.Disable(context.Background(), h.operator, id))
		}
		return http.StatusOK
	})
	h.happen(t, 20, exchange.EventAccepted)
	for range 2 {
		_, err := h.Drain(t.Context(), id)
		must(t, err)
	}
	if n := len(s.seen()); n != 1 {
		t.Errorf("%d calls", n)
	}
	must(t, h.Disable(t.Context(), h.operator, id)) // a repeat
	must(t, h.Enable(t.Context(), h.operator, id))
	h.until(t, id, func() bool { return len(s.got) == 20 })
}

func TestOnlyOperatorsChangeWebhooks(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	_, id := h.add(t, s.URL)
	stranger := exchange.Actor{ID: "it", Name: "IT", Role: exchange.RoleOperator, Agency: "H15.02"}
	for name, act := range map[string]func(by exchange.Actor) error{
		"add": func(by exchange.Actor) error {
			_, _, err := h.Add(t.Context(), by, exchange.NewWebhook{Name: "x", URL: s.URL})
			return err
		},
		"list":      func(by exchange.Actor) error { _, err := h.List(t.Context(), by); return err },
		"get":       func(by exchange.Actor) error { _, err := h.Get(t.Context(), by, id); return err },
		"disable":   func(by exchange.Actor) error { return h.Disable(t.Context(), by, id) },
		"enable":    func(by exchange.Actor) error { return h.Enable(t.Context(), by, id) },
		"rotate":    func(by exchange.Actor) error { _, _, err := h.Rotate(t.Context(), by, id, 0); return err },
		"redeliver": func(by exchange.Actor) error { _, err := h.Redeliver(t.Context(), by, id, 1); return err },
	} {
		if err := act(h.clerk); text.CodeOf(err) != text.NotAllowed {
			t.Errorf("%s by a clerk: %v", name, err)
		}
		if err := act(stranger); name != "add" && name != "list" && text.CodeOf(err) != text.NotFound {
			t.Errorf("%s by another agency: %v", name, err)
		}
	}
}

func TestWebhooksAreCheckedWhenTheyAreAdded(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	for _, n := range []exchange.NewWebhook{
		{URL: s.URL}, {Name: "x", URL: "ftp://127.0.0.1/"}, {Name: "x", URL: "https://u:p@127.0.0.1/"}, {Name: "x", URL: "/rel"},
		{Name: "x", URL: s.URL + "#a"}, {Name: "x", URL: s.URL, Kinds: []string{"no.such"}}, {Name: "x", URL: s.URL, Kinds: []string{"*"}},
		{Name: "x", URL: "http://127.0.0.1/" + strings.Repeat("a", 2000)}, {Name: "x", URL: "https://198.51.100.7/"}, {Name: "x", URL: "http://169.254.169.254/latest"},
	} {
		_, _, err := h.Add(t.Context(), h.operator, n)
		wantCode(t, err, text.InvalidInput)
	}
	for range exchange.MaxWebhooks {
		h.add(t, s.URL)
	}
	_, _, err := h.Add(t.Context(), h.operator, exchange.NewWebhook{Name: "x", URL: s.URL})
	wantCode(t, err, text.LimitExceeded)
}

// Run hands over what happens while it runs, and ends with its context.
func TestRunHandsOverWhatHappens(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	h.Bell = &exchange.Bell{}
	came := make(chan string, 100)
	s.will(func(_ int, id string) int { came <- id; return http.StatusOK })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	_, id := h.add(t, s.URL, "accepted") // while it runs
	for range 3 {
		h.happen(t, 1, exchange.EventAccepted)
		h.Bell.Ring("H15.01")
		<-came
	}
	must(t, h.Disable(t.Context(), h.operator, id))
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Of several processes on one database one has the turn at a webhook: no two calls are
// under way at a time, and none is made twice.
func TestOneProcessAtATimeCallsAWebhook(t *testing.T) {
	t.Parallel()
	h, s := newHooked(t), newSystem(t)
	var under, most int
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		under++
		most = max(most, under)
		s.mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
		s.mu.Lock()
		under--
		s.got[r.Header.Get("Webhook-Id")]++
		s.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	})
	_, id := h.add(t, s.URL, "accepted")
	h.happen(t, 200, exchange.EventAccepted)
	var wg sync.WaitGroup
	for n := range 3 {
		other := &exchange.Webhooks{Store: h.db, Now: h.site.Now, Caller: h.Caller, Agency: "H15.01", Worker: &exchange.Worker{Store: h.db, Now: h.site.Now, Owner: fmt.Sprint("process ", n)}}
		wg.Go(func() {
			for h.view(t, id).Behind > 0 {
				if _, err := other.Drain(t.Context(), id); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if most != 1 || len(s.got) != 200 {
		t.Errorf("%d calls at a time, %d events", most, len(s.got))
	}
	for id, n := range s.got {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
}
