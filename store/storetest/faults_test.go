package storetest

import (
	"errors"
	"reflect"
	"regexp"
	"testing"

	"antin/exchange"
)

// reads are the methods of a transaction that change nothing, by their names.
var reads = regexp.MustCompile(`^(Account|Answer|Count|Deliver|Document|Due|Events|Evidence|Handover$|Histor|HoldsTurn$|Inbox|InboxByDocument|Items|Key|Lane|LastEvent|LastSeal$|Mark$|NextInLane|OldUploads$|Open|Pieces$|Operation|ParkedEvents$|Register(After|Entry)?$|Reply|Result|Session$|SettledOf$|Seals$|Signing$|Start$|SubjectsByTrace$|Transfer|Trouble|Upload$|WaitingFor$|Verification$|Webhooks?$)`)

func TestEveryWriteOfATransactionCanBeMadeToFail(t *testing.T) {
	t.Parallel()
	f := &Faults{}
	f.FailAt(1)
	tx := reflect.ValueOf(faultyTx{f: f}) // nothing below: what passes through panics
	writes := 0
	for i := range tx.NumMethod() {
		name := tx.Type().Method(i).Name
		if _, ok := reflect.TypeFor[exchange.Tx]().MethodByName(name); !ok || reads.MatchString(name) {
			continue
		}
		m := tx.Method(i)
		var args []reflect.Value
		for j := range m.Type().NumIn() {
			args = append(args, reflect.Zero(m.Type().In(j)))
		}
		out := m.Call(args)
		if err, _ := out[len(out)-1].Interface().(error); !errors.Is(err, ErrFault) {
			t.Errorf("%s returns %v", name, err)
		}
		writes++
	}
	if writes < 30 {
		t.Errorf("only %d writes were seen", writes)
	}
}
