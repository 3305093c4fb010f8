package web

import (
	"bytes"
	"context"
	"io"

	"antin/exchange"
)

// maxCompared bounds the files that card 4 compares, in bytes; it shows a sample of
// one page, not somebody's book.
const maxCompared = 4 << 20

// maxWord bounds a word that is shown as changed, in bytes.
const maxWord = 40

// changedWord is the word in which the altered copy differs from the original.
type changedWord struct{ Before, After string }

// difference compares the issued files of two documents of A; nil when they are too
// large or differ in more than one word.
func (h *start) difference(ctx context.Context, actor exchange.Actor, original, altered exchange.ID) (*changedWord, error) {
	a, err := h.final(ctx, actor, original)
	if err != nil || a == nil {
		return nil, err
	}
	b, err := h.final(ctx, actor, altered)
	if err != nil || b == nil {
		return nil, err
	}
	return oneWord(a, b), nil
}

func (h *start) final(ctx context.Context, actor exchange.Actor, id exchange.ID) ([]byte, error) {
	_, r, err := h.A.Outbox.Open(ctx, actor, id, exchange.FileFinal)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	if r.Size() > maxCompared {
		return nil, nil
	}
	return io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
}

// oneWord returns the word of digits and letters in which a and b, of one length,
// differ; nil when there is none, or more than one.
func oneWord(a, b []byte) *changedWord {
	if len(a) != len(b) {
		return nil
	}
	at := 0
	for at < len(a) && a[at] == b[at] {
		at++
	}
	if at == len(a) || !wordByte(a[at]) || !wordByte(b[at]) {
		return nil
	}
	from, to := at, at
	for from > 0 && wordByte(a[from-1]) {
		from--
	}
	for to < len(a) && wordByte(a[to]) && wordByte(b[to]) {
		to++
	}
	if to-from > maxWord || !bytes.Equal(a[to:], b[to:]) {
		return nil
	}
	return &changedWord{Before: string(a[from:to]), After: string(b[from:to])}
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
