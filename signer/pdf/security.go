package pdf

import (
	"errors"
	"fmt"
)

// method is how a string or a stream is encrypted (ISO 32000-2, table 25).
type method string

// The methods of crypt filters; that of V 1 and 2 is methodRC4.
const (
	methodNone   method = "None"
	methodRC4    method = "V2"
	methodAES128 method = "AESV2"
	methodAES256 method = "AESV3"
)

// identityFilter is the crypt filter that leaves data as it is.
const identityFilter = "Identity"

// security is a standard security handler (ISO 32000-2, 7.6.4). It is not changed
// once open has found the key.
type security struct {
	version, revision int64
	keyLen            int // bytes
	// keyLens are the lengths that the key may have: several where the dictionary gives
	// none, since by the standard it is 40 bits, but there are writers that mean 128.
	keyLens           []int
	owner, user       []byte
	ownerKey, userKey []byte // OE and UE
	perms             []byte
	permissions       uint32
	id                []byte
	plainMetadata     bool

	filters                    map[Name]method
	strings, streams, embedded Name

	key     []byte // the file encryption key, once open
	asOwner bool   // it was opened with the owner's password
}

// standardHandler reads the encryption dictionary d of the standard handler.
func (f *File) standardHandler(d *Dict, id []byte) (*security, error) {
	h := &security{id: id}
	var owner, user, ownerKey, userKey, perms String
	var p, bits int64
	read := func(key Name, into any) error {
		var err error
		switch v := into.(type) {
		case *int64:
			*v, err = f.Int(d.Get(key))
		case *String:
			*v, err = f.String(d.Get(key))
		}
		if err != nil {
			return fmt.Errorf("encryption dictionary's %s: %w", key, err)
		}
		return nil
	}
	err := errors.Join(read("V", &h.version), read("R", &h.revision), read("P", &p), read("Length", &bits),
		read("O", &owner), read("U", &user), read("OE", &ownerKey), read("UE", &userKey), read("Perms", &perms))
	if err != nil {
		return nil, err
	}
	h.owner, h.user, h.ownerKey, h.userKey, h.perms = owner.Value, user.Value, ownerKey.Value, userKey.Value, perms.Value
	h.permissions = uint32(p & 0xffffffff)
	if o := d.Get("EncryptMetadata"); o != nil {
		b, err := f.Bool(o)
		h.plainMetadata = err == nil && !b
	}
	if err := h.checkVersion(bits); err != nil {
		return nil, err
	}
	if h.version >= 4 {
		return h, f.cryptFilters(h, d)
	}
	h.filters = map[Name]method{"": methodRC4}
	return h, nil
}

// checkVersion fits V, R, the lengths of the values and of the key together.
func (h *security) checkVersion(bits int64) error {
	switch {
	case h.version == 1 && (h.revision == 2 || h.revision == 3), h.version == 2 && (h.revision == 2 || h.revision == 3):
		h.keyLens = []int{5}
		switch {
		case h.version == 2 && bits >= 40 && bits <= 128:
			h.keyLens = []int{int(bits / 8)}
		case h.version == 2 && bits == 0:
			h.keyLens = []int{5, 16}
		}
	case h.version == 4 && h.revision == 4:
		h.keyLens = []int{16} // the crypt filters of that version have no other length
	case h.version == 5 && (h.revision == 5 || h.revision == 6):
		h.keyLens = []int{32}
		if len(h.owner) < 48 || len(h.user) < 48 || len(h.ownerKey) != 32 || len(h.userKey) != 32 {
			return errors.New("encryption dictionary's O, U, OE or UE has a wrong length")
		}
		return nil
	default:
		return fmt.Errorf("encryption of version %d, revision %d", h.version, h.revision)
	}
	if len(h.owner) < 32 || len(h.user) < 32 {
		return errors.New("encryption dictionary's O or U has a wrong length")
	}
	return nil
}

// cryptFilters reads CF, StmF, StrF and EFF (ISO 32000-2, 7.6.6).
func (f *File) cryptFilters(h *security, d *Dict) error {
	h.filters = map[Name]method{identityFilter: methodNone}
	list, err := f.Dict(d.Get("CF"))
	if err != nil {
		return err
	}
	for _, name := range list.Keys() {
		cf, err := f.Dict(list.Get(name))
		if err != nil {
			return err
		}
		cfm, err := f.Name(cf.Get("CFM"))
		if err != nil {
			return err
		}
		if cfm == "" {
			cfm = Name(methodNone) // the default
		}
		if name != identityFilter {
			h.filters[name] = method(cfm)
		}
	}
	h.strings, h.streams = identityFilter, identityFilter
	for key, into := range map[Name]*Name{"StmF": &h.streams, "StrF": &h.strings, "EFF": &h.embedded} {
		if !d.Has(key) {
			continue
		}
		if *into, err = f.Name(d.Get(key)); err != nil {
			return err
		}
	}
	if !d.Has("EFF") {
		h.embedded = h.streams
	}
	for _, name := range []Name{h.strings, h.streams, h.embedded} {
		if m, ok := h.filters[name]; !ok || !h.can(m) {
			return fmt.Errorf("crypt filter %q with method %q", string(name), string(m))
		}
	}
	return nil
}

// can reports whether m is a method of the handler's version.
func (h *security) can(m method) bool {
	switch m {
	case methodNone:
		return true
	case methodRC4, methodAES128:
		return h.version == 4
	case methodAES256:
		return h.version == 5
	}
	return false
}

// streamMethod returns how the stream of dictionary d is encrypted, by the crypt
// filter that it names itself or else by its kind. The method is unknown to
// decryption when the filter is.
func (h *security) streamMethod(d *Dict) method {
	if h.version < 4 {
		return methodRC4
	}
	if name, ok := ownCryptFilter(d); ok {
		return h.filters[name]
	}
	switch d.Get("Type") {
	case Name("Metadata"):
		if h.plainMetadata {
			return methodNone
		}
	case Name("EmbeddedFile"):
		return h.filters[h.embedded]
	}
	return h.filters[h.streams]
}

// ownCryptFilter returns the name that the Crypt filter of d gives, Identity when it
// gives none. That filter can only stand first (ISO 32000-2, 7.4.10).
func ownCryptFilter(d *Dict) (Name, bool) {
	filter, parms := d.Get("Filter"), d.Get("DecodeParms")
	if list, ok := filter.(Array); ok && len(list) > 0 {
		filter = list[0]
	}
	if list, ok := parms.(Array); ok && len(list) > 0 {
		parms = list[0]
	}
	if filter != Name("Crypt") {
		return "", false
	}
	if p, ok := parms.(*Dict); ok {
		if name, ok := p.Get("Name").(Name); ok {
			return name, true
		}
	}
	return identityFilter, true
}

// stringMethod returns how strings are encrypted.
func (h *security) stringMethod() method { return h.filters[h.strings] }
