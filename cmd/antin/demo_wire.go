package main

import (
	"context"
	"io"
	"sync/atomic"

	"antin/exchange"
)

// wire is the line between the demo's agencies. The demo can spoil one message on
// its way, to show what the receiver does about it.
type wire struct {
	exchange.Transport
	spoil   atomic.Bool
	spoiled atomic.Int64
}

// Deliver implements exchange.Transport.
func (w *wire) Deliver(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	if w.spoil.CompareAndSwap(true, false) {
		open := e.Open
		e.Open = func(ctx context.Context) (io.ReadCloser, error) {
			r, err := open(ctx)
			if err != nil {
				return nil, err
			}
			return &spoiler{ReadCloser: r, at: e.Payload.Size / 2}, nil
		}
		w.spoiled.Add(1)
	}
	return w.Transport.Deliver(ctx, to, e)
}

// spoiler flips one bit of the byte at position at.
type spoiler struct {
	io.ReadCloser
	at, pos int64
}

// Read implements io.Reader.
func (s *spoiler) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if i := s.at - s.pos; i >= 0 && i < int64(n) {
		p[i] ^= 1
	}
	s.pos += int64(n)
	return n, err
}
