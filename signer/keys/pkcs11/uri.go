package pkcs11

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxURI bounds a URI, in bytes: a dozen attributes of a token's short words.
const maxURI = 4 << 10

// URI is a pkcs11: URI (RFC 7512) that names a key. An empty attribute matches
// anything.
type URI struct {
	Token, Manufacturer, Model, Serial string
	Slot                               *uint // slot-id; nil for any
	Object                             string
	ID                                 []byte
	// ModulePath and ModuleName name the vendor's library; PINSource the file that
	// holds the PIN, and CertPath (x-cert-path, an attribute of ours) one that holds
	// the certificate where the token does not.
	ModulePath, ModuleName, PINSource, CertPath string
}

// ErrURI is returned for what is no URI of a key; its text says why.
var ErrURI = errors.New("not a pkcs11: URI of a key")

// ErrPINValue is returned for a URI with a pin-value: secrets do not stand on a
// command line.
var ErrPINValue = errors.New("pin-value is not accepted; use pin-source")

// ParseURI reads s. Unknown attributes are refused: one that is not understood might
// have named another key. Standard ones that cannot name a token or a key here
// (library-*, slot-description, slot-manufacturer) are refused as well.
func ParseURI(s string) (URI, error) {
	var u URI
	if len(s) > maxURI || !utf8.ValidString(s) {
		return URI{}, fmt.Errorf("%w: too long, or not UTF-8", ErrURI)
	}
	rest, ok := strings.CutPrefix(s, "pkcs11:")
	if !ok {
		return URI{}, fmt.Errorf("%w: the scheme is another one", ErrURI)
	}
	path, query, _ := strings.Cut(rest, "?")
	seen := map[string]bool{}
	for _, part := range []struct{ text, sep string }{{path, ";"}, {query, "&"}} {
		if part.text == "" {
			continue
		}
		for a := range strings.SplitSeq(part.text, part.sep) {
			name, value, err := attribute(a)
			if err != nil {
				return URI{}, err
			}
			if seen[name] {
				return URI{}, fmt.Errorf("%w: %s stands twice", ErrURI, name)
			}
			seen[name] = true
			if slices.Contains(queryAttributes, name) != (part.sep == "&") {
				return URI{}, fmt.Errorf("%w: %s is on the wrong side of “?”", ErrURI, name)
			}
			if err := u.set(name, value); err != nil {
				return URI{}, err
			}
		}
	}
	return u, nil
}

// queryAttributes stand behind the question mark (RFC 7512, 2.3).
var queryAttributes = []string{"pin-source", "pin-value", "module-name", "module-path", "x-cert-path"}

// attribute splits name=value and decodes the value.
func attribute(s string) (name string, value []byte, err error) {
	name, raw, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return "", nil, fmt.Errorf("%w: %q is no attribute", ErrURI, name)
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			value = append(value, raw[i])
			continue
		}
		if i+2 >= len(raw) {
			return "", nil, fmt.Errorf("%w: the escape in %s is cut off", ErrURI, name)
		}
		b, err := hex.DecodeString(raw[i+1 : i+3])
		if err != nil {
			return "", nil, fmt.Errorf("%w: an escape in %s is not hexadecimal", ErrURI, name)
		}
		value = append(value, b[0])
		i += 2
	}
	return name, value, nil
}

func (u *URI) set(name string, value []byte) error {
	if name == "id" {
		u.ID = value
		return nil
	}
	if name == "pin-value" {
		return fmt.Errorf("%w: %w", ErrURI, ErrPINValue)
	}
	if !utf8.Valid(value) || slices.ContainsFunc(value, func(b byte) bool { return b < ' ' || b == 0x7f }) {
		return fmt.Errorf("%w: %s holds control characters or is not UTF-8", ErrURI, name)
	}
	text := string(value)
	words := map[string]*string{"token": &u.Token, "manufacturer": &u.Manufacturer, "model": &u.Model, "serial": &u.Serial,
		"object": &u.Object, "module-path": &u.ModulePath, "module-name": &u.ModuleName, "x-cert-path": &u.CertPath}
	if dst, ok := words[name]; ok {
		*dst = text
		if name == "module-name" && strings.ContainsAny(text, "/\\") {
			return fmt.Errorf("%w: module-name is a name, not a path", ErrURI)
		}
		return nil
	}
	switch name {
	case "slot-id":
		n, err := strconv.ParseUint(text, 10, strconv.IntSize-1)
		if err != nil {
			return fmt.Errorf("%w: slot-id is no number", ErrURI)
		}
		slot := uint(n)
		u.Slot = &slot
		return nil
	case "type":
		if text != "private" && text != "cert" {
			return fmt.Errorf("%w: type is %q, not private", ErrURI, text)
		}
		return nil
	case "pin-source":
		path, isFile := strings.CutPrefix(text, "file:")
		path = strings.TrimPrefix(path, "//")
		if path == "" || !isFile && strings.HasPrefix(path, "|") || strings.Contains(path, "://") {
			return fmt.Errorf("%w: pin-source is not a file", ErrURI)
		}
		u.PINSource = path
		return nil
	}
	return fmt.Errorf("%w: attribute %q is not known here", ErrURI, name)
}

// String writes u so that ParseURI reads the same.
func (u URI) String() string {
	var path, query []string
	add := func(to *[]string, name, value string) {
		if value != "" {
			*to = append(*to, name+"="+escape(value))
		}
	}
	add(&path, "token", u.Token)
	add(&path, "manufacturer", u.Manufacturer)
	add(&path, "model", u.Model)
	add(&path, "serial", u.Serial)
	if u.Slot != nil {
		add(&path, "slot-id", strconv.FormatUint(uint64(*u.Slot), 10))
	}
	add(&path, "object", u.Object)
	add(&path, "id", string(u.ID))
	if u.PINSource != "" {
		add(&query, "pin-source", "file:"+u.PINSource)
	}
	add(&query, "module-name", u.ModuleName)
	add(&query, "module-path", u.ModulePath)
	add(&query, "x-cert-path", u.CertPath)
	s := "pkcs11:" + strings.Join(path, ";")
	if len(query) > 0 {
		s += "?" + strings.Join(query, "&")
	}
	return s
}

// escape writes every byte that is not plain in a path and a query as %XX.
func escape(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/:"
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(plain, s[i]) >= 0 {
			b.WriteByte(s[i])
			continue
		}
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

// matches reports whether t is the token that u names.
func (u URI) matches(t Token) bool {
	for _, p := range []struct{ want, is string }{{u.Token, t.Label}, {u.Manufacturer, t.Manufacturer}, {u.Model, t.Model}, {u.Serial, t.Serial}} {
		if p.want != "" && p.want != p.is {
			return false
		}
	}
	return u.Slot == nil || *u.Slot == t.Slot
}
