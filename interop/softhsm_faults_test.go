//go:build interop

package interop_test

import (
	"crypto"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
)

// faults is a library that fails on command, over SoftHSM (testdata/pkcs11/fault.c).
type faults struct {
	*softHSM
	orders, library string
}

func newFaults(t *testing.T) *faults {
	t.Helper()
	f := &faults{softHSM: newSoftHSM(t), orders: t.TempDir()}
	f.library = filepath.Join(f.dir, "fault.so")
	headers := strings.TrimSpace(output(t, exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/miekg/pkcs11")))
	output(t, exec.Command("cc", "-shared", "-fPIC", "-Wall", "-Werror", "-I", headers, "-o", f.library, filepath.Join("testdata", "pkcs11", "fault.c"), "-ldl"))
	t.Setenv("FAULT_DIR", f.orders)
	t.Setenv("FAULT_LIBRARY", f.softHSM.library)
	f.token(t, "loi")
	f.put(t, "loi", "khoa", "01", certstest.P256)
	return f
}

// order has the library do word at the next call of that kind.
func (f *faults) order(t *testing.T, call, word string) {
	t.Helper()
	// The library may look at any moment: the file appears whole.
	whole := filepath.Join(f.orders, "."+call)
	ok(t, os.WriteFile(whole, []byte(word), 0o600))
	ok(t, os.Rename(whole, filepath.Join(f.orders, call)))
}

func (f *faults) lift(t *testing.T, call string) {
	t.Helper()
	ok(t, os.Remove(filepath.Join(f.orders, call)))
}

// count is how many PINs were presented ("logins") or signatures made ("signs").
func (f *faults) count(t *testing.T, what string) int {
	t.Helper()
	st, err := os.Stat(filepath.Join(f.orders, what))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	ok(t, err)
	return int(st.Size())
}

const faultKey = "pkcs11:token=loi;object=khoa"

func TestWrongPINIsPresentedOnce(t *testing.T) {
	f := newFaults(t)
	var asked int
	p := f.provider(t, f.library, "000000", &asked)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := p.Key(t.Context(), faultKey)
			wantCode(t, err, text.KeyLocked)
		})
	}
	wg.Wait()
	_, err := p.Key(t.Context(), "pkcs11:token=loi;id=%01") // the same token by another name
	wantCode(t, err, text.KeyLocked)
	if n := f.count(t, "logins"); n != 1 || asked != 1 {
		t.Errorf("the PIN was presented %d times and asked for %d times, want once", n, asked)
	}
}

func TestLastTryOfThePINIsLeftToThePerson(t *testing.T) {
	f := newFaults(t)
	f.order(t, "last-try", "yes")
	p := f.provider(t, f.library, tokenPIN, nil)
	_, err := p.Key(t.Context(), faultKey)
	wantCode(t, err, text.KeyLocked)
	if vi := text.As(err).Message().VI; !strings.Contains(vi, "chỉ còn một lần thử") {
		t.Errorf("the message does not say it: %s", vi)
	}
	if n := f.count(t, "logins"); n != 0 {
		t.Errorf("the PIN was presented %d times", n)
	}
	f.lift(t, "last-try")
	key, err := p.Key(t.Context(), faultKey)
	ok(t, err)
	ok(t, verified(t, key, crypto.SHA256, false))
}

func TestCrashWhileAPINIsPresentedIsNotTriedAgain(t *testing.T) {
	for _, word := range []string{"segv", "abort", "hang"} {
		t.Run(word, func(t *testing.T) {
			f := newFaults(t)
			f.order(t, "login", word)
			p := f.provider(t, f.library, tokenPIN, nil)
			p.CallLimit = time.Second
			for range 3 {
				_, err := p.Key(t.Context(), faultKey)
				wantCode(t, err, text.KeyLocked)
			}
			if n := f.count(t, "logins"); n != 1 {
				t.Errorf("the PIN was presented %d times", n)
			}
		})
	}
}

func TestCrashOfTheLibraryLosesOneSignatureAndRepeatsNone(t *testing.T) {
	for _, c := range []struct {
		call, word string
		want       text.Code
		signs      int // made by the token during the failed request
	}{
		{"sign", "segv", text.SignatureLost, 0},
		{"sign", "abort", text.SignatureLost, 0},
		{"sign", "hang", text.SignatureLost, 0},
		{"signed", "segv", text.SignatureLost, 1}, // the key was used, and the value is gone
		{"sign-init", "segv", text.SignatureLost, 0},
		{"sign", "removed", text.TokenAbsent, 0},
		{"sign", "session", text.KeyUnavailable, 0},
		{"sign", "failed", text.KeyUnavailable, 0},
		{"sign-init", "removed", text.TokenAbsent, 0},
	} {
		t.Run(c.call+" "+c.word, func(t *testing.T) {
			f := newFaults(t)
			var asked int
			p := f.provider(t, f.library, tokenPIN, &asked)
			p.CallLimit = 2 * time.Second
			key, err := p.Key(t.Context(), faultKey)
			ok(t, err)
			ok(t, verified(t, key, crypto.SHA256, false))
			f.order(t, c.call, c.word)
			wantCode(t, verified(t, key, crypto.SHA256, false), c.want)
			if n := f.count(t, "signs"); n != 1+c.signs {
				t.Errorf("%d signatures were made, want %d: none may be repeated by itself", n, 1+c.signs)
			}
			ok(t, verified(t, key, crypto.SHA256, false)) // a new helper, with the PIN that was good
			if asked != 1 {
				t.Errorf("the PIN was asked for %d times", asked)
			}
		})
	}
}

func TestSessionLostBeforeTheKeyIsUsedIsMadeGoodOnce(t *testing.T) {
	f := newFaults(t)
	p := f.provider(t, f.library, tokenPIN, nil)
	key, err := p.Key(t.Context(), faultKey)
	ok(t, err)
	f.order(t, "sign-init", "session")
	ok(t, verified(t, key, crypto.SHA256, false))
	if n := f.count(t, "signs"); n != 1 {
		t.Errorf("%d signatures were made", n)
	}
}

func TestPulledTokenIsNamedAndFoundAgain(t *testing.T) {
	f := newFaults(t)
	p := f.provider(t, f.library, tokenPIN, nil)
	key, err := p.Key(t.Context(), faultKey)
	ok(t, err)
	f.order(t, "gone", "yes")
	for range 3 {
		wantCode(t, verified(t, key, crypto.SHA256, false), text.TokenAbsent)
	}
	_, err = p.Key(t.Context(), faultKey)
	wantCode(t, err, text.TokenAbsent)
	f.lift(t, "gone")
	ok(t, verified(t, key, crypto.SHA256, false))
	if n := f.count(t, "logins"); n != 2 {
		t.Errorf("the PIN was presented %d times, want once before and once after", n)
	}
}

func TestLibraryThatCrashesWhenLoadedIsNamed(t *testing.T) {
	f := newFaults(t)
	f.order(t, "load", "segv")
	p := f.provider(t, f.library, tokenPIN, nil)
	_, err := p.Key(t.Context(), faultKey)
	wantCode(t, err, text.KeyUnavailable)
	_, err = p.Key(t.Context(), faultKey)
	ok(t, err)
	_, err = p.Tokens(t.Context(), "/etc/hostname")
	wantCode(t, err, text.KeyUnavailable)
}

func TestKilledHelperLosesNothingSilently(t *testing.T) {
	f := newFaults(t)
	p := f.provider(t, f.library, tokenPIN, nil)
	key, err := p.Key(t.Context(), faultKey)
	ok(t, err)
	const n = 200
	half := make(chan struct{}, n)
	results := make([]error, n)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := w; i < n; i += 4 {
				results[i] = verified(t, key, crypto.SHA256, false)
				half <- struct{}{}
			}
		})
	}
	for range n / 2 {
		<-half
	}
	killHelpers(t, f.helper)
	wg.Wait()
	var lost int
	for _, err := range results {
		if err != nil {
			wantCode(t, err, text.SignatureLost)
			lost++
		}
	}
	made := f.count(t, "signs")
	if lost > 4 || made > n || made < n-lost {
		t.Errorf("%d of %d were lost and the token made %d signatures", lost, n, made)
	}
	t.Logf("%d lost, %d made", lost, made)
}

// killHelpers kills the helper processes that this process started, by the path of
// their program.
func killHelpers(t *testing.T, program string) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*/exe")
	ok(t, err)
	killed := 0
	for _, d := range dirs {
		if exe, err := os.Readlink(d); err == nil && exe == program {
			ok(t, exec.Command("kill", "-9", filepath.Base(filepath.Dir(d))).Run())
			killed++
		}
	}
	if killed == 0 {
		t.Error("no helper to kill")
	}
}
