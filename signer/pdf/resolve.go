package pdf

// maxChain is how many references in a row are followed: an indirect object may
// itself be a reference, but no honest file has more than two.
const maxChain = 16

// Resolve follows o while it is a reference. A nil o stays nil; a reference to
// nothing gives Null.
func (f *File) Resolve(o Object) (Object, error) { return f.resolve(o, 0) }

func (f *File) resolve(o Object, depth int) (Object, error) {
	for range maxChain {
		ref, ok := o.(Ref)
		if !ok {
			return o, nil
		}
		var err error
		if o, err = f.load(ref, depth); err != nil {
			return nil, err
		}
	}
	return nil, malformed("references lead in a circle")
}

// typed resolves o and returns it as a T: the zero T when it is absent or null, an
// error when it is something else.
func typed[T Object](f *File, o Object, what string) (T, error) {
	var zero T
	v, err := f.Resolve(o)
	if err != nil {
		return zero, err
	}
	switch v := v.(type) {
	case nil, Null:
		return zero, nil
	case T:
		return v, nil
	}
	if ref, ok := o.(Ref); ok {
		return zero, malformed("object %s is not %s", ref, what)
	}
	return zero, malformed("value is not %s", what)
}

// Dict resolves o as a dictionary. An absent or null o gives nil, which reads as
// empty; a stream gives its dictionary; anything else is pdf-malformed. The other
// typed helpers do likewise with the zero value of their type.
func (f *File) Dict(o Object) (*Dict, error) {
	v, err := f.Resolve(o)
	if err != nil {
		return nil, err
	}
	if s, ok := v.(*Stream); ok {
		return s.Dict, nil
	}
	return typed[*Dict](f, v, "a dictionary")
}

// Stream resolves o as a stream; nil when it is absent.
func (f *File) Stream(o Object) (*Stream, error) { return typed[*Stream](f, o, "a stream") }

// Array resolves o as an array; nil when it is absent. Its elements are as they are.
func (f *File) Array(o Object) (Array, error) { return typed[Array](f, o, "an array") }

// Name resolves o as a name; empty when it is absent.
func (f *File) Name(o Object) (Name, error) { return typed[Name](f, o, "a name") }

// Bool resolves o as a boolean; false when it is absent.
func (f *File) Bool(o Object) (bool, error) {
	v, err := typed[Bool](f, o, "a boolean")
	return bool(v), err
}

// String resolves o as a string; empty when it is absent.
func (f *File) String(o Object) (String, error) { return typed[String](f, o, "a string") }

// Number resolves o as a number; 0 when it is absent.
func (f *File) Number(o Object) (float64, error) {
	v, err := typed[Number](f, o, "a number")
	return v.Float64(), err
}

// Int resolves o as an integer; 0 when it is absent. A real number is an error.
func (f *File) Int(o Object) (int64, error) {
	n, err := typed[Number](f, o, "an integer")
	if err != nil {
		return 0, err
	}
	v, ok := n.Int64()
	if !ok {
		return 0, malformed("%s is not an integer", n)
	}
	return v, nil
}

// Rect resolves o as a rectangle (ISO 32000-2, 7.9.5) with its corners in order:
// left, bottom, right, top. ok is false when it is absent or not one.
func (f *File) Rect(o Object) (r [4]float64, ok bool) {
	a, err := f.Array(o)
	if err != nil || len(a) != 4 {
		return r, false
	}
	for i := range a {
		n, err := typed[Number](f, a[i], "a number")
		if err != nil {
			return [4]float64{}, false
		}
		r[i] = n.Float64()
	}
	return [4]float64{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}, true
}
