package api

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"antin/exchange"
	"antin/internal/text"
)

// PartIn is what a request may say on how much of a file it wants.
type PartIn struct {
	Range       string `header:"Range" maxLength:"200"`
	IfRange     string `header:"If-Range" maxLength:"200"`
	IfNoneMatch string `header:"If-None-Match" maxLength:"2000"`
}

// download is an answer that is a file, or a part of one. Browsers are told to save
// it and not to look into it: it may be anything.
type download struct {
	Status             int
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	ContentLength      string `header:"Content-Length"`
	ContentRange       string `header:"Content-Range"`
	AcceptRanges       string `header:"Accept-Ranges"`
	ContentPolicy      string `header:"Content-Security-Policy"`
	ETag               string `header:"ETag"`
	Body               func(huma.Context)
}

// newDownload answers with the bytes of r, which it closes, under name: all of
// them, or the one range that in asks for.
func newDownload(in PartIn, r exchange.BlobReader, d exchange.Digest, name, mediaType string) (*download, error) {
	out := &download{Status: http.StatusOK, AcceptRanges: "bytes", ContentPolicy: "default-src 'none'; sandbox",
		Body: func(ctx huma.Context) { ctx.SetStatus(http.StatusNotModified) }}
	if d != "" { // what is composed anew each time has no tag
		out.ETag = `"` + string(d) + `"`
	}
	if in.IfNoneMatch != "" && out.ETag != "" && noneMatch(in.IfNoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
		return out, r.Close()
	}
	from, length := int64(0), r.Size()
	if in.Range != "" && (in.IfRange == "" || in.IfRange == out.ETag) {
		first, n, understood := byteRange(in.Range, r.Size())
		switch {
		case understood && n == 0:
			_ = r.Close()
			return nil, &refusal{err: text.Detailed(text.InvalidInput, nil, "api.range"), status: http.StatusRequestedRangeNotSatisfiable,
				header: http.Header{"Content-Range": {"bytes */" + strconv.FormatInt(r.Size(), 10)}},
				fields: []fault{newFault("header/Range", faultValue)}}
		case understood:
			from, length, out.Status = first, n, http.StatusPartialContent
			out.ContentRange = "bytes " + strconv.FormatInt(from, 10) + "-" + strconv.FormatInt(from+length-1, 10) + "/" + strconv.FormatInt(r.Size(), 10)
		}
	}
	out.ContentType, out.ContentDisposition = mediaType, mime.FormatMediaType("attachment", map[string]string{"filename": name})
	out.ContentLength = strconv.FormatInt(length, 10)
	out.Body = func(ctx huma.Context) {
		defer func() { _ = r.Close() }()
		ctx.SetStatus(out.Status)
		// A short copy leaves the connection closed before Content-Length, which is how
		// a client learns that the file is not whole.
		_, _ = io.Copy(ctx.BodyWriter(), io.NewSectionReader(r, from, length))
	}
	return out, nil
}

// byteRange reads a Range header (RFC 9110, 14.1.2) for size bytes. understood is
// false for one that is to be ignored: malformed, of another unit, or of several
// ranges. n is 0 for a range that lies behind the end.
func byteRange(header string, size int64) (first, n int64, understood bool) {
	unit, spec, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		return 0, 0, false
	}
	a, b, ok := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !digits(a) || !digits(b) || a == "" && b == "" {
		return 0, 0, false
	}
	if a == "" { // the last b bytes
		last, err := strconv.ParseInt(b, 10, 64)
		if err != nil || last > size {
			last = size
		}
		return size - last, last, true
	}
	first, err := strconv.ParseInt(a, 10, 64)
	if err != nil || first >= size {
		return 0, 0, true
	}
	end := size - 1
	if b != "" {
		if last, err := strconv.ParseInt(b, 10, 64); err == nil {
			if last < first {
				return 0, 0, false
			}
			end = min(end, last)
		}
	}
	return first, end - first + 1, true
}

func digits(s string) bool {
	for _, b := range []byte(s) {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}
