//go:build cgo

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	p11 "github.com/miekg/pkcs11"

	"antin/signer/keys/pkcs11"
)

const (
	// maxAtOnce bounds the requests in the library at a time; the other side asks for
	// no more than the sessions of its tokens.
	maxAtOnce = 256
	// endLimit is how long logging out may take: a library that hangs there holds
	// nothing any more that matters.
	endLimit = 2 * time.Second
)

// serveModule answers requests from in on out until in ends. It is the only function
// that calls into a vendor's library; whatever that does ends this process alone.
func serveModule(in io.Reader, out io.Writer) error {
	var (
		lib   *library
		write sync.Mutex
		room  = make(chan struct{}, maxAtOnce)
		wg    sync.WaitGroup
	)
	say := func(a pkcs11.Answer) error {
		write.Lock()
		defer write.Unlock()
		_, _, err := pkcs11.WriteFrame(out, a)
		return err
	}
	requests := bufio.NewReader(in)
	for {
		var r pkcs11.Request
		if err := pkcs11.ReadFrame(requests, &r); err != nil {
			lib.close(&wg)
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if r.Op == pkcs11.OpLoad {
			a := pkcs11.Answer{Code: pkcs11.CodeBad, Reason: "loaded already"}
			if lib == nil {
				lib, a = load(r)
			}
			a.ID = r.ID
			if err := say(a); err != nil {
				return err
			}
			continue
		}
		if lib == nil {
			if err := say(pkcs11.Answer{ID: r.ID, Code: pkcs11.CodeBad, Reason: "nothing is loaded"}); err != nil {
				return err
			}
			continue
		}
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			a := lib.answer(r)
			clear(r.PIN)
			a.ID = r.ID
			_ = say(a) // the other side has gone: the input ends next
		})
	}
}

// library is a loaded PKCS #11 library. Its methods are safe for concurrent use, and
// close for nil.
type library struct {
	ctx      *p11.Ctx
	sessions int
	// alone serialises every call where the library cannot lock by itself.
	alone *sync.Mutex

	mu    sync.Mutex
	slots map[uint]*slot
}

// load loads the library at r.Module and initialises it.
func load(r pkcs11.Request) (*library, pkcs11.Answer) {
	ctx := p11.New(r.Module)
	if ctx == nil {
		return nil, pkcs11.Answer{Code: pkcs11.CodeModule, Reason: r.Module}
	}
	lib := &library{ctx: ctx, sessions: r.Sessions, slots: map[uint]*slot{}}
	if lib.sessions < 1 || lib.sessions > pkcs11.MaxSessions {
		lib.sessions = pkcs11.DefaultSessions
	}
	err := ctx.Initialize()
	if errors.Is(err, p11.Error(p11.CKR_CANT_LOCK)) || errors.Is(err, p11.Error(p11.CKR_NEED_TO_CREATE_THREADS)) {
		lib.alone = &sync.Mutex{}
		err = ctx.Initialize(p11.InitializeWithFlags(0))
	}
	if err != nil && !errors.Is(err, p11.Error(p11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		return nil, pkcs11.Answer{Code: pkcs11.CodeModule, Reason: fmt.Sprintf("%s: C_Initialize: %v", r.Module, err)}
	}
	a := pkcs11.Answer{}
	if info, err := ctx.GetInfo(); err == nil {
		a.Library = fmt.Sprintf("%s %d.%d", info.LibraryDescription, info.LibraryVersion.Major, info.LibraryVersion.Minor)
	}
	return lib, a
}

// close waits for calls under way, logs out and ends the library, as far as that is
// done in time: nobody waits for an answer any more.
func (l *library) close(calls *sync.WaitGroup) {
	if l == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		calls.Wait()
		_ = l.ctx.Finalize()
	}()
	select {
	case <-done:
	case <-time.After(endLimit):
	}
}

func (l *library) answer(r pkcs11.Request) pkcs11.Answer {
	if l.alone != nil {
		l.alone.Lock()
		defer l.alone.Unlock()
	}
	switch r.Op {
	case pkcs11.OpTokens:
		return l.tokens()
	case pkcs11.OpOpen:
		return l.open(r)
	case pkcs11.OpSign:
		return l.sign(r)
	case pkcs11.OpLoad:
	}
	return pkcs11.Answer{Code: pkcs11.CodeBad, Reason: "unknown operation"}
}

// tokens lists the tokens that are there and ready for use.
func (l *library) tokens() pkcs11.Answer {
	ids, err := l.ctx.GetSlotList(true)
	if err != nil {
		return refused("C_GetSlotList", err)
	}
	var a pkcs11.Answer
	for _, id := range ids[:min(len(ids), maxSlots)] {
		if t, err := l.token(id); err == nil { // a token may go between two calls
			a.Tokens = append(a.Tokens, t)
		}
	}
	return a
}

// maxSlots bounds the slots that are asked: an HSM has tens of partitions.
const maxSlots = 256

// errUninitialised is returned for a token that holds nothing yet.
var errUninitialised = errors.New("token is not initialised")

func (l *library) token(id uint) (pkcs11.Token, error) {
	info, err := l.ctx.GetTokenInfo(id)
	if err != nil {
		return pkcs11.Token{}, err
	}
	has := func(flag uint) bool { return info.Flags&flag != 0 }
	if !has(p11.CKF_TOKEN_INITIALIZED) {
		return pkcs11.Token{}, errUninitialised
	}
	return pkcs11.Token{Slot: id, Label: info.Label, Manufacturer: info.ManufacturerID, Model: info.Model, Serial: info.SerialNumber,
		Login: has(p11.CKF_LOGIN_REQUIRED), PINPad: has(p11.CKF_PROTECTED_AUTHENTICATION_PATH),
		CountLow: has(p11.CKF_USER_PIN_COUNT_LOW), LastTry: has(p11.CKF_USER_PIN_FINAL_TRY), Locked: has(p11.CKF_USER_PIN_LOCKED)}, nil
}

// refused is the answer for a call that failed.
func refused(call string, err error) pkcs11.Answer {
	return pkcs11.Answer{Code: codeOf(err), Reason: fmt.Sprintf("%s: %v", call, err)}
}

// codeOf sorts the values of PKCS #11 by what a person can do about them.
func codeOf(err error) pkcs11.AnswerCode {
	var rv p11.Error
	if !errors.As(err, &rv) {
		return pkcs11.CodeFailed
	}
	switch uint(rv) {
	case p11.CKR_TOKEN_NOT_PRESENT, p11.CKR_DEVICE_REMOVED, p11.CKR_TOKEN_NOT_RECOGNIZED, p11.CKR_SLOT_ID_INVALID:
		return pkcs11.CodeAbsent
	case p11.CKR_SESSION_HANDLE_INVALID, p11.CKR_SESSION_CLOSED, p11.CKR_USER_NOT_LOGGED_IN, p11.CKR_KEY_HANDLE_INVALID,
		p11.CKR_OBJECT_HANDLE_INVALID, p11.CKR_DEVICE_ERROR, p11.CKR_CRYPTOKI_NOT_INITIALIZED:
		return pkcs11.CodeSession
	case p11.CKR_PIN_INCORRECT, p11.CKR_PIN_INVALID, p11.CKR_PIN_LEN_RANGE:
		return pkcs11.CodePINWrong
	case p11.CKR_PIN_LOCKED:
		return pkcs11.CodePINLocked
	case p11.CKR_PIN_EXPIRED, p11.CKR_USER_PIN_NOT_INITIALIZED:
		return pkcs11.CodePINExpired
	case p11.CKR_MECHANISM_INVALID, p11.CKR_MECHANISM_PARAM_INVALID, p11.CKR_KEY_FUNCTION_NOT_PERMITTED, p11.CKR_KEY_TYPE_INCONSISTENT:
		return pkcs11.CodeUnsupported
	}
	return pkcs11.CodeFailed
}
