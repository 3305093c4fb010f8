package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// bareTime is how long each bare figure of the machine is taken.
const bareTime = time.Second

// clockTick is the unit of /proc/PID/stat: USER_HZ, 100 on every Linux that Go
// runs on.
const clockTick = 10 * time.Millisecond

// machineFigures say what the machine can do without us.
type machineFigures struct {
	cores              int
	fsyncs, signatures float64 // per second, one after the other
}

// measureMachine writes and syncs 4 kB in dir again and again, then signs.
func measureMachine(dir string) (m machineFigures, err error) {
	m.cores = runtime.NumCPU()
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return m, storageError(err)
	}
	defer func() { _ = f.Close() }()
	block := make([]byte, 4096)
	if m.fsyncs, err = rate(func() error {
		if _, err := f.Write(block); err != nil {
			return err
		}
		return f.Sync()
	}); err != nil {
		return m, storageError(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return m, err
	}
	digest := sha256.Sum256(block)
	m.signatures, err = rate(func() error {
		_, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
		return err
	})
	return m, err
}

// rate is how often a second f can be called.
func rate(f func() error) (float64, error) {
	begin, n := time.Now(), 0
	for time.Since(begin) < bareTime {
		if err := f(); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(begin).Seconds(), nil
}

// processUsage is what a process has used; zero where the system does not tell.
type processUsage struct {
	cpu    time.Duration // its own and its ended children's
	peakMB int           // greatest resident size
}

func (u processUsage) since(before processUsage) processUsage {
	return processUsage{cpu: u.cpu - before.cpu, peakMB: u.peakMB}
}

// peakOf finds the greatest resident size in /proc/PID/status.
var peakOf = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

// usageOf reads a process's figures from Linux.
func usageOf(pid int) (u processUsage) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	if status, err := os.ReadFile(dir + "status"); err == nil {
		if m := peakOf.FindSubmatch(status); m != nil {
			kb, _ := strconv.Atoi(string(m[1]))
			u.peakMB = kb / 1024
		}
	}
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return u
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before may hold spaces
	fields := strings.Fields(rest)
	for i := 11; i <= 14 && i < len(fields); i++ { // utime, stime, cutime, cstime
		ticks, _ := strconv.ParseInt(fields[i], 10, 64)
		u.cpu += time.Duration(ticks) * clockTick
	}
	return u
}
