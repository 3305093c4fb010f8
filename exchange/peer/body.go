package peer

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"antin/internal/text"
)

// timed reads a request's body under two clocks: one for each pause, one for the
// whole, so that a peer that drips bytes holds nothing for long.
type timed struct {
	r     io.Reader
	stall time.Duration
	pause *time.Timer
	whole *time.Timer
}

// The ends of a body that is not whole. Neither is an io error: a reader behind
// this one that takes io.ErrUnexpectedEOF for a short end, as io.ReadFull gives
// it, must not take half a message for a whole one.
var (
	errSlow = text.Errorf(text.Interrupted, errors.New("request body came too slowly"))
	errCut  = text.Errorf(text.Interrupted, errors.New("request body was cut off"))
)

func newTimed(w http.ResponseWriter, r *http.Request, l Limits, size int64) *timed {
	c := http.NewResponseController(w)
	// A deadline in the past ends the read that is waiting.
	cut := func() { _ = c.SetReadDeadline(time.Unix(1, 0)) }
	return &timed{r: r.Body, stall: l.Stall, pause: time.AfterFunc(l.Stall, cut), whole: time.AfterFunc(l.whole(size), cut)}
}

// Read implements io.Reader.
func (t *timed) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	if n > 0 {
		t.pause.Reset(t.stall)
	}
	switch {
	case err == nil, err == io.EOF:
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errSlow
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errCut
	}
	return n, err
}

func (t *timed) stop() {
	t.pause.Stop()
	t.whole.Stop()
}
