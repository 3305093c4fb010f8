package edxml

import (
	"archive/zip"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"antin/internal/text"
)

// attachmentsOf writes the encoded files, in the default namespace as the SDK
// does, but for the content element that it prefixes again.
func (e *emitter) attachmentsOf(list []Attachment, o WriteOptions) error {
	if len(list) == 0 && !e.holds(pathAttachments) {
		return e.err
	}
	e.open("AttachmentEncoded")
	for i := range list {
		if err := e.attachment(&list[i], i, o); err != nil {
			return err
		}
	}
	e.kept(pathAttachments, "")
	e.close("AttachmentEncoded")
	return e.err
}

func (e *emitter) attachment(a *Attachment, i int, o WriteOptions) error {
	const tag = "edXML:ContentTransferEncoded"
	payloadType := a.ContentType
	if !o.Raw {
		payloadType = "application/zip"
	}
	e.open("Attachment")
	e.leaf("ContentId", a.ContentID)
	e.leaf("AttachmentName", a.Name)
	e.leaf("Description", a.Description)
	e.leaf("ContentType", payloadType)
	e.kept(indexed(pathAttachments, "Attachment", i+1), "")
	e.raw(strings.Repeat("  ", e.depth) + "<" + tag + ` xmlns:edXML="` + Namespace + `">`)
	if e.err != nil {
		return e.err
	}
	if err := encodeAttachment(e.w, a, o); err != nil {
		return err
	}
	e.raw("</" + tag + ">\n")
	e.close("Attachment")
	return e.err
}

// encodeAttachment streams the file through archive and encoder.
func encodeAttachment(w io.Writer, a *Attachment, o WriteOptions) (err error) {
	c, err := a.Open()
	if err != nil {
		return fmt.Errorf("opening attachment %q: %w", a.Name, err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	enc := base64.NewEncoder(base64.StdEncoding, w)
	if o.Raw {
		err = copyBounded(enc, c, a, o)
	} else {
		err = wrap(enc, c, a, o)
	}
	return errors.Join(err, enc.Close())
}

// wrap writes the archive of one entry named <uuid>.<extension>.
func wrap(w io.Writer, c *Content, a *Attachment, o WriteOptions) error {
	zw := zip.NewWriter(w)
	zw.RegisterCompressor(zip.Deflate, huffman)
	entry, err := zw.CreateHeader(&zip.FileHeader{
		Name:     madeUUID("entry", a.ContentID, a.Name) + extension(a.Name),
		Method:   zip.Deflate,
		Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), // the format's first day: same message, same bytes
	})
	if err != nil {
		return fmt.Errorf("wrapping attachment %q: %w", a.Name, err)
	}
	if err := copyBounded(entry, c, a, o); err != nil {
		return err
	}
	if err := zw.Close(); err != nil {
		return fmt.Errorf("wrapping attachment %q: %w", a.Name, err)
	}
	return nil
}

// huffman compresses without looking for repeats. Nearly every attachment is a
// PDF, compressed already, where the search costs seconds and saves nothing; and
// as it cannot shrink more than eightfold, no receiver takes our archive for a bomb.
func huffman(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.HuffmanOnly) }

func copyBounded(w io.Writer, c *Content, a *Attachment, o WriteOptions) error {
	n, err := io.Copy(w, io.LimitReader(c, o.MaxAttachment+1))
	if err != nil {
		return fmt.Errorf("copying attachment %q: %w", a.Name, err)
	}
	if n > o.MaxAttachment {
		return text.Detailed(text.TooLarge, nil, keyWriteTooLarge, a.Name, o.MaxAttachment>>20)
	}
	return nil
}

// extension is the ASCII extension of a name, empty when it is none.
func extension(name string) string {
	const most = 10 // the longest in use is .asice; more is part of a sentence
	ext := path.Ext(name)
	if len(ext) > most || strings.ContainsFunc(ext, func(r rune) bool {
		return r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return ""
	}
	return ext
}
