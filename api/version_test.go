package api_test

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

func TestOfActsUnderOneVersionOneIsDone(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	path := "/v1/inbox/" + sc.first
	tag := sc.b.ask(t, http.MethodPost, path+":accept", map[string]any{"acting_person": person}, "Idempotency-Key", "nhan").Header.Get("ETag")
	answers := make([]answer, 6)
	var wg sync.WaitGroup
	for n := range answers { // all have seen the same; assigning again would be allowed
		wg.Go(func() {
			answers[n] = sc.b.ask(t, http.MethodPost, path+":assign", map[string]any{"acting_person": person, "assignee": string(rune('A' + n))},
				"Idempotency-Key", "giao-"+string(rune('a'+n)), "If-Match", tag)
		})
	}
	wg.Wait()
	done := 0
	for _, a := range answers {
		if a.StatusCode == http.StatusOK {
			done++
			continue
		}
		if a.refused(t, http.StatusPreconditionFailed, text.PreconditionFailed); a.Header.Get("ETag") == "" || a.Header.Get("ETag") == tag {
			t.Errorf("the refusal does not tell the version that stands: %v", a.Header)
		}
	}
	if done != 1 {
		t.Errorf("%d of %d acts were done", done, len(answers))
	}
}

// between lets someone in between an act's look at the version and its transaction.
type between struct {
	offices exchange.Offices
	come    func()
}

// Office implements exchange.Offices.
func (b between) Office(ctx context.Context, agency exchange.AgencyCode) (exchange.Office, error) {
	b.come()
	return b.offices.Office(ctx, agency)
}

// Offices implements exchange.Offices.
func (b between) Offices(ctx context.Context) ([]exchange.Office, error) {
	return b.offices.Offices(ctx)
}

func TestAnActEndsWhenTheVersionChangesAfterItsLook(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	id := sc.draft(t, string(exchange.RoleLeader))
	path := "/v1/documents/" + string(id)
	got := sc.a.ask(t, http.MethodGet, path, nil)
	tag := got.Header.Get("ETag")
	clerk := sc.a.actor(exchange.RoleClerk)
	subject := "Về việc khác"
	var once sync.Once
	sc.a.press.Offices = between{sc.a.press.Offices, func() {
		once.Do(func() {
			if _, err := sc.a.outbox.Edit(t.Context(), clerk, id, 1, exchange.EditDocument{Subject: &subject}); err != nil {
				t.Error(err)
			}
		})
	}}
	ask := sc.a.ask(t, http.MethodPost, path+":sign-request", map[string]any{"acting_person": person}, "If-Match", tag, "Idempotency-Key", "trinh")
	ask.refused(t, http.StatusPreconditionFailed, text.PreconditionFailed)
	if m := sc.a.ask(t, http.MethodGet, path, nil).is(t, http.StatusOK); m["stage"] != "draft" || m["subject"] != subject {
		t.Errorf("left as %v, %v", m["stage"], m["subject"])
	}
}

func TestADraftIsDeletedByWhoReadItAndNothingElseIs(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	remove := func(path, tag string) answer { return sc.a.ask(t, http.MethodDelete, path, nil, "If-Match", tag) }
	draft := "/v1/documents/" + string(sc.draft(t, string(exchange.RoleLeader)))
	tag := sc.a.ask(t, http.MethodGet, draft, nil).Header.Get("ETag")
	remove(draft, "").refused(t, http.StatusPreconditionRequired, text.PreconditionRequired)
	remove(draft, `"9"`).refused(t, http.StatusPreconditionFailed, text.PreconditionFailed)
	if got := remove(draft, tag); got.StatusCode != http.StatusNoContent || len(got.body) != 0 {
		t.Errorf("deleted: %d %s", got.StatusCode, got.body)
	}
	sc.a.ask(t, http.MethodGet, draft, nil).refused(t, http.StatusNotFound, text.NotFound)
	remove(draft, tag).refused(t, http.StatusNotFound, text.NotFound)
	issued := "/v1/documents/" + sc.sent
	remove(issued, "*").refused(t, http.StatusConflict, text.StateConflict)
	asked := sc.draft(t, string(exchange.RoleLeader))
	_, err := sc.a.press.Ask(t.Context(), sc.a.actor(exchange.RoleClerk), asked, exchange.SigningPerson, "")
	must(t, err)
	remove("/v1/documents/"+string(asked), "*").refused(t, http.StatusConflict, text.StateConflict)
	items := sc.a.ask(t, http.MethodGet, "/v1/events?limit=500", nil).is(t, http.StatusOK)["items"].([]any)
	kinds := map[any]int{}
	for _, i := range items {
		kinds[i.(map[string]any)["kind"]]++
	}
	if kinds["document.deleted"] != 1 {
		t.Errorf("the evidence holds %d deletions", kinds["document.deleted"])
	}
}

func TestTheDraftOfAResultIsDeletedByWhoReadItAndNothingElseIs(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	remove := func(path, tag string) answer { return sc.a.ask(t, http.MethodDelete, path, nil, "If-Match", tag) }
	draft := "/v1/results/" + sc.newResult(t)
	tag := sc.a.ask(t, http.MethodGet, draft, nil).Header.Get("ETag")
	remove(draft, "").refused(t, http.StatusPreconditionRequired, text.PreconditionRequired)
	remove(draft, `"9"`).refused(t, http.StatusPreconditionFailed, text.PreconditionFailed)
	if got := remove(draft, tag); got.StatusCode != http.StatusNoContent || len(got.body) != 0 {
		t.Errorf("deleted: %d %s", got.StatusCode, got.body)
	}
	sc.a.ask(t, http.MethodGet, draft, nil).refused(t, http.StatusNotFound, text.NotFound)
	remove(draft, tag).refused(t, http.StatusNotFound, text.NotFound)
	remove("/v1/results/"+string(sc.issued(t).ID), "*").refused(t, http.StatusConflict, text.StateConflict)
}

func TestListsShowWhatChangedAfterAMoment(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	list := func(s *site, path, after string) []any {
		return s.ask(t, http.MethodGet, path+"?updated_after="+url.QueryEscape(after), nil).is(t, http.StatusOK)["items"].([]any)
	}
	if got := list(sc.a, "/v1/documents", "2000-01-01T00:00:00Z"); len(got) != sc.documents {
		t.Errorf("%d changed since 2000", len(got))
	}
	future := time.Now().Add(time.Hour).Format(time.RFC3339)
	for _, path := range []string{"/v1/documents", "/v1/results", "/v1/inbox"} {
		if got := list(sc.a, path, future); len(got) != 0 {
			t.Errorf("%s: %d will have changed", path, len(got))
		}
		for _, bad := range []string{"", "yesterday", "2026-11-23"} {
			p := sc.a.ask(t, http.MethodGet, path+"?updated_after="+bad, nil).refused(t, http.StatusUnprocessableEntity, text.InvalidInput)
			if !p.points("query/updated_after", "value") {
				t.Errorf("%s, %q: %+v", path, bad, p)
			}
		}
	}
	if got := list(sc.b, "/v1/inbox", "2000-01-01T07:00:00+07:00"); len(got) != 2 || got[0].(map[string]any)["updated_at"] == "" {
		t.Errorf("inbox: %v", got)
	}
}

func TestAWaitForEventsEndsWhenOneComes(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	last := a.ask(t, http.MethodGet, "/v1/events?limit=500", nil).is(t, http.StatusOK)["next"].(string)
	done := make(chan map[string]any)
	go func() {
		done <- a.ask(t, http.MethodGet, "/v1/events?wait=25&after="+last, nil).is(t, http.StatusOK)
	}()
	a.created(t, a.uploaded(t, a.signedPDF(t)), "9")
	if got := (<-done)["items"].([]any); len(got) == 0 || got[0].(map[string]any)["kind"] != "document.created" {
		t.Errorf("woke to %v", got)
	}
}
