package api

import (
	"io"
	"mime"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"antin/exchange"
)

// download is an answer that is a file. Browsers are told to save it and not to
// look into it: it may be anything.
type download struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	ContentLength      string `header:"Content-Length"`
	ContentPolicy      string `header:"Content-Security-Policy"`
	ETag               string `header:"ETag"`
	Body               func(huma.Context)
}

// newDownload answers with the bytes of r, which it closes, under name.
func newDownload(r exchange.BlobReader, d exchange.Digest, name, mediaType string) *download {
	return &download{
		ContentType: mediaType, ContentDisposition: mime.FormatMediaType("attachment", map[string]string{"filename": name}),
		ContentLength: strconv.FormatInt(r.Size(), 10), ContentPolicy: "default-src 'none'; sandbox", ETag: `"` + string(d) + `"`,
		Body: func(ctx huma.Context) {
			defer func() { _ = r.Close() }()
			// A short copy leaves the connection closed before Content-Length, which is how
			// a client learns that the file is not whole.
			_, _ = io.Copy(ctx.BodyWriter(), io.NewSectionReader(r, 0, r.Size()))
		},
	}
}
