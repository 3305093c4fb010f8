package pdf

import (
	"cmp"
	"fmt"
	"slices"
)

const (
	// maxTableOffset is the largest offset that the ten digits of a table hold.
	maxTableOffset = 9_999_999_999
	// maxNarrowOffset is the largest offset of an entry with four bytes.
	maxNarrowOffset = 1<<32 - 1
)

// pool is a set of objects to be written, in the order in which they were put.
type pool struct {
	next    int // the number of the next new object
	order   []Ref
	objects map[Ref]Object
}

func newPool(next int) pool { return pool{next: max(next, 1), objects: map[Ref]Object{}} }

func (p *pool) reserve() Ref {
	ref := Ref{Num: p.next}
	p.next++
	return ref
}

func (p *pool) put(ref Ref, o Object) {
	if _, ok := p.objects[ref]; !ok {
		p.order = append(p.order, ref)
	}
	p.objects[ref] = o
}

// written is where an object was written.
type written struct {
	ref    Ref
	offset int64
}

// write writes every object and returns where, counted from base, by number.
func (p *pool) write(enc *encoder, base int64) ([]written, error) {
	list := make([]written, 0, len(p.order))
	for _, ref := range p.order {
		list = append(list, written{ref, base + int64(len(enc.dst))})
		if err := enc.indirect(ref, p.objects[ref]); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b written) int { return cmp.Compare(a.ref.Num, b.ref.Num) })
	return list, enc.err
}

// runsOf calls yield for every run of consecutive numbers in list.
func runsOf(list []written, yield func(run []written)) {
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && list[j].ref.Num == list[j-1].ref.Num+1 {
			j++
		}
		yield(list[i:j])
		i = j
	}
}

// writeTable writes a table of list and the trailer (ISO 32000-2, 7.5.4 and 7.5.5).
func writeTable(enc *encoder, list []written, trailer *Dict) error {
	for _, w := range list {
		if w.offset > maxTableOffset {
			return exceeded("offset %d does not fit a cross-reference table", w.offset)
		}
	}
	enc.dst = append(enc.dst, "xref\n"...)
	if len(list) == 0 {
		enc.dst = append(enc.dst, "0 0\n"...)
	}
	runsOf(list, func(run []written) {
		enc.dst = fmt.Appendf(enc.dst, "%d %d\n", run[0].ref.Num, len(run))
		for _, w := range run {
			kind := 'n'
			if w.ref.Num == 0 {
				kind = 'f'
			}
			enc.dst = fmt.Appendf(enc.dst, "%010d %05d %c \n", w.offset, w.ref.Gen, kind)
		}
	})
	enc.dst = append(enc.dst, "trailer\n"...)
	enc.object(trailer)
	enc.dst = append(enc.dst, '\n')
	return enc.err
}

// writeXRefStream writes a cross-reference stream of list, and of itself as object
// ref at at (ISO 32000-2, 7.5.8). It is not compressed: it is small, and its bytes
// then depend on no compressor.
func writeXRefStream(enc *encoder, list []written, trailer *Dict, ref Ref, at int64) error {
	list = append(slices.Clone(list), written{ref, at})
	width := 4
	if at > maxNarrowOffset {
		width = 8
	}
	var index Array
	var rows []byte
	runsOf(list, func(run []written) {
		index = append(index, Int(int64(run[0].ref.Num)), Int(int64(len(run))))
		for _, w := range run {
			rows = append(rows, kindOffset)
			for i := width - 1; i >= 0; i-- {
				rows = append(rows, byte(w.offset>>(8*i)))
			}
			rows = append(rows, byte(w.ref.Gen>>8), byte(w.ref.Gen))
		}
	})
	d := NewDict("Type", Name("XRef"), "Size", Int(int64(ref.Num)+1), "Index", index, "W", Array{Int(1), Int(int64(width)), Int(2)})
	for _, k := range trailer.Keys() {
		if k != "Size" {
			d.Set(k, trailer.Get(k))
		}
	}
	return enc.indirect(ref, NewStream(d, rows))
}
