package exchangebench

import (
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
)

// blockSize is the length of the bytes that a payload repeats.
const blockSize = 1 << 20

// block holds letters as an attachment in base64 does; made once.
var block = sync.OnceValue(func() []byte {
	source := rand.NewChaCha8([32]byte{})
	raw := make([]byte, blockSize/4*3)
	_, _ = source.Read(raw) // never fails
	return []byte(base64.StdEncoding.EncodeToString(raw))
})

// Payload returns the bytes of message n: size of them, no two messages alike. What
// it holds of memory does not depend on size.
func Payload(n uint64, size int64) io.Reader {
	return &payload{head: fmt.Appendf(nil, "<!-- message %020d -->", n), left: size}
}

type payload struct {
	head []byte
	left int64
	at   int
}

// Read implements io.Reader.
func (p *payload) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.left)]
	n := copy(b, p.head)
	p.head = p.head[n:]
	for n < len(b) {
		c := copy(b[n:], block()[p.at:])
		n += c
		p.at = (p.at + c) % blockSize
	}
	p.left -= int64(n)
	return n, nil
}
