package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"antin/internal/text"
)

const (
	// headWindow is where the header may stand (Adobe's note to ISO 32000-1, 7.5.2).
	headWindow = 1024
	// tailWindow is where startxref is looked for, from the end. The rule of old
	// readers is 1,024 bytes; files with rubbish behind their end are common enough.
	tailWindow = 1 << 20
	// directSections is the number of sections up to which they are searched one by
	// one, without a ledger.
	directSections = 4
)

// Options are the choices of Open. The zero value is the safe choice.
type Options struct {
	// Limits bound what reading may cost; zero fields take their defaults.
	Limits Limits
	// Password opens an encrypted file: the user's or the owner's. Empty tries the
	// empty user password, with which most encrypted files open.
	Password string
	// Known is a File that was opened over the same first bytes, which the caller
	// vouches for: what it read of them is taken over instead of being read again.
	// It serves to read a file that an update of Known has made.
	Known *File
	// Keep keeps objects that were read, as far as there is room, so that asking for
	// them again costs nothing, also in another revision. All who load one then share
	// it: clone it before a change.
	Keep bool
	// Buffers are used for reading; nil uses Known's, or makes new ones.
	Buffers *Buffers
}

// Irregularity is a deviation that readers forgive without rebuilding the
// cross-reference.
type Irregularity string

// The irregularities that are noticed. Those of streams are noticed when the
// stream is loaded.
const (
	HeaderMoved  Irregularity = "header-not-first"    // bytes stand before %PDF-
	LooseEntries Irregularity = "xref-entry-form"     // table entries not of 20 bytes
	PrevZero     Irregularity = "prev-zero"           // /Prev 0 for "none"
	WrongLength  Irregularity = "stream-length-wrong" // /Length does not lead to endstream
	// StructureLength is WrongLength of a cross-reference or object stream.
	StructureLength Irregularity = "structure-length-wrong"
	NoEOFMarker     Irregularity = "no-eof-marker" // %%EOF is missing after startxref
	NoEndObj        Irregularity = "endobj-missing"
	WrongSize       Irregularity = "size-wrong" // an object number is not below /Size
)

// File is a PDF file opened for reading, or one revision of it. It holds the
// cross-reference and little else; objects are read when asked for. It is safe for
// concurrent use as far as its io.ReaderAt is.
type File struct {
	body
	header   int64
	version  string
	origin   int64
	start    int64 // the value used after startxref, as an offset in the file
	eof      int64 // past %%EOF
	sections []*Section
	*shared
	first int // the index of sections[0] among all sections of the file
	lock  lock

	mu     sync.Mutex
	faults map[Irregularity]bool
}

// shared is what all revisions of a file have in common.
type shared struct {
	all        []*Section
	ledgerOnce sync.Once
	ledger     *ledger
	ends       endings
	fileEnd    int64 // the size of the whole file
	password   string
	keys       *locks
	contents   *contents
	kept       *kept // nil unless Options.Keep
}

// Open reads the end of the file and its cross-reference, and checks that the
// catalog, the page tree and the form begin where the cross-reference says. It
// reads nothing else. Errors are *text.Error: not-a-pdf, pdf-malformed,
// pdf-repair-needed (a forgiving reader would have to rebuild the
// cross-reference), limit-exceeded, file-unreadable. An encrypted file opens;
// see Encrypted.
func Open(r io.ReaderAt, size int64, o Options) (*File, error) {
	f := newFile(r, size, o)
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	err := f.readTail()
	if err == nil {
		err = f.readChain(o.Known)
	}
	if err == nil {
		err = f.checkRoots()
	}
	if err != nil {
		return nil, f.triage(err)
	}
	return f, nil
}

// newFile returns a file of which nothing was read yet.
func newFile(r io.ReaderAt, size int64, o Options) *File {
	lim := o.Limits.withDefaults()
	return &File{
		body:   body{r: r, end: size, lim: &lim, searched: new(atomic.Int64), decoded: new(atomic.Int64), idle: idleWindows(o)},
		faults: map[Irregularity]bool{},
		shared: newShared(size, o),
	}
}

// idleWindows is where windows wait for the next object.
func idleWindows(o Options) *sync.Pool {
	switch {
	case o.Buffers != nil:
		return &o.Buffers.windows
	case o.Known != nil:
		return o.Known.idle
	}
	return new(sync.Pool)
}

// newShared returns what the revisions of a file of size bytes share, and what is
// known of it.
func newShared(size int64, o Options) *shared {
	s := &shared{fileEnd: size, password: o.Password, keys: &locks{}, contents: &contents{}}
	if o.Known != nil && o.Known.password == o.Password {
		s.keys, s.contents, s.kept = o.Known.keys, o.Known.contents, o.Known.kept
	}
	switch {
	case !o.Keep:
		s.kept = nil
	case s.kept == nil:
		s.kept = newKept()
	}
	return s
}

// readHeader finds %PDF- and the version.
func (f *File) readHeader() error {
	b := make([]byte, min(f.end, headWindow+16))
	if len(b) > 0 {
		if err := readFull(f.r, b, 0); err != nil {
			return err
		}
	}
	i := bytes.Index(b, []byte("%PDF-"))
	if i < 0 || i > headWindow {
		return text.Errorf(text.NotAPDF, errors.New("no %PDF- header in the first 1,024 bytes"))
	}
	if f.header = int64(i); i > 0 {
		f.faults[HeaderMoved] = true
	}
	v := b[i+len("%PDF-"):]
	if n := slices.IndexFunc(v, func(c byte) bool { return c != '.' && !isDigit(c) }); n >= 0 {
		v = v[:n]
	}
	f.version = string(v[:min(len(v), 8)])
	return nil
}

// readTail finds the last startxref and the offset behind it.
func (f *File) readTail() error {
	at, err := lastIndex(f.r, "startxref", max(f.header, f.end-tailWindow), f.end)
	if err != nil {
		return err
	}
	if at < 0 {
		return needsRepair("no startxref near the end of the file")
	}
	t, ok := f.trailerEnd(at)
	if !ok {
		return needsRepair("no offset behind startxref at %d", at)
	}
	if !t.marker {
		f.faults[NoEOFMarker] = true
	}
	f.start, f.eof = t.value, t.eof
	return nil
}

// readChain reads the cross-reference. Offsets count from the header when bytes
// stand before it, but there are writers that count from the file's first byte.
func (f *File) readChain(known *File) error {
	origins := []int64{f.header}
	if f.header > 0 {
		origins = append(origins, 0)
	}
	var first error
	for _, origin := range origins {
		x := xrefReader{body: f.body, origin: origin, faults: map[Irregularity]bool{}}
		x.budget = min(f.lim.Entries, 4*f.end+1<<16)
		if known != nil && known.origin == origin && known.header == f.header && known.end <= f.end {
			x.known = known
		}
		sections, err := x.chain(f.start + origin)
		if err == nil {
			f.origin, f.start = origin, f.start+origin
			f.sections, f.all = sections, sections
			for i := range x.faults {
				f.note(i)
			}
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// checkRoots opens the encryption and loads the objects that everything else hangs
// on.
func (f *File) checkRoots() error {
	f.openLock()
	size, _ := directLength(f.Trailer().Get("Size"))
	if int64(f.highest()) >= size {
		f.note(WrongSize)
	}
	if f.EncryptionError() != nil {
		return nil // what lies in object streams cannot be read
	}
	_, root, err := f.Root()
	if err != nil {
		return asRepair(err)
	}
	pages, err := f.Dict(root.Get("Pages"))
	if err != nil {
		return err
	}
	if pages == nil {
		return malformed("catalog has no page tree")
	}
	_, err = f.Dict(root.Get("AcroForm"))
	return err
}

// Size returns the length of the file, or of the revision, in bytes.
func (f *File) Size() int64 { return f.end }

// HeaderOffset returns where %PDF- stands, 0 in a proper file.
func (f *File) HeaderOffset() int64 { return f.header }

// Origin returns what the offsets written in the file count from: 0 in a proper
// file. Offsets that this package reports count from the first byte always.
func (f *File) Origin() int64 { return f.origin }

// StartXRef returns the offset of the newest cross-reference section.
func (f *File) StartXRef() int64 { return f.start }

// EOF returns the offset past the last %%EOF, without its end-of-line marker.
func (f *File) EOF() int64 { return f.eof }

// Reader returns the bytes of the file.
func (f *File) Reader() io.ReaderAt { return f.r }

// Trailer returns the trailer dictionary of the newest section, which for a
// cross-reference stream is the stream's dictionary. It is shared: clone it before
// a change.
func (f *File) Trailer() *Dict { return f.sections[0].Trailer }

// Root returns the catalog and its reference. A catalog that is not a dictionary is
// an error.
func (f *File) Root() (Ref, *Dict, error) {
	ref, ok := f.Trailer().Get("Root").(Ref)
	if !ok {
		return Ref{}, nil, needsRepair("trailer has no Root reference")
	}
	d, err := f.Dict(ref)
	if err == nil && d == nil {
		err = needsRepair("catalog %s is missing", ref)
	}
	return ref, d, err
}

// Version returns the version of the file as "1.7": that of the header, or the
// catalog's where it is later (ISO 32000-2, 7.5.2).
func (f *File) Version() string {
	v := f.version
	if _, root, err := f.Root(); err == nil {
		if n, err := f.Name(root.Get("Version")); err == nil && later(string(n), v) {
			v = string(n)
		}
	}
	return v
}

// later reports whether version a is later than b, both as "1.7".
func later(a, b string) bool {
	am, an, ok := strings.Cut(a, ".")
	bm, bn, _ := strings.Cut(b, ".")
	return ok && len(am) == 1 && len(an) == 1 && (am > bm || am == bm && an > bn)
}

// Irregularities returns the deviations noticed so far, sorted.
func (f *File) Irregularities() []Irregularity {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]Irregularity, 0, len(f.faults))
	for i := range f.faults {
		list = append(list, i)
	}
	slices.Sort(list)
	return list
}

func (f *File) note(i Irregularity) {
	f.mu.Lock()
	f.faults[i] = true
	f.mu.Unlock()
}

// SigningProblem returns the pdf-repair-needed error for a file that opens but must
// not be signed as it is, because some readers rebuild it or compute other offsets
// for it: bytes before the header, table entries that are not of 20 bytes, a wrong
// length of a cross-reference or object stream met so far. It is nil for a file
// that may be signed as far as its structure goes.
func (f *File) SigningProblem() error {
	for _, i := range f.Irregularities() {
		if i == HeaderMoved || i == LooseEntries || i == StructureLength {
			return needsRepair("file is irregular: %s", i)
		}
	}
	return nil
}

// highest returns the highest object number of any section.
func (f *File) highest() int {
	n := 0
	for _, s := range f.sections {
		n = max(n, s.own.highest(), s.hidden.highest())
	}
	return n
}

// Entry returns where object num lives, by the newest section that has an entry
// for it. ok is false when none has.
func (f *File) Entry(num int) (e Entry, ok bool) {
	if num < 0 || num > maxNumber {
		return Entry{}, false
	}
	if len(f.sections) <= directSections {
		return lookup(f.sections, num)
	}
	f.ledgerOnce.Do(func() { f.ledger = newLedger(f.all) })
	return f.ledger.get(num, f.first)
}

// Places reports whether Entry puts object num, as one of its own in use, at offset
// at. It serves searches that ask for every object of a file.
func (f *File) Places(num int, at int64) bool {
	if num < 0 || num > maxNumber {
		return false
	}
	if len(f.sections) > directSections {
		e, ok := f.Entry(num)
		return ok && !e.Free && e.ObjStm == 0 && e.Offset == at
	}
	for _, s := range f.sections {
		if p, ok := s.get(num); ok {
			return p.kind() == kindOffset && p.where() == at
		}
	}
	return false
}

// triage tells a file that a forgiving reader can still open by rebuilding from one
// that none can: without a single object and a catalog there is nothing to rebuild.
func (f *File) triage(err error) error {
	if text.CodeOf(err) != text.PDFRepairNeeded && text.CodeOf(err) != text.PDFMalformed {
		return err
	}
	if f.rebuildable() {
		return asRepair(err)
	}
	return text.Errorf(text.PDFMalformed, fmt.Errorf("nothing to rebuild from: %w", err))
}
