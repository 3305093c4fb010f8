package font

// SubsetOf reads ttf as a face and makes a subset of it, for the fuzzer.
func SubsetOf(ttf []byte, glyphs []uint16) (program []byte, count int, err error) {
	f, err := parseFace(Regular, ttf)
	if err != nil {
		return nil, 0, err
	}
	for _, g := range glyphs {
		_ = f.advance(g)
	}
	return f.subset(glyphs)
}
