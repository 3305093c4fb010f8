package powerloss_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"antin/internal/powerloss"
)

// seeds is how many outages each promise is put to; both ends of a chance are then seen.
const seeds = 40

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// outages does work on a new disk, cuts its power, and gives look what is there then.
func outages(t *testing.T, work func(dir string), look func(dir string)) {
	t.Helper()
	for seed := range uint64(seeds) {
		d, dir := mounted(t)
		m, err := d.Mount(dir)
		must(t, err)
		work(dir)
		must(t, m.Unmount())
		d.PowerOff(rand.New(rand.NewPCG(seed, 7)))
		m, err = d.Mount(dir)
		must(t, err)
		look(dir)
		must(t, m.Unmount())
	}
}

func mounted(t *testing.T) (*powerloss.Disk, string) {
	t.Helper()
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err == nil {
		f.Close()
	} else if os.Getenv("ANTIN_CI") != "" {
		t.Fatalf("no file system can be mounted: %v", err)
	} else {
		t.Skipf("no file system can be mounted: %v", err)
	}
	return powerloss.New(time.Now), t.TempDir()
}

// keep writes a file and makes what it is told to durable.
func keep(t *testing.T, path string, data []byte, bytesToo, name bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	must(t, err)
	_, err = f.Write(data)
	must(t, err)
	if bytesToo {
		must(t, f.Sync())
	}
	must(t, f.Close())
	if name {
		syncDir(t, filepath.Dir(path))
	}
}

func syncDir(t *testing.T, dir string) {
	t.Helper()
	d, err := os.Open(dir)
	must(t, err)
	must(t, d.Sync())
	must(t, d.Close())
}

// both counts how often something was and was not.
type both struct{ yes, no int }

func (b *both) saw(v bool) {
	if v {
		b.yes++
	} else {
		b.no++
	}
}

func (b *both) want(t *testing.T, what string) {
	t.Helper()
	if b.yes == 0 || b.no == 0 {
		t.Errorf("%s: %d times yes, %d times no", what, b.yes, b.no)
	}
}

func TestWhatIsDurableStaysAndTheRestMayGo(t *testing.T) {
	t.Parallel()
	whole := bytes.Repeat([]byte("đủ"), 3000)
	var unnamed, unsynced both
	outages(t, func(dir string) {
		keep(t, filepath.Join(dir, "durable"), whole, true, true)
		keep(t, filepath.Join(dir, "empty?"), whole, false, true)
		keep(t, filepath.Join(dir, "unnamed"), whole, true, false)
	}, func(dir string) {
		got, err := os.ReadFile(filepath.Join(dir, "durable"))
		if err != nil || !bytes.Equal(got, whole) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		got, err = os.ReadFile(filepath.Join(dir, "empty?"))
		if err != nil {
			t.Error(err)
		}
		unsynced.saw(bytes.Equal(got, whole))
		_, err = os.Stat(filepath.Join(dir, "unnamed"))
		unnamed.saw(errors.Is(err, fs.ErrNotExist))
	})
	unnamed.want(t, "a name that was not made durable is gone")
	unsynced.want(t, "bytes that were not made durable are all there")
}

func TestWritesAreTornAtSectors(t *testing.T) {
	t.Parallel()
	old, fresh := bytes.Repeat([]byte{1}, 8*512), bytes.Repeat([]byte{2}, 8*512)
	var mixed both
	outages(t, func(dir string) {
		keep(t, filepath.Join(dir, "f"), old, true, true)
		keep(t, filepath.Join(dir, "f"), fresh, false, false)
	}, func(dir string) {
		got, err := os.ReadFile(filepath.Join(dir, "f"))
		must(t, err)
		n := 0
		for sector := range 8 {
			part := got[sector*512 : sector*512+512]
			if bytes.Count(part, part[:1]) != 512 {
				t.Fatalf("sector %d is half written", sector)
			}
			if part[0] == 2 {
				n++
			}
		}
		mixed.saw(n > 0 && n < 8)
	})
	mixed.want(t, "torn")
}

func TestARenameIsDoneWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	var moved both
	outages(t, func(dir string) {
		must(t, os.Mkdir(filepath.Join(dir, "tmp"), 0o700))
		must(t, os.Mkdir(filepath.Join(dir, "there"), 0o700))
		syncDir(t, dir)
		for _, name := range []string{"a", "b"} {
			keep(t, filepath.Join(dir, "tmp", name), []byte(name), true, true)
			must(t, os.Rename(filepath.Join(dir, "tmp", name), filepath.Join(dir, "there", name)))
			if name == "a" {
				syncDir(t, filepath.Join(dir, "there"))
			}
		}
	}, func(dir string) {
		for _, name := range []string{"a", "b"} {
			_, before := os.Stat(filepath.Join(dir, "tmp", name))
			got, after := os.ReadFile(filepath.Join(dir, "there", name))
			if (before == nil) == (after == nil) || after == nil && string(got) != name {
				t.Errorf("%s: %v, %v, %q", name, before, after, got)
			}
			if name == "a" && after != nil {
				t.Error("a name that was made durable is gone")
			}
			if name == "b" {
				moved.saw(after == nil)
			}
		}
	})
	moved.want(t, "moved")
}

func TestAfterTheCutNobodyIsAnswered(t *testing.T) {
	t.Parallel()
	d, dir := mounted(t)
	m, err := d.Mount(dir)
	must(t, err)
	keep(t, filepath.Join(dir, "f"), []byte("x"), true, true)
	d.CutAt(3) // made, written, and this one
	ended := make(chan error, 1)
	go func() {
		f, err := os.Create(filepath.Join(dir, "g"))
		if err == nil {
			_, _ = f.WriteString("x")
			err = f.Sync()
			_ = f.Close()
		}
		ended <- err
	}()
	<-d.Dark()
	select {
	case err := <-ended:
		t.Errorf("answered: %v", err)
	default:
	}
	d.Release()
	if err := <-ended; !errors.Is(err, syscall.EIO) {
		t.Errorf("released with %v", err)
	}
	must(t, m.Unmount())
	d.PowerOff(rand.New(rand.NewPCG(1, 1)))
	out := filepath.Join(t.TempDir(), "out")
	must(t, d.Export(out))
	if got, err := os.ReadFile(filepath.Join(out, "f")); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
}
