package pdf

import (
	"slices"
	"sync"
)

const (
	// maxKeptObject is the longest object that is kept, in bytes of the file: a
	// signature value with its room, no list of a million entries.
	maxKeptObject = 256 << 10
	// maxKept bounds what is kept of one file, in bytes of the file: an object in
	// memory takes some ten times as much as its spelling.
	maxKept = 1 << 20
	// keptOverhead is what an object counts beside its bytes, so that a file of a
	// million empty ones is bounded too.
	keptOverhead = 32
)

// kept holds the objects of a file that were read before. One is kept only when it was
// read without a departure from the rules, so that nothing behind its end had a say:
// every revision that holds those bytes reads it the same. A nil *kept keeps nothing.
type kept struct {
	mu      sync.Mutex
	objects map[keptID]*indirect
	size    int
}

// keptID is where an object stands, in every revision of a file.
type keptID struct {
	offset int64 // of the object, or of the object stream that holds it
	index  int   // in the object stream, -1 for an object of its own
}

// keptFrom is what an object depends on beside its bytes.
type keptFrom struct {
	handler *security // that decrypted it
	plain   Ref       // the encryption dictionary, which is not decrypted
	within  *File     // as in objectStreamID
}

// keptFirst is room for the objects of a plain document.
const keptFirst = 32

func newKept() *kept { return &kept{objects: make(map[keptID]*indirect, keptFirst)} }

// get returns what f has read before at id, nil for none.
func (k *kept) get(f *File, id keptID, within *File) *indirect {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	o := k.objects[id]
	k.mu.Unlock()
	if o == nil || o.end > f.end || o.from != (keptFrom{f.lock.handler, f.lock.ref, within}) {
		return nil
	}
	return o
}

// put keeps ind, which f read and nobody else has yet, and which takes length bytes in
// the file, as long as there is room.
func (k *kept) put(f *File, id keptID, within *File, ind *indirect, length int64) {
	if k == nil || length > maxKeptObject {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.size+int(length)+keptOverhead > maxKept {
		return
	}
	k.size += int(length) + keptOverhead
	ind.from = keptFrom{f.lock.handler, f.lock.ref, within}
	k.objects[id] = ind
}

// own returns the object of its own at e: one kept, or read now.
func (f *File) own(e Entry, depth int) (*indirect, error) {
	id := keptID{e.Offset, -1}
	if k := f.kept.get(f, id, nil); k != nil && k.ref == (Ref{e.Num, e.Gen}) {
		return k, nil
	}
	ind, err := f.indirect(e, depth)
	if err != nil || f.kept == nil {
		return ind, err
	}
	length := ind.end - ind.start
	if st, ok := ind.object.(*Stream); ok {
		if _, direct := st.Dict.Get("Length").(Number); !direct {
			return ind, nil // another revision may say another length
		}
		length -= st.length
	}
	if !ind.lengthWrong && !ind.noEnd {
		f.kept.put(f, id, nil, ind, length)
	}
	return ind, nil
}

// keptSpan is what SignatureSpan would read of an object that was read before.
func (f *File) keptSpan(e Entry, ref Ref, key Name) (start, end int64, direct, ok bool) {
	k := f.kept.get(f, keptID{e.Offset, -1}, nil)
	if k == nil || k.ref != ref || key != "Contents" {
		return 0, 0, false, false
	}
	d, isDict := k.object.(*Dict)
	if !isDict || k.contents[1] == 0 || slices.Contains(d.dups, key) {
		return 0, 0, false, false
	}
	_, indirect := d.Get(key).(Ref)
	return k.contents[0], k.contents[1], !indirect, true
}
