package edxml

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"slices"
	"strings"

	"antin/internal/text"
)

// Attachment is one file of a message. Name, Description and ContentType are
// claims of the sender; a name is never a path (see SafeName).
type Attachment struct {
	// ContentID has its cid: prefix as found. Empty in a new message: Write
	// makes one from the document's identifier and the attachment's place.
	ContentID   string
	Name        string
	Description string
	// ContentType is the claimed type of the file itself.
	ContentType string
	// PayloadType is the type that the message claims for the bytes it carries,
	// "application/zip" for a wrapped file. Set by Read, ignored by Write.
	PayloadType string
	// PayloadSize is the size of those bytes. Set by Read.
	PayloadSize int64
	// Wrapped reports that the bytes are a ZIP archive of one file, which Open
	// unwraps. Set by Read.
	Wrapped bool

	line  int
	limit int64
	open  func() (io.ReadCloser, error)
}

// NewAttachment returns an attachment whose bytes open delivers from the start
// each time it is called. contentType is the file's own type.
func NewAttachment(name, contentType string, open func() (io.ReadCloser, error)) Attachment {
	return Attachment{Name: name, ContentType: contentType, open: open}
}

// BytesAttachment is NewAttachment for bytes in memory.
func BytesAttachment(name, contentType string, data []byte) Attachment {
	return NewAttachment(name, contentType, func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	})
}

// Open returns the file: decoded and, if Wrapped, taken out of its archive. Reads
// fail with edxml-malformed when the archive is damaged and with too-large past
// the limits given to Read. The caller closes it.
func (a *Attachment) Open() (*Content, error) {
	payload, err := a.OpenPayload()
	if err != nil {
		return nil, err
	}
	c := &Content{file: payload, src: payload, a: *a, hash: sha256.New()}
	if a.Wrapped {
		entry, err := openZIP(payload, a.limit)
		if err != nil {
			return nil, errors.Join(c.coded(err), payload.Close())
		}
		c.src = entry
	}
	return c, nil
}

// OpenPayload returns the bytes as the message carries them. The caller closes it.
func (a *Attachment) OpenPayload() (io.ReadCloser, error) {
	if a.open == nil {
		return nil, errNoContent
	}
	return a.open()
}

// zipNames are formats that are ZIP archives themselves: one is unwrapped only when the
// wrapping shows (isWrapper).
var zipNames = []string{
	".zip", ".docx", ".xlsx", ".pptx", ".docm", ".xlsm", ".pptm", ".odt", ".ods", ".odp",
	".jar", ".epub", ".asice", ".asics", ".sce", ".scs", ".kmz", ".apk", ".vsdx",
}

func isZIPName(name string) bool {
	return slices.Contains(zipNames, strings.ToLower(path.Ext(name)))
}

// isWrapper reports whether an archive's one entry is named as the SDK names what
// it wraps, <uuid>.<extension of the file>: then even a file that is an archive
// itself was put into another.
func isWrapper(entry, name string) bool {
	const uuid = 36
	return len(entry) > uuid && !strings.ContainsAny(entry, `/\`) && strings.Count(entry[:uuid], "-") == 4 &&
		strings.EqualFold(entry[uuid:], path.Ext(name))
}

// Content is an attachment's file being read. The facts about it are complete
// once Read has returned io.EOF.
type Content struct {
	file io.Closer
	src  io.Reader
	a    Attachment
	hash hash.Hash
	n    int64
	head []byte
	lost lossCounter
	err  error
}

// Read implements io.Reader. Its errors are *text.Error for faults of the message.
func (c *Content) Read(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.src.Read(b)
	c.n += int64(n)
	_, _ = c.hash.Write(b[:n])
	if len(c.head) < sniffLength {
		c.head = append(c.head, b[:min(n, sniffLength-len(c.head))]...)
	}
	c.lost.write(b[:n])
	if err != nil && err != io.EOF { //nolint:errorlint // io.Reader returns it bare
		err = c.coded(err)
	}
	c.err = err
	return n, err
}

// Close implements io.Closer.
func (c *Content) Close() error { return c.file.Close() }

// Size is how many bytes have been read.
func (c *Content) Size() int64 { return c.n }

// SHA256 is the digest of the bytes read so far.
func (c *Content) SHA256() [32]byte { return [32]byte(c.hash.Sum(nil)) }

// MediaType is the type that the first bytes show, "application/octet-stream"
// when they show none. What the sender claims does not count.
func (c *Content) MediaType() string { return sniff(c.head) }

// Destroyed reports that the file was ruined on its way, as by a gateway that
// took binary data for text, with a reason fit for a refusal (status 02).
func (c *Content) Destroyed() (reason text.Message, destroyed bool) {
	binary := isBinary(c.a.Name, c.a.ContentType)
	switch {
	case binary && c.lost.ruined(c.n):
		return text.Get(keyDestroyed, c.a.Name, c.lost.found), true
	case isPDF(c.a.Name, c.a.ContentType) && !bytes.Contains(c.head, []byte("%PDF-")):
		return text.Get(keyDestroyedPDF, c.a.Name), true
	}
	return text.Message{}, false
}

// coded turns a fault of the archive into the message's own error.
func (c *Content) coded(err error) error {
	switch {
	case errors.Is(err, errZIPBomb):
		return coded(text.TooLarge, c.a.line, "ContentTransferEncoded", err, keyZIPBomb, []any{c.a.Name, c.a.limit >> 20})
	case errors.Is(err, errZIP):
		return coded(text.EdXMLMalformed, c.a.line, "ContentTransferEncoded", err, keyZIP, []any{c.a.Name})
	}
	return fmt.Errorf("reading attachment: %w", err)
}

var errZIPBomb = errors.New("ZIP entry grows past its limit")

// payload closes nothing: the source belongs to the caller of Read.
type payload struct{ io.Reader }

func (payload) Close() error { return nil }
