package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"antin/internal/text"
)

// What cleanJSON lets through is JSON that it leaves as it is the second time,
// normalised, each member once.
func FuzzCleanJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":{"b":[1,2.5e3,"x",null,true]}}`, `{"a":1,"a":2}`, `{"A":1}`, `"e\u0301"`, `"\ud800"`, `[[[[]]]]`, `{"a":`,
		`{"a":"\u202e"}`, `1 2`, "\xff", `{"ſ":1}`, strings.Repeat(`[`, 50), `-0`, `1e999`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := cleanJSON(jsonType, raw)
		if err != nil {
			if s := text.CodeOf(err); s != text.InvalidInput {
				t.Fatalf("%v", err)
			}
			return
		}
		if !json.Valid(once) || !utf8.Valid(once) || !norm.NFC.IsNormal(bytes.TrimSpace(once)) {
			t.Fatalf("%q gives %q", raw, once)
		}
		twice, err := cleanJSON(jsonType, once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q gives %q, then %q, %v", raw, once, twice, err)
		}
	})
}

func TestAPanicIsAProblemAndIsReported(t *testing.T) {
	t.Parallel()
	var reported []error
	s := &Server{Prefix: "/a", OnError: func(_, _ string, err error) { reported = append(reported, err) }}
	h := s.outer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/a/v1/x", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") || w.Header().Get("Content-Type") != problemType {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if len(reported) != 1 || !strings.Contains(reported[0].Error(), "secret") {
		t.Errorf("reported: %v", reported)
	}
	// Once an answer has begun it can only be cut.
	h = s.outer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("half")); panic("late") }))
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Error("the answer was ended as if whole")
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/a/v1/x", nil))
}
