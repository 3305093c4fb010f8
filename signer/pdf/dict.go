package pdf

import (
	"maps"
	"slices"
)

// indexedFrom is the number of keys from which a dictionary keeps a map: short
// ones, which are nearly all, are faster to search, and a hostile one with a
// million keys must not cost a million times a million.
const indexedFrom = 16

// Dict is a dictionary that keeps the order of its keys. The zero value is empty
// and ready to use; a nil *Dict reads as empty. It is not safe for concurrent
// change.
type Dict struct {
	keys   []Name
	values []Object
	index  map[Name]int
	dups   []Name
}

// NewDict returns a dictionary of the given pairs: Name (or string), Object, and
// so on. A pair whose value is nil is left out. It panics when a key is neither,
// or has no value: pairs are written by a programmer, never by input.
func NewDict(pairs ...any) *Dict {
	if len(pairs)%2 != 0 {
		panic("pdf: NewDict needs pairs")
	}
	d := &Dict{}
	for ; len(pairs) >= 2; pairs = pairs[2:] {
		value, _ := pairs[1].(Object)
		switch key := pairs[0].(type) {
		case Name:
			d.Set(key, value)
		case string:
			d.Set(Name(key), value)
		default:
			panic("pdf: NewDict key is not a Name")
		}
	}
	return d
}

// Get returns the value of key, nil when it is absent.
func (d *Dict) Get(key Name) Object {
	if i := d.find(key); i >= 0 {
		return d.values[i]
	}
	return nil
}

// Has reports whether key is present, even with the value null.
func (d *Dict) Has(key Name) bool { return d.find(key) >= 0 }

// Set puts value under key, in the key's place when it is present and else last.
// A nil value deletes the key.
func (d *Dict) Set(key Name, value Object) {
	if value == nil {
		d.Delete(key)
		return
	}
	if i := d.find(key); i >= 0 {
		d.values[i] = value
		return
	}
	d.add(key, value)
}

// add is Set for a key that is not there and a value that is.
func (d *Dict) add(key Name, value Object) {
	d.keys = append(d.keys, key)
	d.values = append(d.values, value)
	switch {
	case d.index != nil:
		d.index[key] = len(d.keys) - 1
	case len(d.keys) >= indexedFrom:
		d.reindex()
	}
}

// Delete removes key.
func (d *Dict) Delete(key Name) {
	i := d.find(key)
	if i < 0 {
		return
	}
	d.keys = slices.Delete(d.keys, i, i+1)
	d.values = slices.Delete(d.values, i, i+1)
	if d.index != nil {
		d.reindex()
	}
}

// Keys returns the keys in order. The slice is the caller's.
func (d *Dict) Keys() []Name {
	if d == nil {
		return nil
	}
	return slices.Clone(d.keys)
}

// Len returns the number of keys.
func (d *Dict) Len() int {
	if d == nil {
		return 0
	}
	return len(d.keys)
}

// Clone returns a copy that shares the values. The clone of a nil dictionary is
// empty.
func (d *Dict) Clone() *Dict {
	if d == nil {
		return &Dict{}
	}
	return &Dict{keys: slices.Clone(d.keys), values: slices.Clone(d.values), index: maps.Clone(d.index), dups: slices.Clone(d.dups)}
}

// Duplicates returns the keys that stood more than once in the file. The last
// value is the one kept, but readers differ, so a dictionary with duplicates has
// no single meaning.
func (d *Dict) Duplicates() []Name {
	if d == nil {
		return nil
	}
	return slices.Clone(d.dups)
}

func (d *Dict) find(key Name) int {
	if d == nil {
		return -1
	}
	if d.index != nil {
		if i, ok := d.index[key]; ok {
			return i
		}
		return -1
	}
	return slices.Index(d.keys, key)
}

func (d *Dict) reindex() {
	d.index = make(map[Name]int, len(d.keys)+1)
	for i, k := range d.keys {
		d.index[k] = i
	}
}
