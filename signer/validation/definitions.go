package validation

import (
	"bytes"
	"io"
	"strconv"
	"sync/atomic"

	"antin/signer/pdf"
)

const (
	// maxNumber is the highest object number that the search tells apart.
	maxNumber = 1 << 23
	// aheadFrom is from how many bytes on definitions are searched on another core
	// while this one hashes: less takes less time than starting it.
	aheadFrom = 256 << 10
)

// definition is a place that spells "n g obj".
type definition struct {
	num int
	at  int64
}

// searchLimit is how many bytes of one revision are searched for definitions.
func searchLimit(later bool) int64 {
	if later {
		return maxSearchedLater
	}
	return maxSearched
}

// aheadSearch is the search for definitions, made while the file is hashed. It takes
// part in no judgement: what it finds is looked at where checkReaders would.
type aheadSearch struct {
	done  chan struct{}
	stop  atomic.Bool
	found [][]definition // by revision
}

// searchAhead begins the search in every revision and returns what ends it, which must
// be called before the file is given back.
func (v *validation) searchAhead() (end func()) {
	first := v.firstSigned()
	if first < 0 || v.in.Survey.rest(v.in.Size) < aheadFrom {
		return func() {}
	}
	a := &aheadSearch{done: make(chan struct{}), found: make([][]definition, len(v.revs))}
	searches := make([]func(), 0, len(v.revs))
	begin, scratch := int64(0), []byte(nil)
	for i, rev := range v.revs {
		from := begin
		if _, surveyed := v.in.Survey.in(i, from, rev.End); !surveyed && rev.End-from <= searchLimit(i > first) {
			known := v.inPlace(i) // here, since it opens the revision
			searches = append(searches, func() { a.found[i] = definitions(v.in.Reader, from, rev.End, known, &a.stop, &scratch) })
		}
		begin = rev.End
	}
	v.ahead = a
	go func() {
		defer close(a.done)
		for _, search := range searches {
			search()
		}
	}()
	return func() {
		a.stop.Store(true)
		<-a.done
	}
}

// definitionsIn lists the places between two offsets, those of revision i, that spell
// "n g obj", but for those that are in place.
func (v *validation) definitionsIn(i int, from, to int64) []definition {
	found, known := v.in.Survey.in(i, from, to)
	if known {
		return found
	}
	if v.ahead != nil {
		<-v.ahead.done
		found = v.ahead.found[i]
	} else {
		found = definitions(v.in.Reader, from, to, v.inPlace(i), nil, &v.scratch)
	}
	if v.searched == nil {
		v.searched = make([]surveyed, len(v.revs))
	}
	v.searched[i] = surveyed{from, to, found}
	return found
}

// placed knows the definitions that a revision lists where they stand: all but a few
// of most files, which need no closer look.
type placed struct {
	file    *pdf.File // nil when the revision cannot be read
	streams []int     // the numbers of its own cross-reference streams
}

// inPlace is what revision i lists.
func (v *validation) inPlace(i int) placed {
	f, err := v.revision(i)
	if err != nil {
		return placed{}
	}
	p := placed{file: f}
	for _, section := range v.revs[i].Sections {
		if section.Ref.Num != 0 {
			p.streams = append(p.streams, section.Ref.Num)
		}
	}
	return p
}

func (p placed) has(num int, at int64) bool {
	if p.file == nil || !p.file.Places(num, at) {
		return false
	}
	for _, n := range p.streams {
		if n == num {
			return false
		}
	}
	return true
}

// definitions searches r between two offsets, with scratch to read into. stop, where
// set, ends it early, when nobody asks for the result any more.
func definitions(r io.ReaderAt, from, to int64, known placed, stop *atomic.Bool, scratch *[]byte) []definition {
	var list []definition
	const before = 24 // room for two numbers in front of the word
	buf := room(scratch, int(before+min(chunkSize, to-from)+2))
	for at := from; at < to && (stop == nil || !stop.Load()); at += chunkSize {
		start := max(from, at-before)
		window := buf[:min(at+chunkSize+2, to)-start]
		if n, err := r.ReadAt(window, start); n < len(window) && err != nil {
			return list
		}
		for p := 0; p < len(window); p++ {
			n := bytes.IndexByte(window[p:], 'b') // rarer than what surrounds it
			if n < 0 {
				break
			}
			p += n
			if p < 1 || p+1 >= len(window) || window[p-1] != 'o' || window[p+1] != 'j' || start+int64(p) < at && at > from {
				continue
			}
			num, begin, ok := numbered(window[:p-1])
			if ok && !known.has(num, start+int64(begin)) {
				list = append(list, definition{num, start + int64(begin)})
			}
		}
	}
	return list
}

// numbered reads the "n g " that ends b; begin is where n does.
func numbered(b []byte) (num, begin int, ok bool) {
	if n := len(b); n < 4 || b[n-1] != ' ' || b[n-2] != '0' || b[n-3] != ' ' {
		return numberedLoosely(b)
	}
	const digits = 8 // as many as an object number may have
	end := len(b) - len(" 0 ")
	for begin, unit := end-1, 1; begin >= 0; begin-- {
		c := b[begin] - '0'
		if c > 9 && begin+1 == end {
			break // more white space
		}
		if c > 9 {
			return num, begin + 1, num > 0 && num < maxNumber
		}
		if end-begin > digits {
			break
		}
		num, unit = num+int(c)*unit, unit*10
	}
	return numberedLoosely(b)
}

// numberedLoosely is numbered for any white space and generation.
func numberedLoosely(b []byte) (num, begin int, ok bool) {
	end := blanks(b)
	gen := digits(b[:end])
	if gen == end {
		return 0, 0, false
	}
	middle := blanks(b[:gen])
	begin = digits(b[:middle])
	if middle == gen || begin == middle || middle-begin > 8 {
		return 0, 0, false
	}
	num, err := strconv.Atoi(string(b[begin:middle]))
	return num, begin, err == nil && num > 0 && num < maxNumber
}

// blanks is where the white space at the end of b begins.
func blanks(b []byte) int {
	n := len(b)
	for n > 0 && (b[n-1] == ' ' || b[n-1] == '\n' || b[n-1] == '\r' || b[n-1] == '\t' || b[n-1] == '\f' || b[n-1] == 0) {
		n--
	}
	return n
}

// digits is where the digits at the end of b begin.
func digits(b []byte) int {
	n := len(b)
	for n > 0 && b[n-1] >= '0' && b[n-1] <= '9' {
		n--
	}
	return n
}
