package pdf

// Limits bound what one file may cost. They are far above what real documents
// need and low enough that a hostile file is refused in seconds. A zero field
// takes its default.
type Limits struct {
	// Depth is the deepest nesting of arrays and dictionaries in one object. Every
	// level costs a stack frame.
	Depth int
	// NameLen is the longest name, in bytes without #xx, and the longest keyword or
	// number. ISO 32000-1 stopped at 127.
	NameLen int
	// StringLen is the longest string, in bytes as spelled: room for a signature
	// that carries large revocation lists.
	StringLen int64
	// ObjectLen is the longest object without its stream data, in bytes.
	ObjectLen int64
	// Items is the most elements of arrays and dictionaries in one indirect object;
	// an element of two bytes in the file costs about fifty in memory.
	Items int
	// Sections is the most cross-reference sections on one /Prev chain.
	Sections int
	// Entries is the most cross-reference entries of all sections together, at
	// eight bytes of memory each. A file may hold fewer, in proportion to its size.
	Entries int64
	// Decoded is the most bytes that one decoded stream may have.
	Decoded int64
	// Ratio is the most output bytes per input byte of a decoded stream; one LZW
	// pass reaches 2,700, one Flate pass 1,032, a bomb of several passes millions.
	Ratio int64
	// Total is the most bytes that all filters may put out for one File, each time a
	// stream is decoded, beyond 64 times the file's size: many small streams of a high
	// ratio would otherwise cost minutes. An honest file stays far below, read
	// several times.
	Total int64
	// PageDepth is the deepest page tree.
	PageDepth int
	// Pages is the most pages that are counted or walked.
	Pages int
}

// DefaultLimits returns the limits that a zero Limits stands for.
func DefaultLimits() Limits {
	return Limits{
		Depth:     256,
		NameLen:   4096,
		StringLen: 32 << 20,
		ObjectLen: 40 << 20,
		Items:     1 << 20,
		Sections:  1 << 16,
		Entries:   8 << 20,
		Decoded:   128 << 20,
		Ratio:     3000,
		Total:     256 << 20,
		PageDepth: 256,
		Pages:     1 << 20,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		Depth:     or(l.Depth, d.Depth),
		NameLen:   or(l.NameLen, d.NameLen),
		StringLen: or(l.StringLen, d.StringLen),
		ObjectLen: or(l.ObjectLen, d.ObjectLen),
		Items:     or(l.Items, d.Items),
		Sections:  or(l.Sections, d.Sections),
		Entries:   or(l.Entries, d.Entries),
		Decoded:   or(l.Decoded, d.Decoded),
		Ratio:     or(l.Ratio, d.Ratio),
		Total:     or(l.Total, d.Total),
		PageDepth: or(l.PageDepth, d.PageDepth),
		Pages:     or(l.Pages, d.Pages),
	}
}

func or[T int | int64](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// maxNumber is the highest object number accepted, four times the architectural
// limit of ISO 32000-1, Annex C.
const maxNumber = 1 << 25

// maxGeneration is the highest generation number (ISO 32000-2, 7.5.4).
const maxGeneration = 65535
