package exchange_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// deliveryWant is the whole machine as a person would write it down: the state
// each signal leads to, "!" where it contradicts the state.
const deliveryWant = `
READY            DELIVERED      REFUSED  NON_DELIVERED  UNKNOWN_EXPIRED  QUARANTINED      READY           !                 HELD
QUARANTINED      DELIVERED      REFUSED  NON_DELIVERED  UNKNOWN_EXPIRED  QUARANTINED      READY           !                 HELD
HELD             DELIVERED      REFUSED  NON_DELIVERED  UNKNOWN_EXPIRED  HELD             READY           !                 HELD
DELIVERED        DELIVERED      !        !              DELIVERED        DELIVERED        !               !                 !
DELIVERED_LATE   DELIVERED_LATE !        !              DELIVERED_LATE   DELIVERED_LATE   !               !                 !
REFUSED          !              REFUSED  !              REFUSED          REFUSED          !               !                 !
NON_DELIVERED    DELIVERED_LATE !        NON_DELIVERED  NON_DELIVERED    NON_DELIVERED    !               !                 !
UNKNOWN_EXPIRED  DELIVERED_LATE REFUSED  NON_DELIVERED  UNKNOWN_EXPIRED  UNKNOWN_EXPIRED  UNKNOWN_EXPIRED !                 !
MANUAL           !              !        !              !                !                !               DELIVERED_BY_HAND !
DELIVERED_BY_HAND !             !        !              !                !                !               DELIVERED_BY_HAND !
`

func TestDeliveryMachineIsTotal(t *testing.T) {
	t.Parallel()
	want := parseTable(deliveryWant)
	if len(want) != len(exchange.DeliveryStates()) {
		t.Fatalf("%d states written down, %d exist", len(want), len(exchange.DeliveryStates()))
	}
	for _, s := range exchange.DeliveryStates() {
		for i, signal := range exchange.DeliverySignals() {
			next, ok := s.Next(signal)
			got := string(next)
			if !ok {
				got = "!"
			}
			if w := want[string(s)][i]; got != w {
				t.Errorf("%s after %s becomes %s, want %s", s, signal, got, w)
			}
			proven := s == exchange.DeliveryNonDelivered && signal == exchange.SignalAccepted
			if ok && s.Final() && next != s && !proven {
				t.Errorf("final %s moves to %s", s, next)
			}
		}
		if s.Message().VI == "delivery."+string(s) {
			t.Errorf("%s has no words", s)
		}
	}
}

const inboxWant = `
RECEIVED    WAITING DAMAGED DUPLICATE APPLIED !        !        !        !          !         !
WAITING     !       !       !         !       ACCEPTED RETURNED !        !          !         RECALLED
DAMAGED     !       !       !         !       !        RETURNED !        !          !         RECALLED
DUPLICATE   !       !       !         !       !        !        !        !          !         !
APPLIED     !       !       !         !       !        !        !        !          !         !
ACCEPTED    !       !       !         !       !        !        ASSIGNED PROCESSING COMPLETED RECALLED
ASSIGNED    !       !       !         !       !        !        ASSIGNED PROCESSING COMPLETED RECALLED
PROCESSING  !       !       !         !       !        !        ASSIGNED !          COMPLETED RECALLED
COMPLETED   !       !       !         !       !        !        !        !          !         !
RETURNED    !       !       !         !       !        !        !        !          !         !
RECALLED    !       !       !         !       !        !        !        !          !         !
`

func TestInboxMachineIsTotal(t *testing.T) {
	t.Parallel()
	want := parseTable(inboxWant)
	for _, s := range exchange.InboxStates() {
		if len(want[string(s)]) != len(exchange.InboxSignals()) {
			t.Fatalf("state %s is not written down", s)
		}
		for i, signal := range exchange.InboxSignals() {
			next, ok := s.Next(signal)
			got := string(next)
			if !ok {
				got = "!"
			}
			if w := want[string(s)][i]; got != w {
				t.Errorf("%s after %s becomes %s, want %s", s, signal, got, w)
			}
		}
		if s.Message().VI == "inbox."+string(s) {
			t.Errorf("%s has no words", s)
		}
	}
}

func parseTable(s string) map[string][]string {
	out := map[string][]string{}
	for _, line := range lines(s) {
		out[line[0]] = line[1:]
	}
	return out
}

var day = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)

func said(code exchange.StatusCode, hour int) exchange.Status {
	return exchange.Status{Code: code, At: day.Add(time.Duration(hour) * time.Hour), Reason: "vì " + string(code)}
}

func TestCurrentStatus(t *testing.T) {
	t.Parallel()
	const none exchange.StatusCode = ""
	for name, tc := range map[string]struct {
		history      []exchange.Status
		code, recall exchange.StatusCode
	}{
		"nothing known":                          {nil, none, none},
		"arrived":                                {[]exchange.Status{said("01", 1)}, "01", none},
		"skips 04":                               {[]exchange.Status{said("01", 1), said("03", 2), said("05", 2)}, "05", none},
		"a late 01 changes nothing":              {[]exchange.Status{said("03", 2), said("01", 5)}, "03", none},
		"a repeat changes nothing":               {[]exchange.Status{said("03", 2), said("03", 9)}, "03", none},
		"returned":                               {[]exchange.Status{said("01", 1), said("02", 2)}, "02", none},
		"returned after acceptance":              {[]exchange.Status{said("03", 1), said("02", 2)}, "02", none},
		"accepted after a return, by its date":   {[]exchange.Status{said("02", 1), said("03", 2)}, "03", none},
		"an arrival dated after a return is old": {[]exchange.Status{said("02", 1), said("01", 2)}, "02", none},
		"recall asked":                           {[]exchange.Status{said("03", 1), said("13", 2)}, "03", "13"},
		"recall refused":                         {[]exchange.Status{said("13", 2), said("16", 3), said("05", 4)}, "05", "16"},
		"recall asked again":                     {[]exchange.Status{said("13", 2), said("16", 3), said("13", 4)}, none, "13"},
		"an unassigned code is no progress":      {[]exchange.Status{said("01", 1), said("09", 2)}, "01", none},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(20) {
				history := append([]exchange.Status(nil), tc.history...)
				r := rand.New(rand.NewPCG(seed, 1))
				r.Shuffle(len(history), func(i, j int) { history[i], history[j] = history[j], history[i] })
				if b := exchange.Current(history); b.Code != tc.code || b.Recall != tc.recall {
					t.Fatalf("in order %v: %q and %q, want %q and %q", history, b.Code, b.Recall, tc.code, tc.recall)
				}
			}
		})
	}
}

func TestEventChainShowsEveryChange(t *testing.T) {
	t.Parallel()
	first := exchange.Event{Agency: "A", At: day, Kind: exchange.EventSigned, Subject: "vb_1"}.Chained(exchange.Event{})
	e := exchange.Event{Agency: "A", At: day, Kind: exchange.EventSent, Subject: "vb_1", Parent: "vb_0", Peer: "B", Digest: "d",
		By: exchange.Actor{ID: "1", Name: "An", Role: exchange.RoleClerk, Agency: "A"}, Data: map[string]string{"a": "1", "b": "2"}}.Chained(first)
	if !e.Intact(first) || !first.Intact(exchange.Event{}) {
		t.Fatal("an honest chain is not intact")
	}
	if e.Intact(exchange.Event{}) {
		t.Error("an event without the one before it is intact")
	}
	for name, change := range map[string]func(*exchange.Event){
		"agency": func(e *exchange.Event) { e.Agency = "B" }, "time": func(e *exchange.Event) { e.At = e.At.Add(time.Microsecond) },
		"kind": func(e *exchange.Event) { e.Kind = exchange.EventSealed }, "subject": func(e *exchange.Event) { e.Subject = "vb_2" },
		"parent": func(e *exchange.Event) { e.Parent = "" }, "actor": func(e *exchange.Event) { e.By.Name = "Bình" },
		"role": func(e *exchange.Event) { e.By.Role = exchange.RoleLeader }, "peer": func(e *exchange.Event) { e.Peer = "C" },
		"digest": func(e *exchange.Event) { e.Digest = "x" }, "data": func(e *exchange.Event) { e.Data = map[string]string{"a": "1", "b": "3"} },
		"data moved": func(e *exchange.Event) { e.Data = map[string]string{"a": "1b", "": "2"} },
		"data gone":  func(e *exchange.Event) { e.Data = nil }, "number": func(e *exchange.Event) { e.Seq++ },
	} {
		changed := e
		change(&changed)
		if changed.Intact(first) {
			t.Errorf("a changed %s goes unnoticed", name)
		}
	}
}

func TestIDsSortByTime(t *testing.T) {
	t.Parallel()
	a, b := exchange.NewID(exchange.PrefixDocument, day), exchange.NewID(exchange.PrefixDocument, day.Add(time.Millisecond))
	if a >= b || !a.Has(exchange.PrefixDocument) || a.Has(exchange.PrefixInbox) {
		t.Errorf("%s, %s", a, b)
	}
	id := exchange.NewTransferID(day)
	if got, ok := exchange.ParseTransferID(string(id)); !ok || got != id || id[14] != '7' {
		t.Errorf("transfer id %s", id)
	}
	for _, bad := range []string{"", "x", string(id) + "0", "0192E4A0-0000-7000-8000-000000000000", string(id[:35]) + "/"} {
		if _, ok := exchange.ParseTransferID(bad); ok {
			t.Errorf("%q passes as a transfer id", bad)
		}
	}
}

func TestAgencyCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[exchange.AgencyCode]bool{
		"H15.50.05.13": true, "000.00.00.G22": true, "": false, "H15 50": false, "../x": false, "A>B": false, "Đ15": false,
		"0123456789012345678901234567890123456": false,
	} {
		if code.Valid() != want {
			t.Errorf("%q: %v", code, !want)
		}
	}
}

func TestNumberAsPrinted(t *testing.T) {
	t.Parallel()
	for seq, want := range map[int]string{0: "", 7: "07/QĐ-UBND", 15: "15/QĐ-UBND", 1234: "1234/QĐ-UBND"} {
		if got := (exchange.Number{Seq: seq, Notation: "QĐ-UBND"}).String(); got != want {
			t.Errorf("%d prints %q", seq, got)
		}
	}
}

func TestDirectories(t *testing.T) {
	t.Parallel()
	list := exchange.AgencyList{{Code: "B"}, {Code: "A"}}
	if _, err := list.Agency(t.Context(), "C"); text.CodeOf(err) != text.ReceiverUnknown {
		t.Errorf("unknown agency: %v", err)
	}
	if all, _ := list.Agencies(t.Context()); all[0].Code != "A" {
		t.Error("not sorted")
	}
	if _, err := (exchange.OfficeList{}).Office(t.Context(), "A"); text.CodeOf(err) != text.NotForUs {
		t.Errorf("unserved agency: %v", err)
	}
}
