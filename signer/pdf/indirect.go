package pdf

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
)

// maxSearch is how far the end of a stream whose /Length is wrong is searched.
const maxSearch = 64 << 20

// indirect is one indirect object as it stands in the file.
type indirect struct {
	ref         Ref
	object      Object
	start, end  int64 // of "n g obj ... endobj"
	lengthWrong bool  // the stream's /Length did not lead to endstream
	noEnd       bool  // endobj is missing
	// contents are the bytes of the value of /Contents, when object is a dictionary
	// that has it.
	contents [2]int64
	from     keptFrom // set when it is kept
}

// body is the bytes of a file, or of one of its revisions, with the limits for
// reading them.
type body struct {
	r   io.ReaderAt
	end int64 // nothing at or past it is read
	lim *Limits
	// searched counts the bytes passed in search of the ends of streams, so that
	// many streams with wrong lengths cannot cost the square of the file.
	searched *atomic.Int64
	// decoded counts the bytes that filters have put out.
	decoded *atomic.Int64
	// idle holds sources whose windows wait for the next object.
	idle *sync.Pool
}

// searchesPerByte bounds those searches, in multiples of the file's size.
const searchesPerByte = 64

// readIndirect reads the indirect object at off (ISO 32000-2, 7.3.10). length
// gives the value of a stream's /Length, and false when it has none.
func (b *body) readIndirect(off int64, length func(Object) (int64, bool)) (*indirect, error) {
	src := b.open(off, min(b.end, off+b.lim.ObjectLen))
	defer b.close(src)
	ind, err := readHeader(src)
	if err != nil {
		return nil, err
	}
	p := parser{src: src, lim: b.lim}
	src.skipSpace()
	if src.literal("endobj") { // an empty object reads as null
		ind.object, ind.end = Null{}, src.offset()
		return ind, nil
	}
	if ind.object, err = p.object(0); err != nil {
		if src.err == nil && src.offset() >= src.end && src.end < b.end {
			err = exceeded("object %s is longer than %d bytes", ind.ref, b.lim.ObjectLen)
		}
		return nil, err
	}
	ind.contents = p.contents
	after := src.offset()
	src.skipSpace()
	if dict, ok := ind.object.(*Dict); ok && src.literal("stream") {
		if err := ind.stream(b, src, dict, length); err != nil {
			return nil, err
		}
		after = src.offset()
		src.skipSpace()
	}
	if src.literal("endobj") {
		after = src.offset()
	} else {
		ind.noEnd = true
	}
	ind.end = after
	return ind, src.err
}

// readHeader reads "n g obj".
func readHeader(src *source) (*indirect, error) {
	src.skipSpace()
	ind := &indirect{start: src.offset()}
	num, ok := src.digits()
	src.skipSpace()
	gen, ok2 := src.digits()
	src.skipSpace()
	if !ok || !ok2 || !src.literal("obj") || num > maxNumber || gen > maxGeneration {
		if src.err != nil {
			return nil, src.err
		}
		return nil, needsRepair("no object begins at %d", ind.start)
	}
	ind.ref = Ref{int(num), int(gen)}
	return ind, nil
}

// stream reads the bytes behind dict: src stands after the keyword. The length is
// trusted when endstream follows it; else the end is searched.
func (ind *indirect) stream(b *body, src *source, dict *Dict, length func(Object) (int64, bool)) error {
	src.end = b.end
	for c, ok := src.peek(); ok && (c == ' ' || c == '\t'); c, ok = src.peek() {
		src.pos++ // blanks before the end-of-line marker, which readers forgive
	}
	src.skipEOL()
	st := &Stream{Dict: dict, r: b.r, offset: src.offset()}
	ind.object = st
	n, ok := length(dict.Get("Length"))
	if ok && n >= 0 && n <= b.end-st.offset {
		src.seek(st.offset + n)
		src.skipBlank()
		if src.literal("endstream") {
			st.length = n
			return nil
		}
	}
	ind.lengthWrong = true
	at, err := b.searchEnd(st.offset, min(b.end, st.offset+maxSearch))
	if err != nil {
		return err
	}
	if at < 0 {
		return malformed("stream %s has no end", ind.ref)
	}
	src.seek(at)
	src.literal("endstream")
	st.length = trimEOL(b.r, st.offset, at)
	return src.err
}

// searchEnd returns the offset of the first endstream in [from, end), -1 when there
// is none.
func (b *body) searchEnd(from, end int64) (int64, error) {
	const word = "endstream"
	w := make([]byte, firstWindow)
	for from < end {
		w = w[:min(int64(cap(w)), end-from)]
		if b.searched.Add(int64(len(w))) > searchesPerByte*(b.end+maxSearch/searchesPerByte) {
			return -1, exceeded("too many streams with a wrong length")
		}
		if err := readFull(b.r, w, from); err != nil {
			return -1, err
		}
		if i := bytes.Index(w, []byte(word)); i >= 0 {
			return from + int64(i), nil
		}
		if from+int64(len(w)) >= end {
			break
		}
		from += int64(len(w) - len(word) + 1)
		if cap(w) < lastWindow {
			w = make([]byte, 4*cap(w))
		}
	}
	return -1, nil
}

// trimEOL returns the length of the bytes from from to at without the end-of-line
// marker before at.
func trimEOL(r io.ReaderAt, from, at int64) int64 {
	tail := make([]byte, min(2, at-from))
	if readFull(r, tail, at-int64(len(tail))) != nil {
		return at - from
	}
	n := at - from
	if k := len(tail); k > 0 && (tail[k-1] == '\n' || tail[k-1] == '\r') {
		n--
		if k > 1 && tail[k-1] == '\n' && tail[k-2] == '\r' {
			n--
		}
	}
	return n
}
