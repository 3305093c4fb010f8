package pdf

import (
	"crypto/sha256"
	"fmt"
)

// Builder makes a new document: its objects one after another, a classic
// cross-reference table, nothing compressed but what the caller compressed. The
// same calls give the same bytes. It is not safe for concurrent use.
type Builder struct {
	version string
	pool    pool
}

// NewDocument returns an empty document of the given version, such as "1.7".
func NewDocument(version string) *Builder {
	return &Builder{version: version, pool: newPool(1)}
}

// Add puts o into the document and returns its reference.
func (b *Builder) Add(o Object) Ref {
	ref := b.Reserve()
	b.pool.put(ref, o)
	return ref
}

// Reserve returns the reference of an object that Put defines later.
func (b *Builder) Reserve() Ref { return b.pool.reserve() }

// Put defines the reserved object ref. The last object put wins; it is written in
// the place of the first.
func (b *Builder) Put(ref Ref, o Object) { b.pool.put(ref, o) }

// Build writes the document with root as its catalog and info as its information
// dictionary; a zero info leaves that out. Both parts of /ID are derived from the
// content. It is an error when a placeholder stands twice, when a ref was put that
// was not reserved, or when root was not put.
func (b *Builder) Build(root, info Ref) ([]byte, error) {
	enc := &encoder{}
	// Four bytes of 128 and more tell transfer programs that the file is binary
	// (ISO 32000-2, 7.5.2).
	enc.dst = fmt.Appendf(enc.dst, "%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n", b.version)
	for ref := range b.pool.objects {
		if ref.Num < 1 || ref.Num >= b.pool.next || ref.Gen != 0 {
			return nil, malformed("object %s was not reserved", ref)
		}
	}
	if _, ok := b.pool.objects[root]; !ok {
		return nil, malformed("document has no catalog %s", root)
	}
	list, err := b.pool.write(enc, 0)
	if err != nil {
		return nil, err
	}
	list = b.withFree(list)
	sum := sha256.Sum256(enc.dst)
	id := String{Value: sum[:idLen], Hex: true}
	trailer := NewDict("Size", Int(int64(b.pool.next)), "Root", root)
	if !info.IsZero() {
		trailer.Set("Info", info)
	}
	trailer.Set("ID", Array{id, id})
	at := len(enc.dst)
	if err := writeTable(enc, list, trailer); err != nil {
		return nil, err
	}
	return fmt.Appendf(enc.dst, "startxref\n%d\n%%%%EOF\n", at), nil
}

// withFree puts object 0, the head of the list of free objects, before list, and
// after it an empty object for every number reserved and never put, since the
// table of a new document has one run (ISO 32000-2, 7.5.4).
func (b *Builder) withFree(list []written) []written {
	full := make([]written, 0, b.pool.next)
	full = append(full, written{Ref{0, maxGeneration}, 0})
	for _, w := range list {
		for len(full) < w.ref.Num {
			full = append(full, written{Ref{len(full), maxGeneration}, 0})
		}
		full = append(full, w)
	}
	return full
}
