package pdf

import (
	"slices"
	"sync"
)

const (
	// keptContents is how many decoded bytes of object streams are kept.
	keptContents = 8 << 20
	// maxCompressed is the most objects in one object stream that are looked up.
	maxCompressed = 1 << 20
	// maxContents is the longest object stream once decoded, in bytes.
	maxContents = 32 << 20
)

// objectStream is a decoded object stream (ISO 32000-2, 7.5.7).
type objectStream struct {
	id objectStreamID
	// lengthWrong is kept for every revision that meets the stream.
	lengthWrong bool
	data        []byte
	nums        []int32
	offs        []int32 // in data
}

// objectStreamID tells object streams apart, also among the revisions of a file: by
// where they stand and how they were decrypted; and by the revision for one whose
// dictionary has indirect values, which another may give another meaning.
type objectStreamID struct {
	num     int
	offset  int64
	handler *security
	within  *File
}

// selfContained reports whether what decides how the stream of dictionary d is read
// stands in d itself.
func selfContained(d *Dict) bool {
	for _, key := range []Name{"Type", "Length", "N", "First", "Filter", "DecodeParms"} {
		switch o := d.Get(key).(type) {
		case nil, Number, Name:
		case Array:
			for _, v := range o {
				if _, ok := v.(Name); !ok {
					return false
				}
			}
		case *Dict:
			for _, v := range o.values {
				if _, ok := v.(Number); !ok {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

// contents keeps the object streams used last. The zero value is ready to use.
type contents struct {
	mu   sync.Mutex
	list []*objectStream // the one used last at the end
	size int
}

func (c *contents) get(id objectStreamID) *objectStream {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, s := range c.list {
		if s.id == id {
			c.list = append(slices.Delete(c.list, i, i+1), s)
			return s
		}
	}
	return nil
}

func (c *contents) put(s *objectStream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, s)
	c.size += s.cost()
	for c.size > keptContents && len(c.list) > 1 {
		c.size -= c.list[0].cost()
		c.list = slices.Delete(c.list, 0, 1)
	}
}

func (s *objectStream) cost() int { return len(s.data) + 8*len(s.nums) }

// loadCompressed returns the object that e places in an object stream.
func (f *File) loadCompressed(e Entry, depth int) (Object, error) {
	s, err := f.objectStream(e.ObjStm, depth)
	if err != nil {
		return nil, err
	}
	if e.Index >= len(s.nums) || int(s.nums[e.Index]) != e.Num {
		return nil, malformed("object %d is not at index %d of object stream %d", e.Num, e.Index, e.ObjStm)
	}
	id := keptID{s.id.offset, e.Index}
	if k := f.kept.get(f, id, s.id.within); k != nil {
		return k.object, nil
	}
	src := memorySource(s.data)
	src.seek(int64(s.offs[e.Index]))
	p := parser{src: src, lim: f.lim}
	o, err := p.object(0)
	if err != nil {
		return nil, err
	}
	f.kept.put(f, id, s.id.within, &indirect{ref: Ref{Num: e.Num}, object: o}, src.offset()-int64(s.offs[e.Index]))
	return o, nil
}

// objectStream returns object stream num, decoded. It must be a stream of its own:
// one inside another, or inside itself, would never end.
func (f *File) objectStream(num, depth int) (*objectStream, error) {
	e, ok := f.Entry(num)
	if !ok || e.Free || e.ObjStm != 0 {
		return nil, malformed("object stream %d is not an object of its own", num)
	}
	if err := f.EncryptionError(); err != nil {
		return nil, err
	}
	id := objectStreamID{num, e.Offset, f.lock.handler, nil}
	s := f.contents.get(id)
	if s == nil {
		id.within = f
		s = f.contents.get(id)
	}
	if s == nil {
		var err error
		if s, err = f.openObjectStream(e, depth); err != nil {
			return nil, err
		}
		f.contents.put(s)
	}
	if s.lengthWrong {
		f.note(StructureLength)
	}
	return s, nil
}

// openObjectStream reads and decodes the object stream at e.
func (f *File) openObjectStream(e Entry, depth int) (*objectStream, error) {
	num := e.Num
	if depth > maxLoadDepth {
		return nil, malformed("object stream %d needs itself", num)
	}
	ind, err := f.indirect(e, depth+1)
	if err != nil {
		return nil, err
	}
	st, ok := ind.object.(*Stream)
	if !ok {
		return nil, malformed("object %d is not an object stream", num)
	}
	if kind, err := f.resolve(st.Dict.Get("Type"), depth+1); err != nil || kind != Name("ObjStm") {
		return nil, malformed("object %d is not an object stream", num)
	}
	data, err := f.decodeAt(st, maxContents, depth+1)
	if err != nil {
		return nil, err
	}
	n, okN := f.streamLength(st.Dict.Get("N"), depth+1)
	first, okF := f.streamLength(st.Dict.Get("First"), depth+1)
	if !okN || !okF || n < 0 || n > maxCompressed || first < 0 || first > int64(len(data)) {
		return nil, malformed("object stream %d has no proper N and First", num)
	}
	s, err := readPairs(num, data, int(n), first)
	if err != nil {
		return nil, err
	}
	s.lengthWrong = ind.lengthWrong
	s.id = objectStreamID{num, e.Offset, f.lock.handler, f}
	if selfContained(st.Dict) {
		s.id.within = nil
	}
	return s, nil
}

// readPairs reads the n pairs of number and offset at the beginning of data.
func readPairs(num int, data []byte, n int, first int64) (*objectStream, error) {
	s := &objectStream{data: data, nums: make([]int32, 0, min(n, len(data)/4+1)), offs: make([]int32, 0, min(n, len(data)/4+1))}
	src := memorySource(data)
	src.end = first
	src.buf = data[:first]
	for range n {
		src.skipSpace()
		obj, ok := src.digits()
		src.skipSpace()
		off, ok2 := src.digits()
		if !ok || !ok2 || obj > maxNumber || first+off > int64(len(data)) {
			return nil, malformed("object stream %d has a damaged head", num)
		}
		s.nums = append(s.nums, int32(obj))
		s.offs = append(s.offs, int32(first+off))
	}
	return s, nil
}
