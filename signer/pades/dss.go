package pades

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"antin/internal/text"
	"antin/signer/pdf"
)

const (
	// maxDSSEntries bounds each array of a store: every entry costs a stream.
	maxDSSEntries = 10_000
	// maxDSSStream bounds one entry in bytes; CRLs of tens of megabytes exist.
	maxDSSStream = 64 << 20
	// maxDSSTotal bounds all entries together, since they are held in memory.
	maxDSSTotal = 256 << 20
	// freeDSS and dssPerByte bound them for a file of a given size: a large
	// CRL shrinks to a tenth when compressed, a bomb to a thousandth.
	freeDSS, dssPerByte = 40 << 20, 4
)

// DSS is the content of a document security store (ISO 32000-2, 12.8.4.3):
// certificates and revocation data as DER, in the order of the arrays.
type DSS struct {
	Certs, OCSPs, CRLs [][]byte
	// VRI holds what the store ties to single signatures, by the upper-case hex
	// SHA-1 of their /Contents. It is read, never written: the arrays say it all.
	VRI map[string]DSS
	// Ref is the object of the store itself; zero when it is direct or absent.
	Ref pdf.Ref
	// Unreadable counts entries that are no streams, or do not decode.
	Unreadable int
}

// Empty reports whether the store holds nothing at all.
func (d DSS) Empty() bool {
	return len(d.Certs) == 0 && len(d.OCSPs) == 0 && len(d.CRLs) == 0 && len(d.VRI) == 0
}

// ReadDSS reads the store of f; without one it is empty. Entries that cannot be
// read are counted and left out. What a VRI names is read whether or not the
// arrays hold it too.
func ReadDSS(f *pdf.File) (DSS, error) {
	_, root, err := f.Root()
	if err != nil {
		return DSS{}, err
	}
	m := &form{file: f}
	r := &dssReader{form: m, cache: map[pdf.Ref][]byte{}}
	d := m.dict(root.Get("DSS"))
	if d == nil {
		return DSS{}, nil
	}
	store := r.arrays(d, "Certs", "OCSPs", "CRLs")
	store.Ref, _ = root.Get("DSS").(pdf.Ref)
	if vri := m.dict(d.Get("VRI")); vri != nil {
		store.VRI = map[string]DSS{}
		for _, key := range vri.Keys() {
			if one := m.dict(vri.Get(key)); one != nil && len(store.VRI) < maxDSSEntries {
				store.VRI[string(key)] = r.arrays(one, "Cert", "OCSP", "CRL")
			}
		}
	}
	store.Unreadable = r.unreadable
	if r.exceeded {
		return store, text.Errorf(text.LimitExceeded, errors.New("document security store is too large"))
	}
	return store, nil
}

type dssReader struct {
	form       *form
	cache      map[pdf.Ref][]byte
	total      int64
	unreadable int
	exceeded   bool
}

func (r *dssReader) arrays(d *pdf.Dict, certs, ocsps, crls pdf.Name) DSS {
	return DSS{Certs: r.array(d.Get(certs)), OCSPs: r.array(d.Get(ocsps)), CRLs: r.array(d.Get(crls))}
}

func (r *dssReader) array(o pdf.Object) [][]byte {
	var all [][]byte
	for i, e := range r.form.array(o) {
		if i >= maxDSSEntries || r.total > min(maxDSSTotal, r.most()) {
			r.exceeded = true
			break
		}
		if der := r.entry(e); der != nil {
			all = append(all, der)
		} else {
			r.unreadable++
		}
	}
	return all
}

// most is how many bytes of evidence the file can hold as far as its size goes.
func (r *dssReader) most() int64 { return freeDSS + dssPerByte*r.form.file.Size() }

func (r *dssReader) entry(o pdf.Object) []byte {
	ref, indirect := o.(pdf.Ref)
	if der, known := r.cache[ref]; indirect && known {
		return der
	}
	s, ok := r.form.resolve(o).(*pdf.Stream)
	if !ok {
		return nil
	}
	der, err := r.form.file.Decode(s, min(maxDSSStream, r.most()))
	if err != nil || len(der) == 0 {
		return nil
	}
	r.total += int64(len(der))
	if indirect {
		r.cache[ref] = der
	}
	return der
}

// AddDSS builds the incremental update that adds d to the store of f. Entries
// that the store has already are not written again (compared by hash), arrays
// only grow, earlier entries stay where they are. A store that needs nothing
// gives a nil update. The VRI of d is ignored.
func AddDSS(f *pdf.File, d DSS) (*pdf.Built, error) {
	if err := f.EncryptionError(); err != nil {
		return nil, err
	}
	if err := f.SigningProblem(); err != nil {
		return nil, err
	}
	rootRef, root, err := f.Root()
	if err != nil {
		return nil, err
	}
	w := &dssWriter{form: &form{file: f}, update: f.NewUpdate()}
	root = root.Clone()
	added, dirty, err := w.write(root, d)
	if err != nil || added == 0 {
		return nil, err
	}
	if declareExtension(w.form, w.update, root) || dirty {
		w.update.Put(rootRef, root)
	}
	return w.update.Build()
}

// dssWriter puts a grown store into an update.
type dssWriter struct {
	form   *form
	update *pdf.Update
	added  int
}

// write adds d to the store that root names, or to a new one, and reports how many
// entries are new and whether root was changed.
func (w *dssWriter) write(root *pdf.Dict, d DSS) (added int, dirty bool, err error) {
	if d.Empty() {
		return 0, false, nil
	}
	have, err := ReadDSS(w.form.file)
	if err != nil {
		return 0, false, fmt.Errorf("reading the document security store: %w", err)
	}
	store := pdf.NewDict(pdf.Name("Type"), pdf.Name("DSS"))
	if old := w.form.dict(root.Get("DSS")); old != nil {
		store = old.Clone()
	}
	w.grow(store, "Certs", have.Certs, d.Certs)
	w.grow(store, "OCSPs", have.OCSPs, d.OCSPs)
	w.grow(store, "CRLs", have.CRLs, d.CRLs)
	if w.added == 0 {
		return 0, false, nil
	}
	if have.Ref.IsZero() {
		root.Set("DSS", w.update.Add(store))
		return w.added, true, nil
	}
	w.update.Put(have.Ref, store)
	return w.added, false, nil
}

// grow appends the streams of more that have does not hold to the array key.
func (w *dssWriter) grow(store *pdf.Dict, key pdf.Name, have, more [][]byte) {
	seen := map[[32]byte]bool{}
	for _, der := range have {
		seen[sha256.Sum256(der)] = true
	}
	array := append(pdf.Array{}, w.form.array(store.Get(key))...)
	before := w.added
	for _, der := range more {
		sum := sha256.Sum256(der)
		if seen[sum] || len(der) == 0 {
			continue
		}
		seen[sum] = true
		array = append(array, w.update.Add(pdf.NewFlateStream(pdf.NewDict(), der)))
		w.added++
	}
	if w.added > before {
		// In the store itself, also where the old array was an object of its own:
		// other validators follow a grown array only from there.
		store.Set(key, array)
	}
}
