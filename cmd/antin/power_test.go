//go:build failpoint && linux

package main

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"antin/internal/powerloss"
)

// powerTransfers is enough for one that goes in parts (see crashPDF).
const powerTransfers = 6

// poweredDrive is a drive in memory that a side's process sees as its directory.
type poweredDrive struct {
	t     *testing.T
	dir   string
	disk  *powerloss.Disk
	mount *powerloss.Mount
	rng   *rand.Rand
	// cuts are the changes at which the power goes, one for each time of power; without
	// one it goes when the process is killed.
	cuts []int64
	// changes are those of the first time of power.
	changes int64
	lost    int // times
}

// newPoweredDrive mounts a new drive at dir. Without /dev/fuse the test is skipped, and
// fails where ANTIN_CI is set.
func newPoweredDrive(t *testing.T, dir string, seed uint64, cuts ...int64) *poweredDrive {
	t.Helper()
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err == nil {
		f.Close()
	} else if os.Getenv("ANTIN_CI") != "" {
		t.Fatalf("no file system can be mounted: %v", err)
	} else {
		t.Skipf("no file system can be mounted, so no power was cut: %v", err)
	}
	d := &poweredDrive{t: t, dir: dir, disk: powerloss.New(time.Now), rng: rand.New(rand.NewPCG(seed, 3)), cuts: cuts}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.on(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // of a test that failed half-way: its processes are dead by now
		if d.mount != nil {
			d.disk.Release()
			_ = d.mount.Unmount()
		}
	})
	return d
}

func (d *poweredDrive) on() (err error) {
	if len(d.cuts) > 0 {
		if d.cuts[0] > 0 {
			d.disk.CutAt(d.cuts[0])
		}
		d.cuts = d.cuts[1:]
	}
	d.mount, err = d.disk.Mount(d.dir)
	return err
}

func (d *poweredDrive) dark() <-chan struct{} { return d.disk.Dark() }

func (d *poweredDrive) release() { d.disk.Release() }

func (d *poweredDrive) lose(last bool) error {
	if err := d.mount.Unmount(); err != nil {
		return err
	}
	d.mount = nil
	if d.lost++; d.lost == 1 {
		d.changes = d.disk.Changes()
	}
	d.disk.PowerOff(d.rng)
	if last {
		return d.disk.Export(d.dir)
	}
	return d.on()
}

// TestTortureCutsThePower has the data directory of one side on a disk whose power goes
// at seeded changes, twice, and once more at the end: whatever was not made durable may
// be gone then, or torn. Nothing acknowledged may be lost, nothing done twice.
func TestTortureCutsThePower(t *testing.T) {
	for _, who := range []side{sender, receiver} {
		t.Run(who.String(), func(t *testing.T) {
			t.Parallel()
			changes, _ := cutPower(t, who, 0)
			t.Logf("%d changes without a cut", changes)
			if changes < 300 {
				t.Fatalf("only %d changes were seen", changes)
			}
			total := 0
			for seed := range uint64(3 * times(t, tortureSeeds)) {
				rng := rand.New(rand.NewPCG(seed, 4))
				// The first many make the directory; a second cut comes soon. How many there
				// are in all differs: commits come together as it happens.
				_, n := cutPower(t, who, seed+1, 1+rng.Int64N(changes), 1+rng.Int64N(400))
				total += n
			}
			if total < 2 {
				t.Errorf("the power went %d times", total)
			}
		})
	}
}

// cutPower runs one trial and returns the changes of its first time of power, and how
// often that went.
func cutPower(t *testing.T, who side, seed uint64, cuts ...int64) (changes int64, went int) {
	t.Helper()
	var on *poweredDrive
	s := tortured(t, trial{transfers: powerTransfers, seed: seed, drive: func(of side, dir string) drive {
		if of != who {
			return nil
		}
		on = newPoweredDrive(t, dir, seed, cuts...)
		return on
	}})
	s.run()
	t.Logf("seed %d: power cut at %v, %d times, %d lives", seed, cuts, s.cuts[who], s.lives[who])
	s.check()
	return on.changes, s.cuts[who]
}
