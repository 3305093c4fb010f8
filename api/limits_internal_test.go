package api

import (
	"fmt"
	"testing"
	"time"
)

func TestCallersAreForgottenBeforeTheyFillTheMemory(t *testing.T) {
	t.Parallel()
	var c counter
	now := time.Now()
	for n := range maxCallers + maxCallers/2 { // all within one minute
		if a := c.take(fmt.Sprint("address:", n), 1, now); !a.ok {
			t.Fatalf("caller %d is refused at its first request", n)
		}
		if len(c.calls) > maxCallers {
			t.Fatalf("%d callers are remembered", len(c.calls))
		}
	}
	c.take("address:again", 2, now)
	if a := c.take("address:again", 2, now); !a.ok || a.left != 0 {
		t.Errorf("the second of two requests: %+v", a)
	}
	if a := c.take("address:again", 2, now); a.ok {
		t.Error("a third of two requests")
	}
	c.take("address:new", 1, now.Add(2*window)) // the minute is over
	if len(c.calls) != 1 {
		t.Errorf("%d callers of minutes that are over are remembered", len(c.calls))
	}
}
