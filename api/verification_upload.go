package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"antin/exchange"
	"antin/signer/validation"
)

// signatureTypes are what a signature that is a file of its own may be sent as (RFC 5751).
var signatureTypes = []string{"application/pkcs7-signature", "application/pkcs7-mime"}

// judgedFile is a file to be verified: a document, or a signature with the content that
// it is over where that is a file of its own.
type judgedFile struct {
	name    string
	data    []byte
	content []byte // nil where none came
}

// judged reads what is to be verified: one file raw, or a form with the parts "file" and
// "content". Both together have at most limit bytes.
func (u *upload) judged(limit int64) (judgedFile, error) {
	mt, params, err := mime.ParseMediaType(u.contentType)
	if err != nil {
		return judgedFile{}, mediaTypeError(uploadTypes)
	}
	allowed := limit
	if mt == formType {
		allowed += formOverhead
	}
	if u.length > allowed {
		return judgedFile{}, tooLarge(limit)
	}
	body := newBodyReader(u.ctx, allowed)
	body.limit = limit
	defer body.stop()
	r, err := checked(u.ctx, body)
	if err != nil {
		return judgedFile{}, err
	}
	switch {
	case mt == pdfType, mt == octetType, slices.Contains(signatureTypes, mt):
		data, err := io.ReadAll(r)
		return judgedFile{data: data}, err
	case mt == formType:
		return judgedForm(body, r, params["boundary"], limit)
	}
	return judgedFile{}, mediaTypeError(uploadTypes)
}

// judgedForm reads the form to its end, so that one that was cut off is never taken for
// a whole one. The parts come in either order, each once.
func judgedForm(body *bodyReader, r io.Reader, boundary string, limit int64) (f judgedFile, err error) {
	if boundary == "" {
		return f, badRequest("header/Content-Type", "api.not-form")
	}
	form, left := multipart.NewReader(r, boundary), limit
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f, formError(body, err)
		}
		into := map[string]*[]byte{"file": &f.data, "content": &f.content}[part.FormName()]
		if into == nil || *into != nil {
			return f, badRequest("/"+pointerEscape.Replace(safeName(part.FormName())), "api.file-and-content")
		}
		if *into, err = io.ReadAll(&formPart{part: part, body: body, left: left, limit: limit}); err != nil {
			return f, err
		}
		left -= int64(len(*into))
		if into == &f.data {
			f.name = safeName(part.FileName())
		}
	}
	if f.data == nil {
		return f, badRequest("/file", "api.no-file")
	}
	_, err = io.Copy(io.Discard, r) // to its end, where its digest shows
	return f, err
}

// verifySent judges a file that came with the request.
func (s *Server) verifySent(ctx context.Context, in *verifyIn) (*reportOut, error) {
	f, err := in.Upload.judged(maxVerified)
	if err != nil {
		return nil, err
	}
	if in.Name != "" {
		f.name = in.Name
	}
	over := validation.CMSInput{Input: validation.Input{Reader: bytes.NewReader(f.data), Size: int64(len(f.data)), Name: f.name}}
	if f.content != nil {
		over.Content, over.ContentSize = bytes.NewReader(f.content), int64(len(f.content))
	}
	return s.judge(ctx, over, exchange.DigestOf(f.data), "/content")
}

// contentUnused refuses a content beside a file that holds its signatures inside, by the
// name of the member in which it came.
func contentUnused(in validation.CMSInput, member string) error {
	if in.Content == nil {
		return nil
	}
	head := make([]byte, min(sniffed, in.Size))
	if n, err := in.Reader.ReadAt(head, 0); validation.IsCMS(head[:n]) || (err != nil && !errors.Is(err, io.EOF)) {
		return nil
	}
	return badRequest(member, "validation.content_unused", in.Name)
}

// sniffed is how much of a file tells whether it is a signature, in bytes.
const sniffed = 64

// verifyRequestBody describes what a verification takes.
func verifyRequestBody() *huma.RequestBody {
	b := fileRequestBody(true)
	b.Content[formType].Schema.Properties["content"] = binary()
	sum := b.Content[jsonType].Schema.Properties["sha256"]
	b.Content[jsonType].Schema.Properties["content_sha256"] = sum
	for _, mt := range signatureTypes {
		b.Content[mt] = &huma.MediaType{Schema: binary()}
	}
	return b
}
