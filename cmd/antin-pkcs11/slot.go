//go:build cgo

package main

import (
	"errors"
	"fmt"
	"sync"

	p11 "github.com/miekg/pkcs11"

	"antin/signer/keys/pkcs11"
)

// slot is a token in use: its sessions, which share one login.
type slot struct {
	room chan struct{} // one for each session in use

	mu   sync.Mutex
	free []p11.SessionHandle
}

// slot returns the pool of slot id, made at its first use. It keeps within what the
// token says that it can do.
func (l *library) slot(id uint) *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.slots[id]; ok {
		return s
	}
	n := l.sessions
	// 0 is “no limit” and the largest value “not told” (PKCS #11, 3.2).
	if info, err := l.ctx.GetTokenInfo(id); err == nil && info.MaxSessionCount > 0 && info.MaxSessionCount < uint(n) {
		n = int(info.MaxSessionCount)
	}
	s := &slot{room: make(chan struct{}, n)}
	l.slots[id] = s
	return s
}

// with runs f in a session of slot id. A session in which a call failed may be stuck in
// the middle of an operation: a new one takes its place, opened before the old one is
// closed, since closing the last one would log out.
func (l *library) with(id uint, f func(p11.SessionHandle) pkcs11.Answer) pkcs11.Answer {
	s := l.slot(id)
	s.room <- struct{}{}
	defer func() { <-s.room }()
	s.mu.Lock()
	var h p11.SessionHandle
	n := len(s.free)
	if n > 0 {
		h, s.free = s.free[n-1], s.free[:n-1]
	}
	s.mu.Unlock()
	if n == 0 {
		var err error
		if h, err = l.ctx.OpenSession(id, p11.CKF_SERIAL_SESSION); err != nil {
			return refused("C_OpenSession", err)
		}
	}
	a := f(h)
	if a.Code != "" {
		fresh, err := l.ctx.OpenSession(id, p11.CKF_SERIAL_SESSION)
		_ = l.ctx.CloseSession(h)
		if err != nil {
			return a
		}
		h = fresh
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, h)
	return a
}

// open logs in where asked, and finds keys and certificates.
func (l *library) open(r pkcs11.Request) pkcs11.Answer {
	t, err := l.token(r.Slot)
	switch {
	case errors.Is(err, errUninitialised) || err == nil && t.Serial != r.Serial:
		return pkcs11.Answer{Code: pkcs11.CodeAbsent, Reason: "another token is in the slot"}
	case err != nil:
		return refused("C_GetTokenInfo", err)
	}
	return l.with(r.Slot, func(h p11.SessionHandle) pkcs11.Answer {
		var a pkcs11.Answer
		if r.Login {
			if a = l.login(h, p11.CKU_USER, t, r.PIN); a.Code != "" {
				return a
			}
		}
		found, err := l.find(h, r)
		if err != nil {
			bad := refused("finding objects", err)
			bad.Login = a.Login
			return bad
		}
		found.Login = a.Login
		found.Mechanisms = l.mechanisms(r.Slot)
		return found
	})
}

// login presents the PIN, once, unless the token says that this could lock it.
func (l *library) login(h p11.SessionHandle, user uint, t pkcs11.Token, pin []byte) pkcs11.Answer {
	switch {
	case t.Locked:
		return pkcs11.Answer{Code: pkcs11.CodePINLocked, Reason: "CKF_USER_PIN_LOCKED"}
	case t.LastTry:
		return pkcs11.Answer{Code: pkcs11.CodePINLastTry, Reason: "CKF_USER_PIN_FINAL_TRY"}
	}
	err := l.ctx.Login(h, user, string(pin))
	if err == nil || errors.Is(err, p11.Error(p11.CKR_USER_ALREADY_LOGGED_IN)) {
		return pkcs11.Answer{Login: pkcs11.LoginOK}
	}
	a := refused("C_Login", err)
	a.Login = pkcs11.LoginFailed
	return a
}

// names of the mechanisms that a client may ask for.
var mechanismNumbers = map[pkcs11.Mechanism]uint{
	pkcs11.RSAPKCS: p11.CKM_RSA_PKCS, pkcs11.RSAPSS: p11.CKM_RSA_PKCS_PSS, pkcs11.ECDSA: p11.CKM_ECDSA, pkcs11.EdDSA: ckmEDDSA,
}

// Numbers of PKCS #11 3.0 that the binding does not name.
const (
	ckmEDDSA     = 0x00001057
	ckkECEdwards = 0x00000040
)

// mechanisms are those of the slot that sign and are known here.
func (l *library) mechanisms(id uint) []pkcs11.Mechanism {
	all, err := l.ctx.GetMechanismList(id)
	if err != nil {
		return nil
	}
	var out []pkcs11.Mechanism
	for name, number := range mechanismNumbers {
		for _, m := range all {
			if m.Mechanism == number {
				out = append(out, name)
				break
			}
		}
	}
	return out
}

// sign uses the key once.
func (l *library) sign(r pkcs11.Request) pkcs11.Answer {
	m, err := mechanism(r)
	if err != nil {
		return pkcs11.Answer{Code: pkcs11.CodeUnsupported, Reason: err.Error()}
	}
	return l.with(r.Slot, func(h p11.SessionHandle) pkcs11.Answer {
		if err := l.ctx.SignInit(h, []*p11.Mechanism{m}, p11.ObjectHandle(r.Key)); err != nil {
			return refused("C_SignInit", err)
		}
		var a pkcs11.Answer
		if r.Login { // the key wants its PIN each time
			t, err := l.token(r.Slot)
			if err != nil {
				return refused("C_GetTokenInfo", err)
			}
			if a = l.login(h, p11.CKU_CONTEXT_SPECIFIC, t, r.PIN); a.Code != "" {
				return a
			}
		}
		value, err := l.ctx.Sign(h, r.Data)
		if err != nil {
			bad := refused("C_Sign", err)
			bad.KeyUsed, bad.Login = true, a.Login
			return bad
		}
		a.KeyUsed, a.Signature = true, value
		return a
	})
}

// pssParameters are hash, MGF1 and length of the salt by the hash's name.
var pssParameters = map[string][3]uint{
	"SHA-256":  {p11.CKM_SHA256, p11.CKG_MGF1_SHA256, 32},
	"SHA-384":  {p11.CKM_SHA384, p11.CKG_MGF1_SHA384, 48},
	"SHA-512":  {p11.CKM_SHA512, p11.CKG_MGF1_SHA512, 64},
	"SHA3-256": {0x2b0, 7, 32}, // CKM_SHA3_256 and CKG_MGF1_SHA3_256 of PKCS #11 3.0, and so on
	"SHA3-384": {0x2c0, 8, 48},
	"SHA3-512": {0x2d0, 9, 64},
}

func mechanism(r pkcs11.Request) (*p11.Mechanism, error) {
	number, ok := mechanismNumbers[r.Mechanism]
	if !ok {
		return nil, fmt.Errorf("mechanism %q", r.Mechanism)
	}
	if r.Mechanism != pkcs11.RSAPSS {
		return p11.NewMechanism(number, nil), nil
	}
	p, ok := pssParameters[r.Hash]
	if !ok {
		return nil, fmt.Errorf("RSA-PSS with %q", r.Hash)
	}
	return p11.NewMechanism(number, p11.NewPSSParams(p[0], p[1], p[2])), nil
}
