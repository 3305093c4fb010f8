package pdf

import "sync"

// Buffers are rooms to read into that one file leaves to the next. The zero value is
// ready to use, a nil *Buffers makes every room anew. It is safe for concurrent use.
type Buffers struct{ windows, chunks sync.Pool }

// Chunk is n bytes, whatever they hold. Give it back with Return when nothing points
// into it any more.
func (b *Buffers) Chunk(n int) *[]byte {
	if b != nil {
		if c, ok := b.chunks.Get().(*[]byte); ok && cap(*c) >= n {
			*c = (*c)[:n]
			return c
		}
	}
	c := make([]byte, n)
	return &c
}

// Return takes a chunk back; one that grew meanwhile is welcome.
func (b *Buffers) Return(c *[]byte) {
	if b != nil {
		b.chunks.Put(c)
	}
}
