package pdf

import "bytes"

// rebuildWindow is how much of the beginning and of the end of a damaged file is
// looked at, in bytes each, to tell whether it can be rebuilt.
const rebuildWindow = 16 << 20

// rebuildable reports whether the file holds what a reader that rebuilds the
// cross-reference starts from: an object, and a catalog or what may hide one.
func (f *File) rebuildable() bool {
	object, catalog := false, false
	look := func(from, end int64) {
		const overlap = 64
		for at := from; at < end && (!object || !catalog); at += lastWindow - overlap {
			b := make([]byte, min(lastWindow, end-at))
			if readFull(f.r, b, at) != nil {
				return
			}
			object = object || holdsObject(b)
			catalog = catalog || bytes.Contains(b, []byte("/Catalog")) || bytes.Contains(b, []byte("/ObjStm"))
		}
	}
	look(0, min(f.end, rebuildWindow))
	look(max(f.end-rebuildWindow, min(f.end, rebuildWindow)), f.end)
	return object && catalog
}

// holdsObject reports whether "n g obj" stands in b.
func holdsObject(b []byte) bool {
	for {
		i := bytes.Index(b, []byte(" obj"))
		if i < 0 {
			return false
		}
		if i > 2 && isDigit(b[i-1]) && bytes.ContainsAny(b[max(0, i-7):i-1], " \r\n\t") {
			return true
		}
		b = b[i+4:]
	}
}
