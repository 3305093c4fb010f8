package attacktest

import (
	"bytes"
	"encoding/hex"
	"slices"

	"antin/signer/cms"
	"antin/signer/pades"
)

// wrap puts DER content under a tag.
func wrap(tag byte, parts ...[]byte) []byte {
	content := bytes.Join(parts, nil)
	n := len(content)
	switch {
	case n < 0x80:
		return append([]byte{tag, byte(n)}, content...)
	case n < 0x100:
		return append([]byte{tag, 0x81, byte(n)}, content...)
	case n < 0x10000:
		return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, content...)
	}
	return append([]byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}, content...)
}

// tags of the parts of a SignerInfo (RFC 5652, 5.3).
const (
	sequence, set    = 0x30, 0x31
	signedAttributes = 0xA0
	unsignedOnes     = 0xA1
)

// editSigner rewrites the one SignerInfo of a CMS, given as its parts.
func editSigner(der []byte, edit func(parts [][]byte) [][]byte) ([]byte, error) {
	info, err := cms.Elements(der)
	if err != nil || len(info) != 2 {
		return nil, errNotHere
	}
	explicit, err := cms.Elements(info[1])
	if err != nil || len(explicit) != 1 {
		return nil, errNotHere
	}
	data, err := cms.Elements(explicit[0])
	if err != nil || len(data) < 4 {
		return nil, errNotHere
	}
	signers, err := cms.Elements(data[len(data)-1])
	if err != nil || len(signers) != 1 {
		return nil, errNotHere
	}
	parts, err := cms.Elements(signers[0])
	if err != nil {
		return nil, errNotHere
	}
	data[len(data)-1] = wrap(set, wrap(sequence, edit(parts)...))
	return wrap(sequence, info[0], wrap(0xA0, wrap(sequence, data...))), nil
}

// without leaves out the parts with a tag.
func without(parts [][]byte, tag byte) [][]byte {
	return slices.DeleteFunc(slices.Clone(parts), func(p []byte) bool { return p[0] == tag })
}

// value is the DER of a signature without the zeros behind it.
func value(s *pades.Signature) ([]byte, error) {
	d := s.Contents
	if len(d) < 4 || d[0] != sequence || d[1] < 0x81 || d[1] > 0x83 {
		return nil, errNotHere // in indefinite form, or nothing at all
	}
	n, head := 0, 2+int(d[1]&0x7f)
	for _, c := range d[2:head] {
		n = n<<8 | int(c)
	}
	if head+n > len(d) {
		return nil, errNotHere
	}
	return d[:head+n], nil
}

// replace puts another CMS in the place of a signature's.
func (t *target) replace(s *pades.Signature, der []byte) ([]byte, error) {
	out := bytes.Clone(t.doc)
	room := out[s.ContentsStart+1 : s.ContentsEnd-1]
	if 2*len(der) > len(room) {
		return nil, errNotHere
	}
	fill(room, '0')
	hex.Encode(room, der)
	return out, nil
}

// confusions make of the CMS something that another reading would accept.
func confusions() []Attack {
	signer := func(name string, edit func(parts [][]byte) [][]byte) Attack {
		return Attack{Name: name, Class: "cms", make: func(t *target) ([]byte, error) {
			der, err := value(&t.sig)
			if err != nil {
				return nil, err
			}
			edited, err := editSigner(der, edit)
			if err != nil {
				return nil, err
			}
			if bytes.Equal(edited, der) {
				return nil, errNotHere
			}
			return t.replace(&t.sig, edited)
		}}
	}
	attributes := func(name string, edit func(list [][]byte) [][]byte) Attack {
		return signer(name, func(parts [][]byte) [][]byte {
			parts = slices.Clone(parts)
			for i, p := range parts {
				if list, err := cms.Elements(p); p[0] == signedAttributes && err == nil {
					parts[i] = wrap(signedAttributes, edit(list)...)
				}
			}
			return parts
		})
	}
	return []Attack{
		signer("signed attributes taken for content", func(parts [][]byte) [][]byte { return without(parts, signedAttributes) }),
		attributes("a signed attribute twice", func(list [][]byte) [][]byte { return append(list, list[0]) }),
		attributes("a signed attribute less", func(list [][]byte) [][]byte { return list[1:] }),
		attributes("no signed attribute left", func([][]byte) [][]byte { return nil }),
		{Name: "two signers in one CMS", Class: "cms", make: func(t *target) ([]byte, error) {
			der, err := value(&t.sig)
			if err != nil {
				return nil, err
			}
			var twin []byte
			der, err = editSigner(der, func(parts [][]byte) [][]byte {
				twin = wrap(sequence, without(parts, unsignedOnes)...)
				return parts
			})
			if err != nil {
				return nil, err
			}
			at := bytes.LastIndex(der, twin[:8])
			if at < 0 {
				return nil, errNotHere
			}
			return t.replace(&t.sig, bytes.Replace(der, twin, append(bytes.Clone(twin), twin...), 1))
		}},
		{Name: "a time-stamp copied from another signature", Class: "cms", Evidence: true, make: copyTimestamp},
	}
}

// copyTimestamp gives the newest signature the unsigned attributes of another one.
func copyTimestamp(t *target) ([]byte, error) {
	for i := range t.all {
		other := &t.all[i]
		if other.ContentsStart == t.sig.ContentsStart || !other.Signed() || other.DocumentTimestamp() {
			continue
		}
		from, err := value(other)
		if err != nil {
			continue
		}
		var stamp []byte
		if _, err := editSigner(from, func(parts [][]byte) [][]byte {
			for _, p := range parts {
				if p[0] == unsignedOnes {
					stamp = p
				}
			}
			return parts
		}); err != nil || stamp == nil {
			continue
		}
		der, err := value(&t.sig)
		if err != nil {
			return nil, err
		}
		if der, err = editSigner(der, func(parts [][]byte) [][]byte { return append(without(parts, unsignedOnes), stamp) }); err != nil {
			return nil, err
		}
		return t.replace(&t.sig, der)
	}
	return nil, errNotHere
}
