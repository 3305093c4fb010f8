package text_test

import (
	"errors"
	"fmt"
	"regexp"
	"testing"

	"antin/internal/text"
)

func TestEveryEntryHasBothLanguagesWithTheSameVerbs(t *testing.T) {
	t.Parallel()
	verb := regexp.MustCompile(`%(\[\d+\])?[a-z]`)
	seen := map[text.Key]bool{}
	for _, k := range text.Keys() {
		if seen[k] {
			t.Errorf("key %s stands in two areas", k)
		}
		seen[k] = true
		m := text.Get(k)
		if m.VI == "" || m.EN == "" {
			t.Errorf("key %s lacks a language: %+v", k, m)
		}
		if v, e := len(verb.FindAllString(m.VI, -1)), len(verb.FindAllString(m.EN, -1)); v != e {
			t.Errorf("key %s has %d verbs in Vietnamese and %d in English", k, v, e)
		}
	}
}

func TestEveryCodeSpeaksAndHasAnExit(t *testing.T) {
	t.Parallel()
	for _, c := range text.Codes() {
		e := text.Errorf(c, nil)
		if e.Message().VI == "" || e.Message().EN == "" || e.Fix().VI == "" || e.Fix().EN == "" {
			t.Errorf("code %s lacks a text", c)
		}
		if c.Exit() == 0 {
			t.Errorf("code %s exits with 0", c)
		}
	}
}

func TestErrorIsFoundByItsCodeThroughWrapping(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("signing a.pdf: %w", text.Detailed(text.FieldLocked, errors.New("cause"), "verdict.valid"))
	if !errors.Is(err, &text.Error{Code: text.FieldLocked}) {
		t.Error("the code was not found")
	}
	if errors.Is(err, &text.Error{Code: text.KeyLocked}) {
		t.Error("another code matched")
	}
	if got := text.CodeOf(errors.New("plain")); got != text.Internal {
		t.Errorf("a plain error is %s", got)
	}
}

func TestUnknownKeyIsShownAsItself(t *testing.T) {
	t.Parallel()
	if got := text.Get("no.such.key").VI; got != "no.such.key" {
		t.Errorf("got %q", got)
	}
}
