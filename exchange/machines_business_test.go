package exchange_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"antin/exchange"
)

// businessWant is the business machine: what a sender knows of its document after one
// more code that is dated later than all before it. Progress goes back for a return
// only; a return yields to any progress but an arrival; the codes of a recall (13, 15,
// 16) and those that mean nothing (09) leave progress alone.
const businessWant = `
none  01 02 03 04 05 06 none none none none
01    01 02 03 04 05 06 01   01   01   01
02    02 02 03 04 05 06 02   02   02   02
03    03 02 03 04 05 06 03   03   03   03
04    04 02 04 04 05 06 04   04   04   04
05    05 02 05 05 05 06 05   05   05   05
06    06 02 06 06 06 06 06   06   06   06
`

// businessCodes are the columns of businessWant.
var businessCodes = []exchange.StatusCode{"01", "02", "03", "04", "05", "06", "13", "15", "16", "09"}

// TestBusinessMachineIsTotal walks from every state by every code, on any way there and
// with the messages arriving in any order.
func TestBusinessMachineIsTotal(t *testing.T) {
	t.Parallel()
	want := parseTable(businessWant)
	if covered := slices.DeleteFunc(exchange.StatusCodes(), func(c exchange.StatusCode) bool { return slices.Contains(businessCodes, c) }); len(covered) > 0 {
		t.Fatalf("%v are not written down", covered)
	}
	rapid.Check(t, func(t *rapid.T) {
		codes := rapid.SliceOfN(rapid.SampledFrom(businessCodes), 1, 12).Draw(t, "codes")
		state, recall := "none", exchange.StatusCode("")
		var history []exchange.Status
		for i, code := range codes {
			history = append(history, exchange.Status{Code: code, At: day.Add(time.Duration(i) * time.Minute)})
			state = want[state][slices.Index(businessCodes, code)]
			if code == exchange.StatusRecallRequested || code == exchange.StatusRecallAgreed || code == exchange.StatusRecallRefused {
				recall = code
			}
		}
		arrived := rapid.Permutation(history).Draw(t, "arrival")
		now := exchange.Current(arrived)
		got := string(now.Code)
		if got == "" {
			got = "none"
		}
		if got != state || now.Recall != recall {
			t.Fatalf("%v is %s with recall %q, want %s with %q", codes, got, now.Recall, state, recall)
		}
	})
}
