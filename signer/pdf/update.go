package pdf

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"antin/internal/text"
)

// idLen is the length of the identifiers made here, that of the MD5 value which
// ISO 32000-2, 14.4 suggests.
const idLen = 16

// Update collects the objects of one incremental update (ISO 32000-2, 7.5.6) of a
// file. It is not safe for concurrent use.
type Update struct {
	f       *File
	pool    pool
	trailer *Dict
	id      []byte
	err     error
}

// NewUpdate returns an empty update of f. New objects get numbers from the first
// that neither an entry nor /Size of f covers.
func (f *File) NewUpdate() *Update {
	u := &Update{f: f, pool: newPool(f.highest() + 1), trailer: &Dict{}}
	size, _ := directLength(f.Trailer().Get("Size"))
	if size > maxNumber {
		u.err = exceeded("Size %d is past what object numbers are accepted", size)
	} else {
		u.pool.next = max(u.pool.next, int(size))
	}
	return u
}

// Add puts o into the update under a new number and returns its reference.
func (u *Update) Add(o Object) Ref {
	ref := u.Reserve()
	u.pool.put(ref, o)
	return ref
}

// Reserve returns the reference of a new object, which Put defines later. A number
// reserved and never put reads as null.
func (u *Update) Reserve() Ref { return u.pool.reserve() }

// Put defines ref: a reserved object, or one of the file, which is then overridden
// and keeps its number and generation. The last object put wins; it is written in
// the place of the first. Build reports a ref that the file uses with another
// generation, or lists as free.
func (u *Update) Put(ref Ref, o Object) {
	e, ok := u.f.Entry(ref.Num)
	switch {
	case ref.Num <= 0 || ref.Num >= u.pool.next:
		u.fail(malformed("object %s was neither in the file nor reserved", ref))
	case ok && (e.Free || e.Gen != ref.Gen):
		u.fail(malformed("object %s is not in use in the file", ref))
	case !ok && ref.Gen != 0:
		u.fail(malformed("new object %s is not of generation 0", ref))
	default:
		u.pool.put(ref, o)
	}
}

func (u *Update) fail(err error) {
	if u.err == nil {
		u.err = err
	}
}

// Load returns the object as the update leaves it: what was put, else what the
// file holds. An object that was put is not copied.
func (u *Update) Load(ref Ref) (Object, error) {
	if o, ok := u.pool.objects[ref]; ok {
		return o, nil
	}
	return u.f.Load(ref)
}

// File returns the file that is updated.
func (u *Update) File() *File { return u.f }

// SetTrailer sets a key of the new trailer dictionary. Size, Prev, ID and the keys
// of a cross-reference stream are the writer's own and are not overridden.
func (u *Update) SetTrailer(key Name, value Object) { u.trailer.Set(key, value) }

// SetID gives the second part of the new /ID. Without it, it is derived from the
// content of the update.
func (u *Update) SetID(second []byte) { u.id = second }

// Built is an incremental update in bytes. Data goes behind the first Base bytes of
// the file, which stay as they are.
type Built struct {
	// Base is the length of the file that the update continues, in bytes.
	Base int64
	// Data begins with a line feed when the file's last byte is no end of line.
	Data []byte
	// StartXRef is the offset of the new cross-reference section.
	StartXRef int64

	original io.ReaderAt
	holes    map[*Placeholder]int64
}

// Build writes the update: its objects in the order in which they were first put, a
// cross-reference section of the kind of the newest one in the file, and the
// trailer. An encrypted file gives its EncryptionError, an irregular one its
// SigningProblem, and a table offset that needs more than ten digits
// limit-exceeded.
func (u *Update) Build() (*Built, error) {
	if err := cmp.Or(u.err, u.f.EncryptionError(), u.f.SigningProblem()); err != nil {
		return nil, err
	}
	enc := &encoder{crypt: u.f.lock.handler, dst: make([]byte, 0, encoderRoom)}
	if open, err := u.lacksEOL(); err != nil {
		return nil, err
	} else if open {
		enc.dst = append(enc.dst, '\n')
	}
	offsets, err := u.pool.write(enc, u.f.end)
	if err != nil {
		return nil, err
	}
	enc.crypt = nil // the cross-reference and its identifiers are never encrypted
	at := u.f.end + int64(len(enc.dst))
	dict := u.newTrailer(enc)
	size := u.pool.next
	if u.f.sections[0].Kind == SectionStream {
		err = writeXRefStream(enc, offsets, dict, Ref{size, 0}, at)
	} else {
		dict.Set("Size", Int(int64(size)))
		err = writeTable(enc, offsets, dict)
	}
	if err != nil {
		return nil, err
	}
	enc.dst = fmt.Appendf(enc.dst, "startxref\n%d\n%%%%EOF\n", at)
	return &Built{Base: u.f.end, Data: enc.dst, StartXRef: at, original: u.f.r, holes: enc.holes}, nil
}

// lacksEOL reports whether the file ends without an end-of-line marker.
func (u *Update) lacksEOL() (bool, error) {
	var last [1]byte
	if err := readFull(u.f.r, last[:], u.f.end-1); err != nil {
		return false, err
	}
	return last[0] != '\n' && last[0] != '\r', nil
}

// newTrailer returns the trailer without /Size: every key of the newest one that
// describes the document (ISO 32000-2, 7.5.6), what the caller set, and the ID.
func (u *Update) newTrailer(content *encoder) *Dict {
	d := NewDict("Size", Int(0)) // a place at the front; set by the writer
	old := u.f.Trailer()
	for _, from := range []*Dict{old, u.trailer} {
		for _, k := range from.Keys() {
			if !ownTrailerKey(k) {
				d.Set(k, from.Get(k))
			}
		}
	}
	d.Set("ID", u.newID(content))
	d.Set("Prev", Int(u.f.start))
	return d
}

// ownTrailerKey reports whether k belongs to one section and is not taken over.
func ownTrailerKey(k Name) bool {
	switch k {
	case "Size", "Prev", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms",
		"F", "FFilter", "FDecodeParms", "DL", "ID":
		return true
	}
	return false
}

// newID returns /ID with its first part kept and its second part new.
func (u *Update) newID(content *encoder) Array {
	var first String
	if a, err := u.f.Array(u.f.Trailer().Get("ID")); err == nil && len(a) > 0 {
		if s, err := u.f.String(a[0]); err == nil {
			first = s
		}
	}
	second := u.id
	if second == nil {
		h := sha256.New()
		_, _ = fmt.Fprintf(h, "%d %x ", u.f.start, first.Value) // a hash takes everything
		content.unfilled(h)
		second = h.Sum(nil)[:idLen]
	}
	if len(first.Value) == 0 {
		first = String{Value: second, Hex: true}
	}
	return Array{first, String{Value: second, Hex: true}}
}

// Offset returns the offset in the updated file of the first byte of p, its prefix
// included; -1 when p is not part of the update.
func (b *Built) Offset(p *Placeholder) int64 {
	if at, ok := b.holes[p]; ok {
		return b.Base + at
	}
	return -1
}

// Patch fills p with content, padded with p.Fill on the right. No byte but those of
// the hole changes, and the length never does: content that is too long is an
// error and changes nothing.
func (b *Built) Patch(p *Placeholder, content []byte) error {
	at, ok := b.holes[p]
	if !ok {
		return text.Errorf(text.Internal, errors.New("placeholder is not part of the update"))
	}
	if len(content) > p.Size {
		return text.Errorf(text.Internal, fmt.Errorf("%d bytes do not fit a placeholder of %d", len(content), p.Size))
	}
	hole := b.Data[at+int64(len(p.Prefix)):][:p.Size]
	fill(hole[copy(hole, content):], p.Fill)
	return nil
}

// Size returns the length of the updated file in bytes.
func (b *Built) Size() int64 { return b.Base + int64(len(b.Data)) }

// Reader returns the updated file: the original's bytes with Data behind, and its
// size. Later patches show through.
func (b *Built) Reader() (io.ReaderAt, int64) { return joined{b}, b.Size() }

type joined struct{ b *Built }

// ReadAt implements io.ReaderAt.
func (j joined) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < j.b.Base {
		want := min(int64(len(p)), j.b.Base-off)
		var err error
		if n, err = j.b.original.ReadAt(p[:want], off); int64(n) < want {
			return n, err
		}
	}
	if n == len(p) {
		return n, nil
	}
	at := off + int64(n) - j.b.Base
	if at < int64(len(j.b.Data)) {
		n += copy(p[n:], j.b.Data[at:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
