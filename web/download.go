package web

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"antin/exchange"
)

// mediaPDF is the only media type that a file is given by name; everything else a
// peer sends is bytes.
const (
	mediaPDF   = "application/pdf"
	mediaBytes = "application/octet-stream"
)

// download sends the bytes of r as a file to keep, never as something to show.
func download(w http.ResponseWriter, req *http.Request, r exchange.BlobReader, name, media string) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", disposition(name))
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(w, req, "", time.Time{}, io.NewSectionReader(r, 0, r.Size()))
}

// disposition is a Content-Disposition (RFC 6266): a plain name for old programs,
// the real one for all others.
func disposition(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\;%`, r) {
			return '_'
		}
		return r
	}, name)
	return fmt.Sprintf(`attachment; filename="%s"; filename*=UTF-8''%s`, plain, strings.ReplaceAll(url.QueryEscape(name), "+", "%20"))
}

// mediaOf is the type under which an attachment is sent on: PDF by its name, else
// bytes, whatever its sender calls it.
func mediaOf(a exchange.Attachment) string {
	if isPDF(a) {
		return mediaPDF
	}
	return mediaBytes
}

func isPDF(a exchange.Attachment) bool {
	t, _, err := mime.ParseMediaType(a.MediaType)
	return err == nil && t == mediaPDF || strings.HasSuffix(strings.ToLower(a.Name), ".pdf")
}
