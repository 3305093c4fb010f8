package pdf

import (
	"fmt"
	"io"

	"antin/internal/text"
)

// maxLoadDepth is how many objects may need one another to load one: a stream's
// length, which may lie in an object stream, which has a length.
const maxLoadDepth = 8

// Load returns the object that ref refers to: Null when it is free, absent or of
// another generation (ISO 32000-2, 7.3.10). The object is the caller's own, unless
// Options.Keep shares it. Errors
// are *text.Error: pdf-repair-needed when another object stands where the
// cross-reference points, pdf-malformed, limit-exceeded, encryption-unsupported
// or the code of EncryptionError (the object lies in an object stream that cannot be
// decrypted), file-unreadable. Strings and streams of an encrypted file are plain,
// unless EncryptionError says why not: then they come as they are.
func (f *File) Load(ref Ref) (Object, error) { return f.load(ref, 0) }

func (f *File) load(ref Ref, depth int) (Object, error) {
	e, ok := f.Entry(ref.Num)
	if !ok || e.Free || e.Gen != ref.Gen || ref.Num == 0 {
		return Null{}, nil
	}
	if depth > maxLoadDepth {
		return nil, malformed("object %s needs itself", ref)
	}
	if e.ObjStm != 0 {
		return f.loadCompressed(e, depth)
	}
	ind, err := f.own(e, depth)
	if err != nil {
		return nil, err
	}
	return ind.object, nil
}

// indirect reads the object of its own that e places, and checks that it is that.
func (f *File) indirect(e Entry, depth int) (*indirect, error) {
	if e.Offset >= f.end {
		return nil, needsRepair("object %d lies past the end of the file", e.Num)
	}
	ind, err := f.readIndirect(e.Offset, func(o Object) (int64, bool) { return f.streamLength(o, depth) })
	if err != nil {
		return nil, err
	}
	if ind.ref != (Ref{e.Num, e.Gen}) {
		return nil, needsRepair("object %s stands at %d in place of %d %d", ind.ref, e.Offset, e.Num, e.Gen)
	}
	if ind.lengthWrong {
		f.note(WrongLength)
	}
	if ind.noEnd {
		f.note(NoEndObj)
	}
	ind.object = f.decrypt(ind.ref, ind.object)
	return ind, nil
}

// streamLength returns the value of /Length, which may be indirect.
func (f *File) streamLength(o Object, depth int) (int64, bool) {
	if ref, ok := o.(Ref); ok {
		var err error
		if o, err = f.load(ref, depth+1); err != nil {
			return 0, false
		}
	}
	return directLength(o)
}

// Raw returns a reader of the encoded bytes of s, after decryption.
func (f *File) Raw(s *Stream) io.Reader { return s.raw() }

// Decode returns the bytes of s with its filters undone: Flate, LZW, ASCIIHex,
// ASCII85, RunLength and their predictors. An image filter is refused with an error
// that wraps ErrFilter. More than limit bytes, or than Limits allow when limit is
// 0, is limit-exceeded, and so is more than Limits.Total in all calls together.
func (f *File) Decode(s *Stream, limit int64) ([]byte, error) { return f.decodeAt(s, limit, 0) }

func (f *File) decodeAt(s *Stream, limit int64, depth int) ([]byte, error) {
	if s.Dict.Has("F") {
		return nil, malformed("stream data lies in another file")
	}
	steps, err := filterSteps(s.Dict, func(o Object) (Object, error) { return f.resolve(o, depth+1) })
	if err != nil {
		return nil, err
	}
	if name, ok := ownCryptFilter(s.Dict); ok && name != identityFilter && s.cipher == nil {
		return nil, text.Errorf(text.PDFMalformed, fmt.Errorf("%w: Crypt with %s", ErrFilter, name))
	}
	return f.decode(s, steps, limit)
}

// filterSteps reads /Filter and /DecodeParms of d, whose values resolve makes direct.
func filterSteps(d *Dict, resolve func(Object) (Object, error)) ([]filterStep, error) {
	filters, err := oneOrMany(d.Get("Filter"), resolve)
	if err != nil {
		return nil, err
	}
	parms, err := oneOrMany(d.Get("DecodeParms"), resolve)
	if err != nil {
		return nil, err
	}
	if len(filters) > maxFilters {
		return nil, exceeded("stream has %d filters", len(filters))
	}
	steps := make([]filterStep, 0, len(filters))
	for i, o := range filters {
		name, ok := o.(Name)
		if !ok {
			return nil, malformed("filter is not a name")
		}
		st := filterStep{name: name}
		if i < len(parms) {
			if p, ok := parms[i].(*Dict); ok {
				st.parms = p.Clone()
				for _, k := range p.keys {
					v, err := resolve(p.Get(k))
					if err != nil {
						return nil, err
					}
					st.parms.Set(k, v)
				}
			}
		}
		steps = append(steps, st)
	}
	return steps, nil
}

// oneOrMany returns the values of o, which is absent, one value, or an array.
func oneOrMany(o Object, resolve func(Object) (Object, error)) ([]Object, error) {
	o, err := resolve(o)
	if err != nil {
		return nil, err
	}
	switch o := o.(type) {
	case nil, Null:
		return nil, nil
	case Array:
		if len(o) > maxFilters {
			return nil, exceeded("stream has %d filters", len(o))
		}
		list := make([]Object, len(o))
		for i := range o {
			if list[i], err = resolve(o[i]); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	return []Object{o}, nil
}
