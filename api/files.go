package api

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"antin/exchange"
	"antin/internal/text"
)

type fileIn struct {
	Name string `query:"name" maxLength:"255"`
	DigestsIn
	Upload upload
}

// DigestsIn names the headers that checked reads, for the description.
type DigestsIn struct {
	ContentDigest string `header:"Content-Digest" maxLength:"1000"`
	ReprDigest    string `header:"Repr-Digest" maxLength:"1000"`
}

type fileBody struct {
	SHA256    exchange.Digest `json:"sha256" pattern:"^[0-9a-f]{64}$"`
	Bytes     int64           `json:"bytes"`
	MediaType string          `json:"media_type"`
	Name      string          `json:"name,omitempty"`
}

type fileOut struct {
	Location string `header:"Location"`
	Body     fileBody
}

type digestIn struct {
	SHA256 string `path:"sha256" maxLength:"200"`
	PartIn
}

func (s *Server) fileRoutes(b *builder) {
	register(b, route{id: "upload-file", method: http.MethodPost, path: "/v1/files", tag: "files", scope: ScopeFilesWrite,
		status: http.StatusCreated, body: fileRequestBody(false), errors: []int{http.StatusServiceUnavailable}}, s.uploadFile)
	register(b, route{id: "get-file", method: http.MethodGet, path: "/v1/files/{sha256}", tag: "files", scope: ScopeFilesRead, returns: octetType}, s.getFile)
}

// uploadFile stores a file. The same bytes again are the same file, so it needs no
// idempotency key.
func (s *Server) uploadFile(ctx context.Context, in *fileIn) (*fileOut, error) {
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	var out fileOut
	err := in.Upload.each(maxFile, func(name string, r io.Reader) error {
		head := &headReader{r: r}
		blob, err := s.Files.Upload(ctx, actor(ctx), head)
		if err != nil {
			return err
		}
		if in.Name != "" {
			name = in.Name
		}
		out.Body = fileBody{SHA256: blob.Digest, Bytes: blob.Size, MediaType: mediaTypeOf(head.head), Name: name}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Location = s.Prefix + "/v1/files/" + string(out.Body.SHA256)
	return &out, nil
}

// getFile returns a file that this agency uploaded. What its documents and its
// inbox hold is reached through them, so that a digest alone opens nothing.
func (s *Server) getFile(ctx context.Context, in *digestIn) (*download, error) {
	r, err := s.Files.Open(ctx, actor(ctx), exchange.Digest(in.SHA256))
	if err != nil {
		return nil, err
	}
	head := make([]byte, pdfHead)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF { //nolint:errorlint // io.ReaderAt returns it bare
		_ = r.Close()
		return nil, text.Errorf(text.Internal, err)
	}
	mediaType, ext := mediaTypeOf(head[:n]), ".bin"
	if mediaType == pdfType {
		ext = ".pdf"
	}
	return newDownload(in.PartIn, r, exchange.Digest(in.SHA256), in.SHA256+ext, mediaType)
}

// pdfHead is within how many bytes a PDF must begin (ISO 32000-2, annex I.3).
const pdfHead = 1024

func mediaTypeOf(head []byte) string {
	if bytes.Contains(head, []byte("%PDF-")) {
		return pdfType
	}
	return octetType
}

// headReader remembers the first bytes that go through it.
type headReader struct {
	r    io.Reader
	head []byte
}

// Read implements io.Reader.
func (h *headReader) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.head = append(h.head, p[:min(n, pdfHead-len(h.head))]...)
	return n, err
}
