//go:build cgo

package main

import (
	"bytes"
	"encoding/binary"
	"slices"

	p11 "github.com/miekg/pkcs11"

	"antin/signer/keys/pkcs11"
)

// find reads the keys that r names and the certificates beside them.
func (l *library) find(h p11.SessionHandle, r pkcs11.Request) (pkcs11.Answer, error) {
	want := []*p11.Attribute{p11.NewAttribute(p11.CKA_CLASS, p11.CKO_PRIVATE_KEY)}
	if r.Object != "" {
		want = append(want, p11.NewAttribute(p11.CKA_LABEL, r.Object))
	}
	if len(r.KeyID) > 0 {
		want = append(want, p11.NewAttribute(p11.CKA_ID, r.KeyID))
	}
	handles, err := l.objects(h, want, pkcs11.MaxKeys)
	if err != nil {
		return pkcs11.Answer{}, err
	}
	var a pkcs11.Answer
	for _, o := range handles {
		if k, ok := l.key(h, o); ok {
			a.Keys = append(a.Keys, k)
		}
	}
	a.Certificates, err = l.certificates(h, a.Keys)
	return a, err
}

// objects returns at most limit objects that want matches.
func (l *library) objects(h p11.SessionHandle, want []*p11.Attribute, limit int) ([]p11.ObjectHandle, error) {
	if err := l.ctx.FindObjectsInit(h, want); err != nil {
		return nil, err
	}
	var all []p11.ObjectHandle
	var err error
	for len(all) < limit {
		var some []p11.ObjectHandle
		if some, _, err = l.ctx.FindObjects(h, limit-len(all)); err != nil || len(some) == 0 {
			break
		}
		all = append(all, some...)
	}
	if end := l.ctx.FindObjectsFinal(h); err == nil {
		err = end
	}
	return all, err
}

// attribute reads one attribute; nil when the object has none or does not tell. Asking
// for several at once fails as a whole where one is missing.
func (l *library) attribute(h p11.SessionHandle, o p11.ObjectHandle, what uint) []byte {
	got, err := l.ctx.GetAttributeValue(h, o, []*p11.Attribute{p11.NewAttribute(what, nil)})
	if err != nil || len(got) != 1 || len(got[0].Value) > maxAttribute {
		return nil
	}
	return got[0].Value
}

// maxAttribute bounds what is read of one attribute, in bytes: a large certificate.
const maxAttribute = 16 << 10

// key describes a private key; ok is false for one that cannot sign.
func (l *library) key(h p11.SessionHandle, o p11.ObjectHandle) (k pkcs11.KeyObject, ok bool) {
	if sign := l.attribute(h, o, p11.CKA_SIGN); len(sign) == 1 && sign[0] == 0 {
		return k, false
	}
	k = pkcs11.KeyObject{Handle: uint(o), ID: l.attribute(h, o, p11.CKA_ID), Label: string(l.attribute(h, o, p11.CKA_LABEL))}
	public := uint(p11.CKA_EC_POINT)
	switch number(l.attribute(h, o, p11.CKA_KEY_TYPE)) {
	case p11.CKK_RSA:
		k.Type, public = pkcs11.KeyRSA, p11.CKA_MODULUS
	case p11.CKK_EC:
		k.Type = pkcs11.KeyEC
	case ckkECEdwards:
		k.Type = pkcs11.KeyEdwards
	default:
		return k, false
	}
	each := l.attribute(h, o, p11.CKA_ALWAYS_AUTHENTICATE)
	k.EachTime = len(each) == 1 && each[0] != 0
	k.Public = l.public(h, o, k.ID, public)
	return k, true
}

// public reads the public part from the private key, or from the public key beside it.
func (l *library) public(h p11.SessionHandle, o p11.ObjectHandle, id []byte, what uint) []byte {
	if v := l.attribute(h, o, what); len(v) > 0 {
		return v
	}
	if len(id) == 0 {
		return nil
	}
	beside, err := l.objects(h, []*p11.Attribute{p11.NewAttribute(p11.CKA_CLASS, p11.CKO_PUBLIC_KEY), p11.NewAttribute(p11.CKA_ID, id)}, 1)
	if err != nil || len(beside) == 0 {
		return nil
	}
	return l.attribute(h, beside[0], what)
}

// number reads a CK_ULONG, which is as the machine keeps it.
func number(v []byte) uint64 {
	switch len(v) {
	case 8:
		return binary.NativeEndian.Uint64(v)
	case 4:
		return uint64(binary.NativeEndian.Uint32(v))
	}
	return ^uint64(0)
}

// certificates reads those with a key's CKA_ID first, so that a token with many does
// not hide them, and then the others, among which are the issuers.
func (l *library) certificates(h p11.SessionHandle, keys []pkcs11.KeyObject) ([]pkcs11.CertObject, error) {
	class := p11.NewAttribute(p11.CKA_CLASS, p11.CKO_CERTIFICATE)
	var all []p11.ObjectHandle
	search := func(want ...*p11.Attribute) error {
		found, err := l.objects(h, append(want, class), pkcs11.MaxCertificates)
		for _, o := range found {
			if !slices.Contains(all, o) && len(all) < pkcs11.MaxCertificates {
				all = append(all, o)
			}
		}
		return err
	}
	for _, k := range keys {
		if len(k.ID) == 0 {
			continue
		}
		if err := search(p11.NewAttribute(p11.CKA_ID, k.ID)); err != nil {
			return nil, err
		}
	}
	if err := search(); err != nil {
		return nil, err
	}
	var out []pkcs11.CertObject
	for _, o := range all {
		der := l.attribute(h, o, p11.CKA_VALUE)
		if len(der) == 0 || bytes.HasPrefix(der, []byte("-----")) {
			continue
		}
		out = append(out, pkcs11.CertObject{ID: l.attribute(h, o, p11.CKA_ID), Label: string(l.attribute(h, o, p11.CKA_LABEL)), DER: der})
	}
	return out, nil
}
