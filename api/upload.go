package api

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strconv"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"antin/internal/text"
)

const (
	pdfType   = "application/pdf"
	octetType = "application/octet-stream"
	formType  = "multipart/form-data"
	// uploadTypes is what an operation that takes a file takes.
	uploadTypes = pdfType + ", " + octetType + ", " + formType

	// maxFile bounds an uploaded file, in bytes: what one transfer may carry.
	maxFile = 200 << 20
	// formOverhead is what the parts around a file in a form may take.
	formOverhead = 64 << 10
	// maxName bounds a file's name, in bytes, as file systems do.
	maxName = 255
)

// upload is the request body of an operation that takes a file: raw, or as the
// part "file" of a form. It is read as it comes, by the handler.
type upload struct {
	contentType string
	length      int64 // -1: not stated
	ctx         huma.Context
}

// Resolve implements huma.Resolver: it keeps what the handler reads later.
func (u *upload) Resolve(ctx huma.Context) []error {
	u.ctx, u.contentType, u.length = ctx, ctx.Header("Content-Type"), -1
	if n, err := strconv.ParseInt(ctx.Header("Content-Length"), 10, 64); err == nil {
		u.length = n
	}
	return nil
}

// is reports whether the body is of that media type.
func (u *upload) is(mediaType string) bool {
	mt, _, err := mime.ParseMediaType(u.contentType)
	return err == nil && mt == mediaType
}

// each calls take with the file and its name ("" when not told) as they arrive. The
// file ends in too-large behind limit bytes.
func (u *upload) each(limit int64, take func(name string, r io.Reader) error) error {
	mt, params, err := mime.ParseMediaType(u.contentType)
	if err != nil {
		return mediaTypeError(uploadTypes)
	}
	allowed := limit
	if mt == formType {
		allowed += formOverhead
	}
	if u.length > allowed {
		return tooLarge(limit)
	}
	body := newBodyReader(u.ctx, allowed)
	body.limit = limit
	defer body.stop()
	r, err := checked(u.ctx, body)
	if err != nil {
		return err
	}
	switch mt {
	case pdfType, octetType:
		return take("", r)
	case formType:
		return formFile(body, r, params["boundary"], limit, take)
	}
	return mediaTypeError(uploadTypes)
}

// formFile takes the form's one part, "file", and reads the form to its end, so that a form
// that was cut off is never taken for a whole one.
func formFile(body *bodyReader, r io.Reader, boundary string, limit int64, take func(string, io.Reader) error) error {
	if boundary == "" {
		return badRequest("header/Content-Type", "api.not-form")
	}
	form := multipart.NewReader(r, boundary)
	part, err := form.NextPart()
	switch {
	case errors.Is(err, io.EOF):
		return badRequest("/file", "api.no-file")
	case err != nil:
		return formError(body, err)
	case part.FormName() != "file":
		return notTheFile(part)
	}
	if err := take(safeName(part.FileName()), &formPart{part: part, body: body, left: limit, limit: limit}); err != nil {
		return err
	}
	switch part, err := form.NextPart(); {
	case err == nil:
		return notTheFile(part)
	case !errors.Is(err, io.EOF):
		return formError(body, err)
	}
	_, err = io.Copy(io.Discard, r) // to its end, where its digest shows
	return err
}

// notTheFile refuses a part that is no member of our form.
func notTheFile(part *multipart.Part) error {
	return badRequest("/"+pointerEscape.Replace(safeName(part.FormName())), "api.one-file")
}

// formError prefers the reason why the body ended to multipart's word on it.
func formError(body *bodyReader, err error) error {
	if body.err != nil && !errors.Is(body.err, io.EOF) {
		return body.err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return cutOff(err)
	}
	var coded *refusal
	if errors.As(err, &coded) {
		return coded
	}
	return badRequest("", "api.not-form")
}

// formPart reads the file of a form, at most left bytes of it.
type formPart struct {
	part        *multipart.Part
	body        *bodyReader
	left, limit int64
}

// Read implements io.Reader.
func (f *formPart) Read(p []byte) (int, error) {
	n, err := f.part.Read(p)
	if f.left -= int64(n); f.left < 0 {
		return 0, tooLarge(f.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = formError(f.body, err)
	}
	return n, err
}

// safeName returns a name that may be shown; "" for one that may not.
func safeName(name string) string {
	if len(name) > maxName || !utf8.ValidString(name) || !showable(name) {
		return ""
	}
	return name
}

// checkName checks a name given as a parameter.
func checkName(name string) error {
	if name != "" && safeName(name) == "" {
		return &refusal{err: text.Errorf(text.InvalidInput, nil), fields: []fault{newFault("query/name", faultValue)}}
	}
	return nil
}
