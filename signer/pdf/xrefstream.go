package pdf

import "slices"

// stream reads the cross-reference stream whose object begins at at
// (ISO 32000-2, 7.5.8). It is never encrypted.
func (x *xrefReader) stream(at int64) (*Section, error) {
	ind, err := x.readIndirect(at, directLength)
	if err != nil {
		return nil, asRepair(err)
	}
	st, ok := ind.object.(*Stream)
	if !ok || st.Dict.Get("Type") != Name("XRef") {
		return nil, needsRepair("object %s is not a cross-reference stream", ind.ref)
	}
	if ind.lengthWrong {
		x.faults[StructureLength] = true
	}
	s := &Section{Offset: at, End: ind.end, reach: ind.end, Kind: SectionStream, Ref: ind.ref, Trailer: st.Dict, XRefStm: -1}
	steps, err := directSteps(st.Dict)
	if err != nil {
		return nil, asRepair(err)
	}
	data, err := x.decode(st, steps, 0)
	if err != nil {
		return nil, asRepair(err)
	}
	if s.own, err = x.rows(st.Dict, data); err != nil {
		return nil, err
	}
	s.Prev, err = x.previous(st.Dict)
	return s, err
}

// directLength is the length of a cross-reference stream: it cannot be indirect,
// since nothing can be looked up yet.
func directLength(o Object) (int64, bool) {
	n, ok := o.(Number)
	if !ok {
		return 0, false
	}
	return n.Int64()
}

// directSteps returns the filters of a stream whose dictionary holds direct values.
func directSteps(d *Dict) ([]filterStep, error) {
	return filterSteps(d, func(o Object) (Object, error) {
		if _, ok := o.(Ref); ok {
			return nil, malformed("filter of a cross-reference stream is indirect")
		}
		return o, nil
	})
}

// rows reads the entries of a cross-reference stream from its decoded data.
func (x *xrefReader) rows(d *Dict, data []byte) (*entries, error) {
	w, err := widths(d)
	if err != nil {
		return nil, err
	}
	index, err := indexPairs(d)
	if err != nil {
		return nil, err
	}
	width := w[0] + w[1] + w[2]
	e := &entries{}
	for i := 0; i+1 < len(index); i += 2 {
		first, count := index[i], index[i+1]
		count = min(count, int64(len(data)/width))
		if x.budget -= count; x.budget < 0 {
			return nil, exceeded("too many cross-reference entries")
		}
		e.list = slices.Grow(e.list, int(count))
		for range count {
			p, err := x.row(data, w)
			if err != nil {
				return nil, err
			}
			e.list = append(e.list, p)
			data = data[width:]
		}
		e.extend(int(first), int(count))
	}
	if num, ok := e.seal(); !ok {
		return nil, needsRepair("object %d has two entries in one stream", num)
	}
	return e, nil
}

// row reads the entry at the beginning of data.
func (x *xrefReader) row(data []byte, w [3]int) (packed, error) {
	kind := int64(kindOffset)
	if w[0] > 0 {
		kind = bigEndian(data[:w[0]])
	}
	a := bigEndian(data[w[0]:][:w[1]])
	b := bigEndian(data[w[0]+w[1]:][:w[2]])
	switch kind {
	case kindOffset:
		if a+x.origin > maxPackedOffset || a < 0 || b < 0 || b > maxPackedIndex {
			return 0, needsRepair("cross-reference entry with offset %d and generation %d", a, b)
		}
		if a == 0 {
			return pack(kindFree, 0, b), nil
		}
		return pack(kindOffset, a+x.origin, b), nil
	case kindCompressed:
		if a < 1 || a > maxNumber || b < 0 || b > maxPackedIndex {
			return 0, needsRepair("cross-reference entry in object stream %d at index %d", a, b)
		}
		return pack(kindCompressed, a, b), nil
	}
	// Free, or of a type that a later version may define, which reads as null.
	return pack(kindFree, 0, min(max(b, 0), maxGeneration)), nil
}

// bigEndian returns the value of at most 8 bytes, -1 when it does not fit.
func bigEndian(b []byte) int64 {
	switch len(b) { // the common widths
	case 1:
		return int64(b[0])
	case 2:
		return int64(b[0])<<8 | int64(b[1])
	case 3:
		return int64(b[0])<<16 | int64(b[1])<<8 | int64(b[2])
	case 4:
		return int64(b[0])<<24 | int64(b[1])<<16 | int64(b[2])<<8 | int64(b[3])
	}
	v := uint64(0)
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	if v > 1<<62 {
		return -1
	}
	return int64(v)
}

// widths reads /W.
func widths(d *Dict) (w [3]int, err error) {
	a, ok := d.Get("W").(Array)
	if !ok || len(a) < 3 {
		return w, needsRepair("cross-reference stream has no W")
	}
	fields := make([]int, 0, len(w))
	for i, o := range a {
		v, ok := directLength(o)
		if !ok || v < 0 || v > 8 || i >= len(w) && v != 0 {
			return w, needsRepair("cross-reference stream has a W of %v", a)
		}
		if i < len(w) {
			fields = append(fields, int(v))
		}
	}
	w = [3]int(fields)
	if w[0]+w[1]+w[2] == 0 {
		return w, needsRepair("cross-reference stream has empty entries")
	}
	return w, nil
}

// indexPairs reads /Index, by default [0 Size].
func indexPairs(d *Dict) ([]int64, error) {
	a, ok := d.Get("Index").(Array)
	if !ok {
		a = Array{Int(0), d.Get("Size")}
	}
	if len(a)%2 != 0 {
		return nil, needsRepair("cross-reference stream has an odd Index")
	}
	pairs := make([]int64, 0, len(a))
	for _, o := range a {
		v, ok := directLength(o)
		if !ok || v < 0 || v > maxNumber {
			return nil, needsRepair("cross-reference stream has no proper Index or Size")
		}
		pairs = append(pairs, v)
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i]+pairs[i+1] > maxNumber {
			return nil, needsRepair("cross-reference stream counts past object %d", maxNumber)
		}
	}
	return slices.Clip(pairs), nil
}
