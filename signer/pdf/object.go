package pdf

import (
	"math"
	"strconv"
	"strings"
)

// Object is one PDF object (ISO 32000-2, 7.3): Null, Bool, Number, String, Name,
// Array, *Dict, *Stream, Ref, or, in objects to be written, *Placeholder. No other
// type implements it. A nil Object stands for an absent one.
type Object interface{ isObject() }

// Null is the null object.
type Null struct{}

// Bool is a boolean object.
type Bool bool

// Name is a name object, decoded and without its slash. It may hold any byte but zero.
type Name string

// Array is an array object. Its elements are never nil when it was read from a file.
type Array []Object

// Number is a numeric object that keeps the spelling it was read with, so that
// 612.0 is written back as 612.0. The zero value is 0.
type Number struct{ raw string }

// String is a string object: its bytes, and whether it is spelled in hexadecimal.
type String struct {
	Value []byte
	Hex   bool
}

// Ref is an indirect reference. The zero value refers to nothing: object 0 is
// never in use.
type Ref struct {
	Num int
	Gen int
}

func (Null) isObject()         {}
func (Bool) isObject()         {}
func (Name) isObject()         {}
func (Array) isObject()        {}
func (Number) isObject()       {}
func (String) isObject()       {}
func (Ref) isObject()          {}
func (*Dict) isObject()        {}
func (*Stream) isObject()      {}
func (*Placeholder) isObject() {}

// Int returns the number n.
func Int(n int64) Number { return Number{strconv.FormatInt(n, 10)} }

// Real returns the number f in plain decimal notation with at most five decimals,
// which is finer than any device needs. Infinities and NaN become 0.
func Real(f float64) Number {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return Int(0)
	}
	s := strconv.FormatFloat(f, 'f', 5, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		s = "0"
	}
	return Number{s}
}

// Int64 returns the value of an integer. ok is false for a real number, even a
// whole one, and for an integer out of range.
func (n Number) Int64() (v int64, ok bool) {
	if n.raw == "" {
		return 0, true
	}
	v, err := strconv.ParseInt(n.raw, 10, 64)
	return v, err == nil
}

// Float64 returns the value. Spellings that readers forgive (several signs, a
// sign in the middle) give what most of them make of it.
func (n Number) Float64() float64 {
	s := n.raw
	neg := false
	for len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg = neg || s[0] == '-'
		s = s[1:]
	}
	if i := strings.IndexAny(s, "+-"); i >= 0 {
		s = s[:i]
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0
	}
	if neg {
		v = -v
	}
	return v
}

// String returns the spelling.
func (n Number) String() string {
	if n.raw == "" {
		return "0"
	}
	return n.raw
}

// IsZero reports whether r refers to nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// String returns the reference as "12 0", the way reports name objects.
func (r Ref) String() string { return strconv.Itoa(r.Num) + " " + strconv.Itoa(r.Gen) }

// Placeholder is a hole of fixed width in an object to be written, filled after
// the update is built (Built.Patch), when lengths and offsets are known.
type Placeholder struct {
	// Prefix and Suffix are written around the hole and are never patched.
	Prefix, Suffix string
	// Size is the width of the hole in bytes.
	Size int
	// Fill is what the hole holds until it is patched, and what pads a shorter text.
	Fill byte
}

// HexPlaceholder returns a hole for a hexadecimal string of n bytes, with its
// delimiters, filled with the digit 0.
func HexPlaceholder(n int) *Placeholder {
	return &Placeholder{Prefix: "<", Suffix: ">", Size: 2 * n, Fill: '0'}
}

// SpacePlaceholder returns a hole of width bytes filled with spaces, for one or
// several numbers.
func SpacePlaceholder(width int) *Placeholder {
	return &Placeholder{Size: width, Fill: ' '}
}

// Len returns the width of the placeholder with its prefix and suffix, in bytes.
func (p *Placeholder) Len() int { return len(p.Prefix) + p.Size + len(p.Suffix) }
