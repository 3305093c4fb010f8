package pdf

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"antin/internal/text"
)

// lock is how far the encryption of one revision was opened. The zero value is
// that of a file without encryption.
type lock struct {
	handler *security
	ref     Ref   // of the encryption dictionary; zero when it is direct
	err     error // why the handler is missing
	// password tells that the one given fits nothing; the empty one may have opened
	// the file all the same.
	password bool
}

// locks keeps what opening a handler came to, so that the revisions of a file,
// which all have the same one, pay for its key derivation once.
type locks struct {
	mu   sync.Mutex
	list map[string]lock
}

// Encrypted reports whether any section of the file names an encryption dictionary
// (ISO 32000-2, 7.6).
func (f *File) Encrypted() bool { return f.encryption() != nil }

// encryption returns the newest value of /Encrypt, nil when there is none.
func (f *File) encryption() Object {
	for _, s := range f.sections {
		if o := s.Trailer.Get("Encrypt"); o != nil && o != (Null{}) {
			return o
		}
	}
	return nil
}

// EncryptionError returns why the objects of an encrypted file cannot be read, nil
// when they can or the file is not encrypted: password-required when none was given
// and the empty user password does not open it, password-wrong when the one given
// does not either, encryption-unsupported for another security handler than the
// standard one, which is then named, and for damage.
func (f *File) EncryptionError() error { return f.lock.err }

// openLock finds out how the file is encrypted and opens it. Problems are kept for
// EncryptionError: what such a file's cross-reference says can still be read.
func (f *File) openLock() {
	o := f.encryption()
	if o == nil {
		return
	}
	unsupported := func(err error) { f.lock.err = text.Errorf(text.EncryptionUnsupported, err) }
	if err := f.oneEncryption(o); err != nil {
		unsupported(err)
		return
	}
	if ref, ok := o.(Ref); ok {
		if e, ok := f.Entry(ref.Num); !ok || e.ObjStm != 0 {
			unsupported(errors.New("encryption dictionary is missing or lies in an object stream"))
			return
		}
		f.lock.ref = ref
	}
	d, err := f.Dict(o)
	if err != nil {
		unsupported(err)
		return
	}
	id := f.firstID()
	key := string(Append(nil, d)) + "\x00" + string(id)
	f.keys.mu.Lock()
	defer f.keys.mu.Unlock()
	opened, ok := f.keys.list[key]
	if !ok {
		opened = f.unlock(d, id)
		if f.keys.list == nil {
			f.keys.list = map[string]lock{}
		}
		f.keys.list[key] = opened
	}
	opened.ref = f.lock.ref
	f.lock = opened
}

// oneEncryption makes sure that the sections agree about o. The older ones may be
// silent: those of a linearised file are.
func (f *File) oneEncryption(o Object) error {
	if first := f.Trailer().Get("Encrypt"); first == nil || first == (Null{}) {
		return errors.New("newest trailer lacks the encryption dictionary of an older one")
	}
	for _, s := range f.sections {
		other := s.Trailer.Get("Encrypt")
		if other == nil || other == (Null{}) {
			continue
		}
		if !slices.Equal(Append(nil, other), Append(nil, o)) {
			return errors.New("trailers name several encryption dictionaries")
		}
	}
	return nil
}

// firstID returns the first part of the newest /ID, which keys are made from.
func (f *File) firstID() []byte {
	for _, s := range f.sections {
		a, err := f.Array(s.Trailer.Get("ID"))
		if err != nil || len(a) == 0 {
			continue
		}
		if id, err := f.String(a[0]); err == nil {
			return id.Value
		}
	}
	return nil
}

// unlock opens the handler that d describes with the password of the file, or with
// the empty user password.
func (f *File) unlock(d *Dict, id []byte) lock {
	filter, err := f.Name(d.Get("Filter"))
	if err == nil && filter != "Standard" && filter != "" {
		return lock{err: text.Detailed(text.EncryptionUnsupported, fmt.Errorf("security handler %q", string(filter)), "sign.security-handler", string(filter))}
	}
	h, err := f.standardHandler(d, id)
	if err != nil {
		return lock{err: text.Errorf(text.EncryptionUnsupported, err)}
	}
	switch {
	case f.password != "" && h.open(f.password):
		return lock{handler: h}
	case h.open(""):
		return lock{handler: h, password: f.password != ""}
	case f.password != "":
		return lock{err: text.Errorf(text.PasswordWrong, errors.New("neither the user's nor the owner's password"))}
	}
	return lock{err: text.Errorf(text.PasswordRequired, nil)}
}

// decrypt makes the strings of o, which was read as object ref, plain, and tells
// its stream how its bytes are encrypted. Objects of an unopened file stay as they
// are.
func (f *File) decrypt(ref Ref, o Object) Object {
	h := f.lock.handler
	if h == nil || ref == f.lock.ref {
		return o
	}
	if st, ok := o.(*Stream); ok {
		if st.Dict.Get("Type") == Name("XRef") {
			return o
		}
		st.cipher = &streamCipher{method: h.streamMethod(st.Dict), key: h, ref: ref}
		h.decryptStrings(ref, st.Dict)
		return o
	}
	return h.decryptStrings(ref, o)
}
