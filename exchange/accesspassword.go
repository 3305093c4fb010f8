package exchange

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"antin/internal/text"
)

// The cost of a password's hash (Argon2id, RFC 9106): more memory than OWASP's
// least (19 MiB, 2 passes), and under a tenth of a second on an office server, so
// that the morning's log-ins do not queue.
const (
	argonMemory  = 32 << 10 // KiB
	argonPasses  = 3
	argonLanes   = 1
	argonSalt    = 16
	argonKey     = 32
	maxArgonMem  = 1 << 20 // KiB; bounds what a stored hash may ask for
	maxArgonPass = 16
)

// maxHashing bounds the memory that log-ins take together: 4 × 32 MiB. The others wait.
const maxHashing = 4

const (
	// minPassword is in characters. Length is what counts: no rule asks for digits or
	// signs, which makes people write passwords down.
	minPassword = 12
	// maxPassword is a long sentence, in characters.
	maxPassword = 128
)

// hasher makes and checks hashes of passwords, a few at a time.
type hasher struct {
	once  sync.Once
	slots chan struct{}
}

// do runs f when there is room; ctx's error when it ends before.
func (h *hasher) do(ctx context.Context, f func()) error {
	h.once.Do(func() { h.slots = make(chan struct{}, maxHashing) })
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.slots }()
	f()
	return nil
}

// hash returns the hash of password in PHC form.
func (h *hasher) hash(ctx context.Context, password string) (phc string, err error) {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	err = h.do(ctx, func() {
		sum := argon2.IDKey([]byte(foldPassword(password)), salt, argonPasses, argonMemory, argonLanes, argonKey)
		phc = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonLanes,
			base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
	})
	return phc, err
}

// verify reports whether password is that of phc.
func (h *hasher) verify(ctx context.Context, phc, password string) (ok bool, err error) {
	p, err := parsePHC(phc)
	if err != nil {
		return false, err
	}
	err = h.do(ctx, func() {
		sum := argon2.IDKey([]byte(foldPassword(password)), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.sum)))
		ok = subtle.ConstantTimeCompare(sum, p.sum) == 1
	})
	return ok, err
}

// errPHC is a stored hash that no version of this program wrote.
var errPHC = errors.New("stored password hash is not readable")

type phc struct {
	memory, passes uint32
	lanes          uint8
	salt, sum      []byte
}

func parsePHC(s string) (p phc, err error) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, errPHC
	}
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return phc{}, errPHC
	}
	p.salt, err = base64.RawStdEncoding.DecodeString(part[4])
	if err != nil {
		return phc{}, errPHC
	}
	p.sum, err = base64.RawStdEncoding.DecodeString(part[5])
	if err != nil || len(p.sum) < 16 || len(p.sum) > 64 || p.lanes == 0 || p.passes == 0 || p.memory == 0 ||
		p.memory > maxArgonMem || p.passes > maxArgonPass {
		return phc{}, errPHC
	}
	return p, nil
}

// foldPassword is the form that is hashed: keyboards write Vietnamese composed or
// decomposed, and mean the same.
func foldPassword(s string) string { return norm.NFC.String(s) }

// checkPassword returns nil when password may be that of acc.
func checkPassword(acc Account, password string) error {
	n := utf8.RuneCountInString(foldPassword(password))
	if !utf8.ValidString(password) || n < minPassword || n > maxPassword || strings.ContainsFunc(password, unicode.IsControl) {
		return text.Detailed(text.InvalidInput, nil, "access.password-length", minPassword, maxPassword)
	}
	bare := bareText(password)
	if bare == bareText(acc.Login) || bare == bareText(acc.Name) {
		return text.Detailed(text.InvalidInput, nil, "access.password-own")
	}
	if guessable(password, acc.Login, acc.Name, string(acc.Agency)) {
		return text.Detailed(text.InvalidInput, nil, "access.password-guessed")
	}
	return nil
}

// bareText is s in lower case without what stands between letters and digits.
func bareText(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFC.String(s))
}

// newPassword makes one of 80 random bits that can be read out over the telephone.
func newPassword() string {
	s := random(10)
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
}

// setPassword gives acc a password: the one brought, or one that is made and
// returned to be shown once.
func (a *Access) setPassword(ctx context.Context, acc *Account, password string) (shown string, err error) {
	if password == "" {
		password = newPassword()
		shown = password
	} else if err := checkPassword(*acc, password); err != nil {
		return "", err
	}
	acc.PasswordHash, err = a.hashing.hash(ctx, password)
	if err != nil {
		return "", err
	}
	return shown, nil
}

// ResetPassword gives an account another password, ends its sessions and lock-out,
// and has the person change it at the next login. An empty password has one made,
// which is returned and kept nowhere. Errors: not-allowed, not-found, invalid-input.
func (a *Access) ResetPassword(ctx context.Context, by Actor, id ID, password string) (shown string, err error) {
	acc, err := a.Account(ctx, by, id)
	if err != nil {
		return "", err
	}
	if err := manages(by); err != nil {
		return "", err
	}
	if shown, err = a.setPassword(ctx, &acc, password); err != nil {
		return "", err
	}
	err = a.change(ctx, by, id, func(tx Tx, now *Account) error {
		now.PasswordHash, now.MustChange = acc.PasswordHash, true
		now.Failures, now.FailedAt, now.LockedUntil = 0, time.Time{}, time.Time{}
		if err := tx.EndSessions(ctx, id, ""); err != nil {
			return err
		}
		return a.event(ctx, tx, EventAccountPassword, by, now.Agency, id, map[string]string{"login": now.Login})
	})
	if err != nil {
		return "", err
	}
	return shown, nil
}

// ChangePassword has the person of s choose another password and ends their other
// sessions. Wrong old ones count as failed log-ins. Errors: login-failed,
// locked-out, rate-limited, invalid-input, session-expired.
func (a *Access) ChangePassword(ctx context.Context, s Session, old, password string) error {
	fresh, err := a.attempt(ctx, s.Account.Agency, s.Account.Login, old, string(s.Account.ID), nil)
	if err != nil {
		return err
	}
	if err := checkPassword(fresh, password); err != nil {
		return err
	}
	if foldPassword(old) == foldPassword(password) {
		return text.Detailed(text.InvalidInput, nil, "access.password-same")
	}
	next, err := a.hashing.hash(ctx, password)
	if err != nil {
		return err
	}
	return a.Store.Update(ctx, func(tx Tx) error {
		acc, err := tx.Account(ctx, fresh.ID)
		if err != nil {
			return err
		}
		if _, err := tx.Session(ctx, s.Hash); err != nil || acc.PasswordHash != fresh.PasswordHash {
			return text.Errorf(text.SessionExpired, err)
		}
		acc.PasswordHash, acc.MustChange = next, false
		if err := tx.EndSessions(ctx, acc.ID, s.Hash); err != nil {
			return err
		}
		if err := tx.SaveAccount(ctx, acc); err != nil {
			return err
		}
		return a.event(ctx, tx, EventAccountOwnPassword, acc.Actor(), acc.Agency, acc.ID, map[string]string{"login": acc.Login})
	})
}
