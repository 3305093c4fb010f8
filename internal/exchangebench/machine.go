package exchangebench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Bare is one figure of what the machine does without us.
type Bare struct {
	Name string
	PerS float64 // operations a second, one after the other; of SHA-256 MB a second
}

// Machine takes each figure of the machine for about the time given, in dir.
func Machine(ctx context.Context, dir string, each time.Duration) (all []Bare, err error) {
	for _, m := range []struct {
		name string
		run  func(context.Context, string, time.Duration) (float64, error)
	}{
		{"fsync of 4 kB", fsyncs},
		{"RSA-2048 sign", signs(true)}, {"RSA-2048 verify", verifies(true)},
		{"P-256 sign", signs(false)}, {"P-256 verify", verifies(false)},
		{"SHA-256 MB", hashes}, {"SQLite commit", commits},
	} {
		b := Bare{Name: m.name}
		if b.PerS, err = m.run(ctx, dir, each); err != nil {
			return nil, fmt.Errorf("measuring %s: %w", m.name, err)
		}
		all = append(all, b)
	}
	return all, nil
}

// rate is how often a second f can be called.
func rate(each time.Duration, f func() error) (float64, error) {
	begin, n := time.Now(), 0
	for time.Since(begin) < each {
		if err := f(); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(begin).Seconds(), nil
}

func fsyncs(_ context.Context, dir string, each time.Duration) (_ float64, err error) {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	page := make([]byte, 4096)
	return rate(each, func() error {
		if _, err := f.Write(page); err != nil {
			return err
		}
		return f.Sync()
	})
}

func signs(rsaKey bool) func(context.Context, string, time.Duration) (float64, error) {
	return func(_ context.Context, _ string, each time.Duration) (float64, error) {
		i, err := NewIdentity("bare", rsaKey, time.Now())
		if err != nil {
			return 0, err
		}
		key, err := i.Signer()
		if err != nil {
			return 0, err
		}
		return rate(each, func() error {
			_, err := sign(key, [32]byte{1})
			return err
		})
	}
}

func verifies(rsaKey bool) func(context.Context, string, time.Duration) (float64, error) {
	return func(_ context.Context, _ string, each time.Duration) (float64, error) {
		i, err := NewIdentity("bare", rsaKey, time.Now())
		if err != nil {
			return 0, err
		}
		key, err := i.Signer()
		if err != nil {
			return 0, err
		}
		sig, err := sign(key, [32]byte{1})
		if err != nil {
			return 0, err
		}
		return rate(each, func() error { return verify(key.Public(), [32]byte{1}, sig) })
	}
}

func hashes(_ context.Context, _ string, each time.Duration) (float64, error) {
	const megabyte = 1_000_000
	b := make([]byte, megabyte)
	return rate(each, func() error {
		sha256.Sum256(b)
		return nil
	})
}

func commits(ctx context.Context, dir string, each time.Duration) (_ float64, err error) {
	folder := filepath.Join(dir, "commits")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return 0, err
	}
	r, err := openRows(ctx, folder)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	n := 0
	return rate(each, func() error {
		n++
		return r.keep(&row{id: fmt.Sprint(n), receipt: make([]byte, 2048)})
	})
}
