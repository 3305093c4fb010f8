//go:build failpoint

package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// Built reports whether this program was built with points that do something.
	Built = true
	// Variable holds what is to happen: POINT=ACTION@N, where N counts from 1 and
	// ACTION is kill, eio or enospc. Nothing happens without it.
	Variable = "ANTIN_FAILPOINT"
	// ClockVariable moves the clock by a duration; after "FIRST,SECOND,N" it is moved
	// by FIRST until it was asked N times, and by SECOND from then on.
	ClockVariable = "ANTIN_FAILPOINT_CLOCK"
)

// order is what Variable asks for, read once at start.
var order = parse(os.Getenv(Variable)) //nolint:gochecknoglobals // a process has one environment

type instruction struct {
	point  Point
	action string
	left   atomic.Int64
}

func parse(s string) *instruction {
	o := &instruction{}
	point, rest, ok := strings.Cut(s, "=")
	action, n, counted := strings.Cut(rest, "@")
	if !ok || !counted {
		return o
	}
	at, err := strconv.Atoi(n)
	if err != nil {
		panic(fmt.Sprintf("%s: %q", Variable, s))
	}
	o.point, o.action = Point(point), action
	o.left.Store(int64(at))
	return o
}

// Hit passes a point: it does what was asked for when its turn has come, and returns
// the error that was asked for.
func Hit(p Point) error {
	if p != order.point || order.left.Add(-1) != 0 {
		return nil
	}
	switch order.action {
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way: not one step more
	case "eio":
		return fmt.Errorf("%s: %w", p, syscall.EIO)
	case "enospc":
		return fmt.Errorf("%s: %w", p, syscall.ENOSPC)
	}
	panic("failpoint: unknown action " + order.action)
}

// Clock is the clock that the program goes by, moved as ClockVariable says.
func Clock(now func() time.Time) func() time.Time {
	first, rest, _ := strings.Cut(os.Getenv(ClockVariable), ",")
	second, count, _ := strings.Cut(rest, ",")
	before, err := time.ParseDuration(first)
	if err != nil {
		return now
	}
	after, err := time.ParseDuration(second)
	if err != nil {
		return func() time.Time { return now().Add(before) }
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		panic(fmt.Sprintf("%s: %q", ClockVariable, count))
	}
	var asked atomic.Int64
	return func() time.Time {
		if asked.Add(1) > int64(n) {
			return now().Add(after)
		}
		return now().Add(before)
	}
}
