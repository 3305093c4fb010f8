package pdf

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"

	"antin/internal/text"
)

// maxRebuild is the longest file that is rebuilt, in bytes: it is read and written in
// memory as a whole. Larger ones come from scanners and are sound.
const maxRebuild = 256 << 20

// maxDamaged is the most objects that may begin and not read: each costs a look at
// what follows, up to the longest object.
const maxDamaged = 256

// rebuilder finds the objects of a file whose cross-reference is of no use, by
// reading it from front to back. It is the only reader here that guesses, and what
// it reads is never signed: it is written anew, and that is.
type rebuilder struct {
	f       *File
	data    []byte
	numbers map[int]int64 // integers that are objects, for the lengths of streams
	own     map[int]found
	// damaged are the numbers whose last object does not read: what stood before it
	// must not stand in for it.
	damaged  map[int]bool
	failures int
	// updates is how many times the file was finished: an object may stand once in
	// each.
	updates int
	taken   [][2]int // the bytes of objects, in order
}

// found is the last place where an object of its own stands.
type found struct {
	at, end int64
	gen     int
}

// rebuild reads the size bytes of r as a file without its cross-reference. Errors are
// those of Open; pdf-repair-needed says what is not safe to repair.
func rebuild(r io.ReaderAt, size int64, o Options) (*File, error) {
	if size > maxRebuild {
		return nil, exceeded("file of %d bytes is too long to be rebuilt", size)
	}
	f := newFile(r, size, o)
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	if err := readFull(r, data, 0); err != nil {
		return nil, err
	}
	b := &rebuilder{
		f: f, data: data, numbers: map[int]int64{}, own: map[int]found{}, damaged: map[int]bool{},
		updates: bytes.Count(data, []byte("startxref")),
	}
	b.findNumbers()
	if err := b.findObjects(); err != nil {
		return nil, err
	}
	section := &Section{Kind: SectionTable, Prev: -1, XRefStm: -1, own: &entries{}, Trailer: &Dict{}}
	f.sections, f.all = []*Section{section}, []*Section{section}
	b.fill(section, nil)
	packed, err := b.findPacked()
	if err != nil {
		return nil, err
	}
	b.fill(section, packed)
	section.Trailer, err = b.findTrailer()
	if err != nil {
		return nil, err
	}
	return f, nil
}

var numberObject = regexp.MustCompile(`(?:^|[\r\n\s])(\d{1,8})\s+\d{1,5}\s+obj\s+(\d{1,15})\s+endobj`)

// findNumbers notes every object that is an integer. One that only seems to be, in
// the middle of a stream, does no harm: a length must lead to endstream.
func (b *rebuilder) findNumbers() {
	for _, m := range numberObject.FindAllSubmatch(b.data, -1) {
		num, err := strconv.Atoi(string(m[1]))
		value, err2 := strconv.ParseInt(string(m[2]), 10, 64)
		if err == nil && err2 == nil {
			b.numbers[num] = value
		}
	}
}

// findObjects reads every object of its own, passing over what lies within another.
func (b *rebuilder) findObjects() error {
	length := func(o Object) (int64, bool) {
		if ref, ok := o.(Ref); ok {
			n, ok := b.numbers[ref.Num]
			return n, ok
		}
		return directLength(o)
	}
	for from := 0; ; {
		i := bytes.Index(b.data[from:], []byte("obj"))
		if i < 0 {
			return nil
		}
		at, ok := headerBefore(b.data, from, from+i)
		from += i + len("obj")
		if !ok {
			continue
		}
		ind, err := b.f.readIndirect(int64(at), length)
		if err != nil {
			if text.CodeOf(err) != text.PDFMalformed && text.CodeOf(err) != text.PDFRepairNeeded {
				return err
			}
			if b.failures++; b.failures > maxDamaged {
				return needsRepair("more than %d objects are damaged", maxDamaged)
			}
			end := at
			for isDigit(b.data[end]) { // " obj" follows
				end++
			}
			if num, err := strconv.Atoi(string(b.data[at:end])); err == nil {
				b.damaged[num] = true
			}
			continue
		}
		if err := b.note(ind); err != nil {
			return err
		}
		from = max(from, int(ind.end))
	}
}

// headerBefore returns where "n g " begins before the word obj at at, no earlier than
// from.
func headerBefore(data []byte, from, at int) (int, bool) {
	i := at
	back := func(is func(byte) bool) bool {
		start := i
		for i > from && is(data[i-1]) {
			i--
		}
		return i < start
	}
	if !back(isSpace) || !back(isDigit) || !back(isSpace) || !back(isDigit) {
		return 0, false
	}
	return i, i == 0 || !isRegular(data[i-1]) || i == from
}

// note keeps ind as the last object of its number. Another before it is what an
// update replaced; in a file without updates nobody can tell which one counts.
func (b *rebuilder) note(ind *indirect) error {
	num := ind.ref.Num
	if num == 0 {
		return nil
	}
	if old, ok := b.own[num]; ok && b.updates < 2 && !bytes.Equal(b.data[old.at:old.end], b.data[ind.start:ind.end]) {
		return needsRepair("object %d stands twice", num)
	}
	b.own[num] = found{ind.start, ind.end, ind.ref.Gen}
	delete(b.damaged, num)
	b.taken = append(b.taken, [2]int{int(ind.start), int(ind.end)})
	return nil
}

// packedObject is where an object in an object stream lies.
type packedObject struct{ container, index int }

// findPacked reads the heads of all object streams.
func (b *rebuilder) findPacked() (map[int]packedObject, error) {
	list := map[int]packedObject{}
	containers := make([]int, 0, len(b.own))
	for num := range b.own {
		containers = append(containers, num)
	}
	slices.SortFunc(containers, func(x, y int) int { return int(b.own[x].at - b.own[y].at) })
	for _, num := range containers {
		if b.damaged[num] {
			continue // an older one, or there would be no entry for it
		}
		o, err := b.f.Load(Ref{num, b.own[num].gen})
		if err != nil {
			return nil, err
		}
		st, ok := o.(*Stream)
		if !ok || st.Dict.Get("Type") != Name("ObjStm") {
			continue
		}
		s, err := b.f.objectStream(num, 0)
		if err != nil {
			return nil, err
		}
		for i, n := range s.nums {
			if own, ok := b.own[int(n)]; ok && own.at > b.own[num].at || b.damaged[int(n)] {
				continue
			}
			if _, twice := list[int(n)]; twice && b.updates < 2 {
				return nil, needsRepair("object %d stands in two object streams", n)
			}
			list[int(n)] = packedObject{num, i}
		}
	}
	return list, nil
}

// fill puts the entries of what was found into s.
func (b *rebuilder) fill(s *Section, packed map[int]packedObject) {
	all := map[int]Entry{}
	for num, o := range b.own {
		if !b.damaged[num] {
			all[num] = Entry{Gen: o.gen, Offset: o.at}
		}
	}
	for num, o := range packed {
		all[num] = Entry{ObjStm: o.container, Index: o.index}
	}
	nums := make([]int, 0, len(all))
	for num := range all {
		nums = append(nums, num)
	}
	slices.Sort(nums)
	s.own = &entries{}
	for _, num := range nums {
		e := all[num]
		if e.ObjStm != 0 {
			s.own.add(num, pack(kindCompressed, int64(e.ObjStm), int64(e.Index)))
			continue
		}
		s.own.add(num, pack(kindOffset, e.Offset, int64(e.Gen)))
	}
}

// findTrailer returns the last trailer that leads to a catalog, with the keys that a
// new file keeps; without any, one for the only catalog there is.
func (b *rebuilder) findTrailer() (*Dict, error) {
	var last *Dict
	for _, d := range b.trailers() {
		if o := d.Get("Encrypt"); o != nil && o != (Null{}) {
			return nil, text.Errorf(text.EncryptionUnsupported, errEncryptedRewrite)
		}
		if ref, ok := d.Get("Root").(Ref); ok && b.isCatalog(ref) {
			last = d
		}
	}
	if last != nil {
		return keptTrailer(last), nil
	}
	var catalog Ref
	for num := range b.f.Objects() {
		e, _ := b.f.Entry(num)
		if ref := (Ref{num, e.Gen}); b.isCatalog(ref) {
			if !catalog.IsZero() {
				return nil, needsRepair("objects %s and %s are both a catalog, and no trailer tells", catalog, ref)
			}
			catalog = ref
		}
	}
	if catalog.IsZero() {
		return nil, needsRepair("no catalog is left")
	}
	return NewDict("Root", catalog), nil
}

// keptTrailer returns what a rewritten file keeps of a trailer.
func keptTrailer(d *Dict) *Dict {
	kept := &Dict{}
	for _, key := range []Name{"Root", "Info", "ID"} {
		kept.Set(key, d.Get(key))
	}
	return kept
}

// trailers returns the trailer dictionaries in their order in the file, those of
// cross-reference streams included.
func (b *rebuilder) trailers() []*Dict {
	type placed struct {
		at int
		d  *Dict
	}
	var list []placed
	for num, o := range b.own {
		if st, ok := b.loaded(Ref{num, o.gen}).(*Stream); ok && st.Dict.Get("Type") == Name("XRef") {
			list = append(list, placed{int(o.at), st.Dict})
		}
	}
	const word = "trailer"
	for from := 0; ; {
		i := bytes.Index(b.data[from:], []byte(word))
		if i < 0 {
			break
		}
		at := from + i
		from = at + len(word)
		if b.within(at) {
			continue
		}
		if o, _, err := ParseObject(b.data[from:]); err == nil {
			if d, ok := o.(*Dict); ok {
				list = append(list, placed{at, d})
			}
		}
	}
	slices.SortFunc(list, func(x, y placed) int { return x.at - y.at })
	dicts := make([]*Dict, len(list))
	for i, p := range list {
		dicts[i] = p.d
	}
	return dicts
}

// within reports whether the byte at at belongs to an object.
func (b *rebuilder) within(at int) bool {
	i, exact := slices.BinarySearchFunc(b.taken, at, func(t [2]int, at int) int { return t[0] - at })
	return exact || i > 0 && at < b.taken[i-1][1]
}

func (b *rebuilder) loaded(ref Ref) Object {
	o, err := b.f.Load(ref)
	if err != nil {
		return nil
	}
	return o
}

func (b *rebuilder) isCatalog(ref Ref) bool {
	d, ok := b.loaded(ref).(*Dict)
	return ok && d.Get("Type") == Name("Catalog") && d.Has("Pages")
}

// Rewritten returns the file in r, of size bytes, written anew without any need of
// repair: its catalog, its information and all that hangs on them, with every stream
// as it is encoded, under a classic table. The same file gives the same bytes.
//
// A file that opens is taken as it reads; only where it does not are its objects
// searched for. What cannot be repaired safely is refused with pdf-repair-needed: an
// object that is referred to and lost, one that stands twice, several catalogs, a
// damaged object stream. So is a file with a signature, or with anything that only
// signatures bring, since no signature survives. Other errors are those of Open, and
// encryption-unsupported for any encrypted file.
func Rewritten(r io.ReaderAt, size int64, o Options) ([]byte, error) {
	f, err := Open(r, size, o)
	if err == nil {
		if f.Encrypted() {
			return nil, cmp.Or(f.EncryptionError(), error(text.Errorf(text.EncryptionUnsupported, errEncryptedRewrite)))
		}
		w := &rewriter{f: f}
		if err = w.collect(); err == nil {
			return w.write()
		}
	}
	switch text.CodeOf(err) {
	case text.PDFRepairNeeded, text.PDFMalformed:
	default:
		return nil, err
	}
	if f, err = rebuild(r, size, o); err != nil {
		return nil, fmt.Errorf("rebuilding: %w", err)
	}
	w := &rewriter{f: f, strict: true}
	if err := w.collect(); err != nil {
		return nil, fmt.Errorf("rebuilding: %w", err)
	}
	return w.write()
}

// errEncryptedRewrite is why an encrypted file is not written anew.
var errEncryptedRewrite = errors.New("an encrypted file is not rebuilt")
