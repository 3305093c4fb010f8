package pdf

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	"antin/internal/text"
)

// rewriter writes all that hangs on the trailer of a file as a new one.
type rewriter struct {
	f *File
	// strict refuses references to nothing: in a file that was rebuilt, what they
	// meant may be lost.
	strict bool

	used map[Ref]Ref // to the new number; zero for a reference to nothing
	list []Ref       // in use, by number

	signed error // the first signature met
}

// collect finds every object that the trailer leads to.
func (w *rewriter) collect() error {
	w.used = map[Ref]Ref{}
	trailer := w.f.Trailer()
	todo := references(nil, trailer.Get("Root"))
	todo = references(todo, trailer.Get("Info"))
	for len(todo) > 0 {
		ref := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, ok := w.used[ref]; ok {
			continue
		}
		w.used[ref] = Ref{}
		if e, ok := w.f.Entry(ref.Num); !ok || e.Free || e.Gen != ref.Gen || ref.Num == 0 {
			if w.strict {
				return needsRepair("object %s is referred to and lost", ref)
			}
			continue
		}
		o, err := w.f.Load(ref)
		if err != nil {
			return err
		}
		if w.signed == nil {
			w.signed = unsigned(ref, o)
		}
		w.list = append(w.list, ref)
		todo = references(todo, o)
	}
	slices.SortFunc(w.list, func(a, b Ref) int { return cmp.Or(a.Num-b.Num, a.Gen-b.Gen) })
	for i, ref := range w.list {
		w.used[ref] = Ref{Num: i + 1}
	}
	return w.checkPages()
}

// checkPages makes sure that there is a page tree that can be walked.
func (w *rewriter) checkPages() error {
	for _, err := range w.f.Pages() {
		if err != nil {
			return err
		}
	}
	return nil
}

// unsigned refuses o when it belongs to a signature that was made: a signature
// dictionary with a value, or what a catalog says of signatures.
func unsigned(ref Ref, o Object) error {
	d, ok := o.(*Dict)
	if !ok {
		return nil
	}
	if s, ok := d.Get("Contents").(String); ok && holdsSignature(d) && len(bytes.Trim(s.Value, "\x00")) > 0 {
		return text.Detailed(text.PDFRepairNeeded, fmt.Errorf("object %s is a signature", ref), "sign.normalise-signed")
	}
	if v, ok := d.Get("V").(*Dict); ok {
		return unsigned(ref, v)
	}
	if d.Get("Type") == Name("Catalog") && (d.Has("Perms") || d.Has("DSS")) {
		return text.Detailed(text.PDFRepairNeeded, fmt.Errorf("catalog %s tells of signatures", ref), "sign.normalise-signed")
	}
	return nil
}

// references appends every reference within o to list.
func references(list []Ref, o Object) []Ref {
	switch o := o.(type) {
	case Ref:
		return append(list, o)
	case Array:
		for _, v := range o {
			list = references(list, v)
		}
	case *Dict:
		if o != nil {
			for _, v := range o.values {
				list = references(list, v)
			}
		}
	case *Stream:
		for i, k := range o.Dict.keys {
			if k != "Length" { // the writer's own
				list = references(list, o.Dict.values[i])
			}
		}
	}
	return list
}

// renumbered replaces the references within o, in place.
func (w *rewriter) renumbered(o Object) Object {
	switch o := o.(type) {
	case Ref:
		if to := w.used[o]; !to.IsZero() {
			return to
		}
		return Null{}
	case Array:
		for i := range o {
			o[i] = w.renumbered(o[i])
		}
	case *Dict:
		for i := range o.values {
			o.values[i] = w.renumbered(o.values[i])
		}
	case *Stream:
		w.renumbered(o.Dict)
	}
	return o
}

// write writes the new file and reads it back.
func (w *rewriter) write() ([]byte, error) {
	if w.f.end > maxRebuild {
		return nil, exceeded("file of %d bytes is too long to be written anew", w.f.end)
	}
	if w.signed != nil {
		return nil, w.signed
	}
	at, err := lastIndex(w.f.r, "/ByteRange", 0, w.f.end)
	if err != nil {
		return nil, err
	}
	if at >= 0 { // also where nothing refers to it any more: somebody signed this
		return nil, text.Detailed(text.PDFRepairNeeded, fmt.Errorf("a ByteRange stands at %d", at), "sign.normalise-signed")
	}
	version := w.f.version
	if len(version) != 3 || version[1] != '.' {
		version = "1.7" // what readers take a missing one for
	}
	enc := &encoder{}
	enc.dst = fmt.Appendf(enc.dst, "%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n", version)
	list := []written{{Ref{0, maxGeneration}, 0}}
	for _, ref := range w.list {
		o, err := w.f.Load(ref)
		if err != nil {
			return nil, err
		}
		to := w.used[ref]
		list = append(list, written{to, int64(len(enc.dst))})
		if err := enc.indirect(to, w.renumbered(o)); err != nil {
			return nil, err
		}
	}
	old := w.f.Trailer()
	trailer := NewDict("Size", Int(int64(len(list))), "Root", w.renumbered(old.Get("Root")))
	if info, ok := w.renumbered(old.Get("Info")).(Ref); ok {
		trailer.Set("Info", info)
	}
	trailer.Set("ID", w.newID(enc.dst))
	table := len(enc.dst)
	if err := writeTable(enc, list, trailer); err != nil {
		return nil, err
	}
	out := fmt.Appendf(enc.dst, "startxref\n%d\n%%%%EOF\n", table)
	return out, w.verify(out)
}

// newID keeps the first part of /ID and derives the second from the content.
func (w *rewriter) newID(content []byte) Array {
	sum := sha256.Sum256(content)
	id := String{Value: sum[:idLen], Hex: true}
	if first := w.f.firstID(); len(first) > 0 {
		return Array{String{Value: first, Hex: true}, id}
	}
	return Array{id, id}
}

// verify reads out back: it must need no repair and hold the same pages.
func (w *rewriter) verify(out []byte) error {
	g, err := Open(bytes.NewReader(out), int64(len(out)), Options{Limits: *w.f.lim})
	if err != nil {
		return fmt.Errorf("reading the rewritten file: %w", err)
	}
	if err := g.SigningProblem(); err != nil {
		return err
	}
	pages := func(f *File) (n int, err error) {
		for _, err := range f.Pages() {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	before, err := pages(w.f)
	if err != nil {
		return err
	}
	after, err := pages(g)
	if err == nil && before != after {
		err = needsRepair("%d pages became %d", before, after)
	}
	return err
}
