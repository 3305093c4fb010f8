package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"

	"antin/internal/text"
)

// maxFormParts bounds the parts of an upload form.
const maxFormParts = 8

// formOverhead is what multipart adds around a file, in bytes.
const formOverhead = 64 << 10

// uploaded is a form with one file, held in memory and nowhere else.
type uploaded struct {
	name   string
	data   []byte
	values map[string]string
}

// sane refuses values that no page put there.
func (u uploaded) sane() error {
	values := url.Values{}
	for name, v := range u.values {
		values.Set(name, v)
	}
	return saneForm(values)
}

// errTooLarge says that a file is over MaxUpload.
func errTooLarge(err error) error {
	return text.Detailed(text.TooLarge, err, "web.upload.limit", MaxUpload>>20)
}

// readUpload reads a multipart form with a file in the field "file". A form
// without a file has a nil data.
func readUpload(w http.ResponseWriter, r *http.Request) (uploaded, error) {
	u := uploaded{values: map[string]string{}}
	body := r.Body
	if r.ContentLength > MaxUpload+formOverhead {
		drain(w, body)
		return u, errTooLarge(nil)
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return u, text.Errorf(text.InvalidInput, err)
	}
	for range maxFormParts {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return u, u.sane()
		}
		if err != nil {
			return u, tooLargeOr(w, body, err)
		}
		if part.FormName() != "file" {
			b, err := io.ReadAll(io.LimitReader(part, maxForm))
			if err != nil {
				return u, tooLargeOr(w, body, err)
			}
			u.values[part.FormName()] = string(b)
			continue
		}
		data, err := readFile(part)
		if err != nil {
			return u, tooLargeOr(w, body, err)
		}
		if part.FileName() != "" && len(data) > 0 {
			u.name, u.data = part.FileName(), data
		}
	}
	return u, text.Errorf(text.InvalidInput, nil)
}

// readFile reads one file into memory, which grows with what really comes.
func readFile(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(r, MaxUpload+1)); err != nil {
		return nil, err
	}
	if b.Len() > MaxUpload {
		return nil, errTooLarge(nil)
	}
	return b.Bytes(), nil
}

func tooLargeOr(w http.ResponseWriter, body io.Reader, err error) error {
	var limit *http.MaxBytesError
	if errors.As(err, &limit) || text.CodeOf(err) == text.TooLarge {
		drain(w, body)
		return errTooLarge(err)
	}
	return text.Errorf(text.InvalidInput, err)
}

// drain reads on to the body's bound and lets go of the connection afterwards.
func drain(w http.ResponseWriter, body io.Reader) {
	w.Header().Set("Connection", "close")
	_, _ = io.Copy(io.Discard, body)
}
