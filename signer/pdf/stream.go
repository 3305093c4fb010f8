package pdf

import (
	"bytes"
	"compress/zlib"
	"io"
)

// Stream is a stream object: a dictionary and the bytes behind it, which lie in a
// file or in memory and are still encoded as the dictionary says.
type Stream struct {
	// Dict is the stream's dictionary. The writer sets /Length itself.
	Dict *Dict

	r      io.ReaderAt // nil when the bytes are in data
	offset int64
	length int64
	data   []byte
	cipher *streamCipher // of the bytes in the file; nil when they are plain
}

// NewStream returns a stream of data, which is already encoded as dict's /Filter
// says. The data is not copied.
func NewStream(dict *Dict, data []byte) *Stream {
	if dict == nil {
		dict = &Dict{}
	}
	return &Stream{Dict: dict, data: data, length: int64(len(data))}
}

// NewFlateStream returns a stream that holds data compressed, and sets /Filter in
// dict.
func NewFlateStream(dict *Dict, data []byte) *Stream {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(data) // a bytes.Buffer takes everything
	_ = w.Close()
	s := NewStream(dict, b.Bytes())
	s.Dict.Set("Filter", Name("FlateDecode"))
	return s
}

// Len returns the length of the encoded bytes, as they stand in the file.
func (s *Stream) Len() int64 { return s.length }

// Offset returns where the encoded bytes begin in the file, and false for a stream
// made in memory.
func (s *Stream) Offset() (int64, bool) { return s.offset, s.r != nil }

// raw returns a reader of the encoded bytes, which are not encrypted any more.
func (s *Stream) raw() io.Reader {
	if s.r == nil {
		return bytes.NewReader(s.data)
	}
	r := io.NewSectionReader(s.r, s.offset, s.length)
	if s.cipher != nil {
		return s.cipher.open(r)
	}
	return r
}
