package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"antin/internal/exchangebench"
)

// exchangeResult is what one cell came to.
type exchangeResult struct {
	figures    exchangebench.Figures
	received   uint64
	cpuA, cpuB time.Duration // while measuring
	rssA, rssB int           // greatest, MB
	wire       float64
	foreign    float64 // cores that others used meanwhile
}

// endLate bounds what starting, draining and ending an end may take on top of the
// time that is measured.
const endLate = 2 * time.Minute

// exchangeEnd is one side: a process of its own, so that its memory and CPU are
// its own.
type exchangeEnd struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	late *time.Timer
}

func startEnd(e *env, plan endPlan) (*exchangeEnd, error) {
	self, err := selfCommand("bench-exchange-end")
	if err != nil {
		return nil, err
	}
	end := &exchangeEnd{cmd: exec.Command(self[0], self[1:]...)} //nolint:gosec,noctx // this very program; ends with its standard input
	end.cmd.Stderr = e.err
	out, err := end.cmd.StdoutPipe()
	if err == nil {
		end.in, err = end.cmd.StdinPipe()
	}
	if err == nil {
		err = end.cmd.Start()
	}
	if err != nil {
		return nil, childError(err)
	}
	end.out = bufio.NewReader(out)
	end.late = time.AfterFunc(plan.Warm+plan.Length+endLate, func() { _ = end.cmd.Process.Kill() })
	if err := printJSON(end.in, plan); err != nil {
		end.stop()
		return nil, childError(err)
	}
	return end, nil
}

// said reads the end's next line.
func (x *exchangeEnd) said() (s endSays, err error) {
	if err = readLine(x.out, &s); err != nil {
		return s, childError(err)
	}
	return s, nil
}

func (x *exchangeEnd) stop() {
	_ = x.in.Close()
	_ = x.cmd.Wait()
	x.late.Stop()
}

func (x *exchangeEnd) usage() processUsage { return usageOf(x.cmd.Process.Pid) }

// measure runs one cell in two fresh processes with fresh folders.
func (c *benchExchangeCmd) measure(ctx context.Context, e *env, dir string, cell benchCell, ceiling bool) (r exchangeResult, err error) {
	defer func() { _ = os.RemoveAll(dir) }()
	now := e.now()
	plan := endPlan{Ceiling: ceiling, Cell: cell, Warm: time.Duration(c.Warm * float64(time.Second)), Length: time.Duration(c.Seconds * float64(time.Second))}
	if plan.A, err = exchangebench.NewIdentity(string(benchSender), cell.Key == keyRSA, now); err != nil {
		return r, err
	}
	if plan.B, err = exchangebench.NewIdentity(string(benchReceiver), cell.Key == keyRSA, now); err != nil {
		return r, err
	}
	receive, send := plan, plan
	receive.Dir, send.Dir, send.Sends = filepath.Join(dir, "b"), filepath.Join(dir, "a"), true
	if c.Profile != "" && !ceiling {
		name := strings.NewReplacer(" ", "", ",", "-").Replace(cell.String())
		receive.Profile, send.Profile = filepath.Join(c.Profile, name+"-receive.pprof"), filepath.Join(c.Profile, name+"-send.pprof")
	}
	b, err := startEnd(e, receive)
	if err != nil {
		return r, err
	}
	defer b.stop()
	at, err := b.said()
	if err != nil {
		return r, err
	}
	send.Addr = at.Addr
	a, err := startEnd(e, send)
	if err != nil {
		return r, err
	}
	defer a.stop()
	return watchEnds(ctx, a, b, cell.Size)
}

// watchEnds follows a measurement from its beginning to the last message.
func watchEnds(ctx context.Context, a, b *exchangeEnd, size int64) (r exchangeResult, err error) {
	var usedA, usedB processUsage
	var busy time.Duration
	for {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		s, err := a.said()
		if err != nil {
			return r, err
		}
		switch {
		case s.Begin:
			usedA, usedB, busy = a.usage(), b.usage(), machineBusy()
		case s.End:
			nowA, nowB := a.usage(), b.usage()
			r.cpuA, r.cpuB, busy = nowA.since(usedA).cpu, nowB.since(usedB).cpu, machineBusy()-busy
		case s.Figures != nil:
			r.figures = *s.Figures
			r.foreign = max(0, (busy-r.cpuA-r.cpuB).Seconds()/max(r.figures.Took.Seconds(), 1e-9))
			r.rssA, r.rssB = a.usage().peakMB, b.usage().peakMB
			return b.counted(r, size)
		}
	}
}

// counted asks the receiver what came in.
func (x *exchangeEnd) counted(r exchangeResult, size int64) (exchangeResult, error) {
	if _, err := fmt.Fprintln(x.in, "{}"); err != nil {
		return r, childError(err)
	}
	s, err := x.said()
	if err != nil {
		return r, err
	}
	r.received = s.Received
	if payload := float64(s.Received) * float64(size); payload > 0 {
		r.wire = float64(s.Wire) / payload
	}
	return r, nil
}

// machineBusy is the time that all cores have worked, zero where the system does not
// tell.
func machineBusy() time.Duration {
	if runtime.GOOS != "linux" {
		return 0
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	var busy time.Duration
	for i, f := range strings.Fields(line) {
		ticks, err := strconv.ParseInt(f, 10, 64)
		const idle, iowait, guest = 4, 5, 9 // idle is no work, and guests are counted under user
		if err == nil && i != idle && i != iowait && i < guest {
			busy += time.Duration(ticks) * clockTick
		}
	}
	return busy
}
