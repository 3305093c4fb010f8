package certs

import (
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// NameAttribute is one part of a distinguished name.
type NameAttribute struct {
	Type  string // short name ("CN", "O", …) or the identifier in dots
	Value string // text; "#" and hex when the value is not a string
}

// maxNameAttributes bounds a name; real ones have fewer than 20, and comparing
// names under constraints costs their product.
const maxNameAttributes = 64

type nameAttribute struct {
	oid  asn1.ObjectIdentifier
	text string
	fold string // what two equal values have in common (RFC 5280, 7.1)
}

// rdnSequence is a parsed name: relative distinguished names in encoded order.
type rdnSequence [][]nameAttribute

var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "STREET", "2.5.4.4": "SN", "2.5.4.42": "GN", "2.5.4.12": "T", "2.5.4.5": "serialNumber",
	"2.5.4.97": "organizationIdentifier", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
	"1.2.840.113549.1.9.1": "E",
}

var errName = errors.New("certs: malformed name")

func parseName(der []byte) (rdnSequence, error) {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, errName
	}
	var name rdnSequence
	count := 0
	for !seq.Empty() {
		var set cryptobyte.String
		if !seq.ReadASN1(&set, cbasn1.SET) {
			return nil, errName
		}
		var rdn []nameAttribute
		for !set.Empty() {
			a, ok := readNameAttribute(&set)
			if count++; !ok || count > maxNameAttributes {
				return nil, errName
			}
			rdn = append(rdn, a)
		}
		slices.SortFunc(rdn, func(a, b nameAttribute) int {
			if c := strings.Compare(a.oid.String(), b.oid.String()); c != 0 {
				return c
			}
			return strings.Compare(a.fold, b.fold)
		})
		name = append(name, rdn)
	}
	return name, nil
}

func readNameAttribute(set *cryptobyte.String) (a nameAttribute, ok bool) {
	var pair, element, value cryptobyte.String
	var tag cbasn1.Tag
	if !set.ReadASN1(&pair, cbasn1.SEQUENCE) || !pair.ReadASN1ObjectIdentifier(&a.oid) ||
		!pair.ReadAnyASN1Element(&element, &tag) || !pair.Empty() {
		return a, false
	}
	raw := element
	if !element.ReadAnyASN1(&value, &tag) {
		return a, false
	}
	if s, isText := decodeString(tag, value); isText {
		a.text = s
		a.fold = strings.Join(strings.Fields(strings.ToLower(s)), " ")
		return a, true
	}
	a.text = "#" + hex.EncodeToString(raw)
	a.fold = a.text
	return a, true
}

// Universal tags of string types without a name in cryptobyte.
const (
	tagNumericString   = cbasn1.Tag(18)
	tagVisibleString   = cbasn1.Tag(26)
	tagUniversalString = cbasn1.Tag(28)
	tagBMPString       = cbasn1.Tag(30)
)

func decodeString(tag cbasn1.Tag, b []byte) (string, bool) {
	switch {
	case tag == cbasn1.T61String, isText(tag) && !utf8.Valid(b): // old CAs put Latin-1 into types that do not have it
		return latin1(b), true
	case isText(tag):
		return string(b), true
	case tag == tagBMPString:
		if len(b)%2 != 0 {
			return "", false
		}
		units := make([]uint16, 0, len(b)/2)
		for i := 0; i < len(b); i += 2 {
			units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
		}
		return string(utf16.Decode(units)), true
	case tag == tagUniversalString:
		if len(b)%4 != 0 {
			return "", false
		}
		var sb strings.Builder
		for i := 0; i < len(b); i += 4 {
			sb.WriteRune(rune(b[i])<<24 | rune(b[i+1])<<16 | rune(b[i+2])<<8 | rune(b[i+3]))
		}
		return sb.String(), true
	}
	return "", false
}

func isText(tag cbasn1.Tag) bool {
	return slices.Contains([]cbasn1.Tag{cbasn1.UTF8String, cbasn1.PrintableString, cbasn1.IA5String, tagNumericString, tagVisibleString}, tag)
}

func latin1(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

// foldName returns a key that two DER names share when RFC 5280, 7.1 calls them equal.
func foldName(der []byte) (string, error) {
	name, err := parseName(der)
	if err != nil {
		return "", err
	}
	return name.key(), nil
}

// SameName reports whether two DER names are equal by RFC 5280, 7.1: string
// types, letter case and runs of white space do not count.
func SameName(a, b []byte) bool {
	if string(a) == string(b) {
		return true
	}
	ka, errA := foldName(a)
	kb, errB := foldName(b)
	return errA == nil && errB == nil && ka == kb
}

func (n rdnSequence) key() string {
	var sb strings.Builder
	for _, rdn := range n {
		sb.WriteByte('/')
		for _, a := range rdn {
			sb.WriteString(a.oid.String())
			sb.WriteByte('=')
			sb.WriteString(hex.EncodeToString([]byte(a.fold)))
			sb.WriteByte('+')
		}
	}
	return sb.String()
}

// within reports whether n lies in the subtree with that base (RFC 5280, 4.2.1.10).
func (n rdnSequence) within(base rdnSequence) bool {
	return len(n) >= len(base) && n[:len(base)].key() == base.key()
}

// String writes n by RFC 4514 with the common names first: CAs encode names in
// both directions, and a reader looks for who before where.
func (n rdnSequence) String() string {
	var first, rest []string
	for _, rdn := range slices.Backward(n) {
		var parts []string
		isCN := false
		for _, a := range rdn {
			short := a.short()
			isCN = isCN || short == "CN"
			parts = append(parts, short+"="+escapeValue(a.text))
		}
		if s := strings.Join(parts, "+"); isCN {
			first = append(first, s)
		} else {
			rest = append(rest, s)
		}
	}
	return strings.Join(append(first, rest...), ",")
}

func (a nameAttribute) short() string {
	if s, ok := attributeNames[a.oid.String()]; ok {
		return s
	}
	return a.oid.String()
}

func (n rdnSequence) attributes() []NameAttribute {
	var all []NameAttribute
	for _, rdn := range n {
		for _, a := range rdn {
			all = append(all, NameAttribute{Type: a.short(), Value: a.text})
		}
	}
	return all
}

func escapeValue(s string) string {
	var sb strings.Builder
	for i, r := range s {
		last := i+utf8.RuneLen(r) == len(s)
		switch {
		case r == 0:
			sb.WriteString(`\00`)
			continue
		case strings.ContainsRune(`,+"\<>;`, r), i == 0 && (r == ' ' || r == '#'), last && r == ' ':
			sb.WriteByte('\\')
		}
		sb.WriteRune(r)
	}
	return sb.String()
}
