package api

import (
	"testing"

	"antin/internal/text"
)

func TestEveryCodeHasAStatusAndOnlyOurOwnFaultsAre500(t *testing.T) {
	t.Parallel()
	for _, c := range text.Codes() {
		s, ok := statuses[c]
		if !ok || s < 400 || s > 503 {
			t.Errorf("%s has status %d", c, s)
		}
		if own := c == text.Internal || c == text.SelfCheckFailed; (s == 500) != own {
			t.Errorf("%s has status %d", c, s)
		}
	}
	for c := range statuses {
		if !c.Known() {
			t.Errorf("%s is no code", c)
		}
	}
}

func TestEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	for _, r := range []Reason{ReasonInvalidSignature, ReasonMissingSignature, ReasonWrongReceiver, ReasonUnreadable, ReasonIncomplete} {
		if key := text.Key("api.reason." + string(r)); !text.Known(key) {
			t.Errorf("no words for %s", r)
		}
	}
}

func TestLanguageFollowsTheHeader(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]text.Lang{"": text.VI, "en": text.EN, "en-GB, vi;q=0.5": text.EN, "vi, en": text.VI, "fr": text.VI,
		"fr, en;q=0.1": text.EN, "en;q=0": text.VI, "en;q=x": text.VI, "en;q=NaN": text.VI, "vi;q=0.2,EN-us;q=0.3": text.EN} {
		if got := language(header); got != want {
			t.Errorf("%q gives %s", header, got)
		}
	}
}

func TestTraceIDsComeFromTheCallerOnlyWhenWellFormed(t *testing.T) {
	t.Parallel()
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	if got := traceID("00-" + id + "-00f067aa0ba902b7-01"); got != id {
		t.Errorf("got %s", got)
	}
	for _, bad := range []string{"", "00-" + id, "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-<script>alert(1)</script>0000000-00f067aa0ba902b7-01"} {
		if got := traceID(bad); len(got) != 32 || got == id || got == traceID(bad) {
			t.Errorf("%q gives %s", bad, got)
		}
	}
}
