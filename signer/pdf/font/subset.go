package font

import (
	"encoding/binary"
	"fmt"
)

// The parts of a composite glyph (OpenType, glyf).
const (
	argsAreWords    = 1 << 0
	haveScale       = 1 << 3
	moreComponents  = 1 << 5
	haveXYScale     = 1 << 6
	haveTwoByTwo    = 1 << 7
	haveInstruction = 1 << 8

	// maxComponents bounds the parts of one glyph, and with it the work for a
	// damaged table; the family uses four at most.
	maxComponents = 16
)

// subset builds a TrueType file of the given glyphs, which get the numbers 0, 1,
// 2 … in the order given; parts of composite glyphs are added behind, and count is
// how many glyphs there are then. Hinting is left out: it is half of a small subset
// and viewers no longer use it.
func (f *Face) subset(glyphs []uint16) (program []byte, count int, err error) {
	glyphs = append([]uint16(nil), glyphs...)
	number := make(map[uint16]uint16, len(glyphs))
	for i, g := range glyphs {
		number[g] = uint16(i) // a face numbers its glyphs in 16 bits
	}
	var outlines []byte
	offsets := []uint32{0}
	for i := 0; i < len(glyphs); i++ { // grows while it runs
		data, err := f.outline(glyphs[i])
		if err != nil {
			return nil, 0, err
		}
		plain, err := withoutHints(data, func(part uint16) uint16 {
			n, ok := number[part]
			if !ok {
				n = uint16(len(glyphs))
				number[part] = n
				glyphs = append(glyphs, part)
			}
			return n
		})
		if err != nil {
			return nil, 0, fmt.Errorf("glyph %d: %w", glyphs[i], err)
		}
		outlines = append(outlines, plain...)
		for len(outlines)%4 != 0 {
			outlines = append(outlines, 0)
		}
		offsets = append(offsets, uint32(len(outlines))) // below the size of the face
	}
	return f.assemble(glyphs, offsets, outlines), len(glyphs), nil
}

// withoutHints copies one glyph without its instructions; renumber gives the new
// number of each part of a composite.
func withoutHints(data []byte, renumber func(uint16) uint16) ([]byte, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if len(data) < 10 {
		return nil, fmt.Errorf("outline of %d bytes", len(data))
	}
	contours := int(i16(data, 0))
	if contours < 0 {
		return withoutCompositeHints(data, renumber)
	}
	at := 10 + 2*contours
	if at+2 > len(data) || at+2+int(u16(data, at)) > len(data) {
		return nil, fmt.Errorf("outline cut off")
	}
	out := append([]byte(nil), data[:at]...)
	out = append(out, 0, 0)
	return append(out, data[at+2+int(u16(data, at)):]...), nil
}

func withoutCompositeHints(data []byte, renumber func(uint16) uint16) ([]byte, error) {
	out := append([]byte(nil), data[:10]...)
	at := 10
	for range maxComponents {
		if at+4 > len(data) {
			return nil, fmt.Errorf("composite cut off")
		}
		flags := u16(data, at)
		size := 4 + 2
		if flags&argsAreWords != 0 {
			size += 2
		}
		switch {
		case flags&haveScale != 0:
			size += 2
		case flags&haveXYScale != 0:
			size += 4
		case flags&haveTwoByTwo != 0:
			size += 8
		}
		if at+size > len(data) {
			return nil, fmt.Errorf("composite cut off")
		}
		out = binary.BigEndian.AppendUint16(out, flags&^haveInstruction)
		out = binary.BigEndian.AppendUint16(out, renumber(u16(data, at+2)))
		out = append(out, data[at+4:at+size]...)
		if flags&moreComponents == 0 {
			return out, nil
		}
		at += size
	}
	return nil, fmt.Errorf("more than %d parts", maxComponents)
}

// assemble writes the tables that ISO 32000-2, 9.9 asks of an embedded TrueType
// program, and two without content, since some readers want them: a character map
// without entries and a post table without names.
func (f *Face) assemble(glyphs []uint16, offsets []uint32, outlines []byte) []byte {
	count := uint16(len(glyphs)) // a face numbers its glyphs in 16 bits
	head := append([]byte(nil), f.header...)
	binary.BigEndian.PutUint32(head[8:], 0) // checkSumAdjustment, set below
	hhea := append([]byte(nil), f.horizontal...)
	binary.BigEndian.PutUint16(hhea[34:], count)
	maxp := append([]byte(nil), f.maxima...)
	binary.BigEndian.PutUint16(maxp[4:], count)
	for at := 14; at < 28; at += 2 { // storage and instruction limits: there are none
		binary.BigEndian.PutUint16(maxp[at:], 0)
	}
	binary.BigEndian.PutUint16(maxp[14:], 1) // maxZones has to be 1 or 2
	var hmtx, loca []byte
	for i, g := range glyphs {
		bearing := uint16(0)
		if to := offsets[i+1]; to >= offsets[i]+10 {
			bearing = u16(outlines, int(offsets[i])+2) // xMin
		}
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(f.advance(g)))
		hmtx = binary.BigEndian.AppendUint16(hmtx, bearing)
	}
	for _, o := range offsets {
		loca = binary.BigEndian.AppendUint32(loca, o)
	}
	return joinTables([]table{
		{"cmap", emptyCharacterMap()}, {"glyf", outlines}, {"head", head}, {"hhea", hhea},
		{"hmtx", hmtx}, {"loca", loca}, {"maxp", maxp}, {"post", namelessPost()},
	})
}

// emptyCharacterMap is a format 4 map for Unicode with its closing segment alone.
func emptyCharacterMap() []byte {
	words := []uint16{0, 1, 3, 1, 0, 12, 4, 24, 0, 2, 2, 0, 0, 0xffff, 0, 0xffff, 1, 0}
	var b []byte
	for _, w := range words {
		b = binary.BigEndian.AppendUint16(b, w)
	}
	return b
}

// namelessPost is a post table of version 3.
func namelessPost() []byte {
	b := make([]byte, 32)
	binary.BigEndian.PutUint32(b, 0x00030000)
	return b
}

type table struct {
	name string
	data []byte
}

// joinTables writes an sfnt file; the tables must be sorted by name.
func joinTables(tables []table) []byte {
	count := uint16(len(tables))
	power, log := uint16(1), uint16(0)
	for power*2 <= count {
		power, log = power*2, log+1
	}
	out := binary.BigEndian.AppendUint32(nil, 0x00010000)
	for _, w := range []uint16{count, power * 16, log, (count - power) * 16} {
		out = binary.BigEndian.AppendUint16(out, w)
	}
	at := 12 + 16*len(tables)
	var body []byte
	adjust := 0
	for _, t := range tables {
		if t.name == "head" {
			adjust = at + len(body) + 8
		}
		out = append(out, t.name...)
		out = binary.BigEndian.AppendUint32(out, checksum(t.data))
		out = binary.BigEndian.AppendUint32(out, uint32(at+len(body))) // below the size of the face
		out = binary.BigEndian.AppendUint32(out, uint32(len(t.data)))
		body = append(body, t.data...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	out = append(out, body...)
	binary.BigEndian.PutUint32(out[adjust:], 0xb1b0afba-checksum(out))
	return out
}

func checksum(b []byte) uint32 {
	var sum uint32
	for len(b) >= 4 {
		sum += binary.BigEndian.Uint32(b)
		b = b[4:]
	}
	var rest [4]byte
	copy(rest[:], b)
	return sum + binary.BigEndian.Uint32(rest[:])
}
