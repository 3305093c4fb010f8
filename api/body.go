package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/text/unicode/norm"

	"antin/internal/text"
)

const (
	jsonType = "application/json"
	// maxDepth bounds the nesting of a JSON body; ours nest three deep.
	maxDepth = 16
	// bodyPause is how long a client may send nothing in the middle of a body, and
	// slowest the bytes in a second of an office line at its worst: together they say
	// how long a body may take.
	bodyPause = 30 * time.Second
	slowest   = 100 << 10
)

// readJSON reads the body before huma does: bounded in bytes, depth and time, in
// UTF-8, each member once, its texts normalised to NFC and free of characters
// that control how text is shown. What it hands on is the same JSON, cleaned.
func (s *Server) readJSON(limit int64) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		raw, err := readAll(ctx, limit)
		if err == nil {
			raw, err = cleanJSON(ctx.Header("Content-Type"), raw)
		}
		if err != nil {
			s.refuse(ctx, err)
			return
		}
		next(&withBody{humaContext: huma.WithValue(ctx, rawBodyKey{}, raw), body: bytes.NewReader(raw)})
	}
}

// rawBodyKey finds the cleaned body in a request's context.
type rawBodyKey struct{}

type humaContext huma.Context

// withBody is a request whose body was read already.
type withBody struct {
	humaContext
	body io.Reader
}

// BodyReader implements huma.Context.
func (c *withBody) BodyReader() io.Reader { return c.body }

// Unwrap gives adapters the context below.
func (c *withBody) Unwrap() huma.Context { return c.humaContext }

// readAll reads at most limit bytes of the body; too-large when there are more.
func readAll(ctx huma.Context, limit int64) ([]byte, error) {
	if n, err := strconv.ParseInt(ctx.Header("Content-Length"), 10, 64); err == nil && n > limit {
		return nil, tooLarge(limit)
	}
	body := newBodyReader(ctx, limit)
	defer body.stop()
	r, err := checked(ctx, body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func tooLarge(limit int64) error {
	if limit < 1<<20 {
		return text.Detailed(text.TooLarge, nil, "api.limit-kb", limit>>10)
	}
	return text.Detailed(text.TooLarge, nil, "api.limit", limit>>20)
}

// bodyReader reads a request body: at most left bytes, and no longer than a
// patient server may wait.
type bodyReader struct {
	r            io.Reader
	left, limit  int64
	pause, total *time.Timer
	err          error
}

func newBodyReader(ctx huma.Context, limit int64) *bodyReader {
	// A time long past interrupts a read under way; net/http does the same.
	interrupt := func() { _ = ctx.SetReadDeadline(time.Unix(1, 0)) }
	r := ctx.BodyReader()
	if r == nil {
		r = http.NoBody
	}
	total := bodyPause + time.Duration(limit/slowest)*time.Second
	return &bodyReader{r: r, left: limit, limit: limit, pause: time.AfterFunc(bodyPause, interrupt), total: time.AfterFunc(total, interrupt)}
}

// Read implements io.Reader. Its errors are coded: too-large; file-unreadable when
// the client stops or is cut off.
func (b *bodyReader) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	b.pause.Reset(bodyPause)
	if b.left -= int64(n); b.left < 0 {
		n, err = 0, tooLarge(b.limit)
	} else if err != nil && !errors.Is(err, io.EOF) {
		err = cutOff(err)
	}
	b.err = err
	return n, err
}

// stop ends the timers; the connection may then stay open for another request.
func (b *bodyReader) stop() {
	b.pause.Stop()
	b.total.Stop()
}

func cutOff(err error) error {
	r := &refusal{err: text.Detailed(text.FileUnreadable, err, "api.cut-off")}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		r.status = http.StatusRequestTimeout
	}
	return r
}

// mediaTypeError names what an operation takes.
func mediaTypeError(takes string) error {
	return &refusal{err: text.Detailed(text.InvalidInput, nil, "api.media-type", takes), status: http.StatusUnsupportedMediaType}
}

func cleanJSON(contentType string, raw []byte) ([]byte, error) {
	if mt, _, err := mime.ParseMediaType(contentType); err != nil || mt != jsonType {
		return nil, mediaTypeError(jsonType)
	}
	if !utf8.Valid(raw) {
		return nil, badRequest("", "api.not-utf8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := cleanValue(d, "", 0)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errSyntax
		}
	}
	var coded *refusal
	switch {
	case errors.As(err, &coded):
		return nil, coded
	case err != nil:
		return nil, badRequest("", "api.not-json")
	}
	out, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing cleaned body: %w", err)
	}
	return out, nil
}

// pointerEscape is RFC 6901, 3.
var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

var errSyntax = errors.New("not one JSON value")

// cleanValue reads one value of d, which stands at pointer.
func cleanValue(d *json.Decoder, pointer string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, badRequest(pointer, "api.too-deep", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case nil: // what is not there is left out
		return nil, invalid(pointer, faultValue)
	case json.Delim:
		if t == '{' {
			return cleanObject(d, pointer, depth)
		}
		return cleanArray(d, pointer, depth)
	case string:
		if !showable(t) {
			return nil, invalid(pointer, faultValue)
		}
		return norm.NFC.String(t), nil
	}
	return t, nil
}

func cleanObject(d *json.Decoder, pointer string, depth int) (any, error) {
	m := map[string]any{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, errSyntax
		}
		at := pointer + "/" + pointerEscape.Replace(name)
		if !memberName(name) {
			return nil, invalid(at, faultUnknown)
		}
		if _, twice := m[name]; twice {
			return nil, badRequest(at, "api.twice")
		}
		if m[name], err = cleanValue(d, at, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return m, err
}

// memberName reports whether name could be one of ours: lower case, ASCII. The
// decoders behind would take "Subject" for "subject" and so see twice what stands
// here once.
func memberName(name string) bool {
	for _, b := range []byte(name) {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '_' {
			return false
		}
	}
	return name != ""
}

func cleanArray(d *json.Decoder, pointer string, depth int) (any, error) {
	a := []any{}
	for i := 0; d.More(); i++ {
		v, err := cleanValue(d, pointer+"/"+strconv.Itoa(i), depth+1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := d.Token()
	return a, err
}

// showable reports whether s holds no control character but line breaks and tabs,
// and none that turns the direction of writing, which could make a reader see
// another text than the one decided on.
func showable(s string) bool {
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
		case unicode.IsControl(r), r == utf8.RuneError, r == '\u061c', r == '\u200e', r == '\u200f',
			r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return false
		}
	}
	return true
}
