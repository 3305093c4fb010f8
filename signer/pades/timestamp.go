package pades

import (
	"cmp"
	"crypto"
	"encoding/hex"
	"fmt"
	"slices"

	"antin/signer/pdf"
)

// DefaultTimestampSize is the room for the token of a document time-stamp, in
// bytes: tokens with their chain take 3 to 15 KiB.
const DefaultTimestampSize = 16 << 10

// TimestampOptions says what the revision of a document time-stamp holds. The
// zero value is a time-stamp alone, in a new invisible field.
type TimestampOptions struct {
	// DSS is added to the security store in the same revision, under the rules of
	// AddDSS, so that the time-stamp covers it.
	DSS DSS
	// ContentsSize is the room for the token in bytes (twice as many in the file);
	// 0 takes DefaultTimestampSize.
	ContentsSize int
}

// PrepareTimestamp builds the incremental update that holds a document time-stamp
// (ISO 32000-2, 12.8.5) with an empty /Contents: a field of its own and a value
// without time, name or certificate, since the token says it all. Nobody's key is
// needed and no DocMDP forbids it, though the permissions of an encrypted file may.
// The token is over the digest of the ranges and goes in by Embed. Errors are those
// of AddDSS and permission-denied.
func PrepareTimestamp(f *pdf.File, o TimestampOptions) (*Prepared, error) {
	if err := cmp.Or(f.EncryptionError(), f.SigningProblem(), f.MaySign(true)); err != nil {
		return nil, err
	}
	form, err := readForm(f)
	if err != nil {
		return nil, err
	}
	if o.ContentsSize <= 0 {
		o.ContentsSize = DefaultTimestampSize
	}
	p := &plan{Options: Options{SubFilter: SubFilterRFC3161, ContentsSize: o.ContentsSize}, form: form, name: form.freeName("Timestamp")}
	if err := p.findPage(); err != nil {
		return nil, err
	}
	w := &writer{plan: p, update: f.NewUpdate()}
	if w.rootRef, w.root, err = f.Root(); err != nil {
		return nil, err
	}
	w.root = w.root.Clone()
	return w.writeTimestamp(o.DSS)
}

// writeTimestamp writes store, value, field and form, and builds the update.
func (w *writer) writeTimestamp(d DSS) (*Prepared, error) {
	store := dssWriter{form: w.form, update: w.update}
	_, moved, err := store.write(w.root, d)
	if err != nil {
		return nil, err
	}
	byteRange := pdf.SpacePlaceholder(byteRangeWidth)
	contents := pdf.HexPlaceholder(w.contentsSize())
	value := w.update.Add(pdf.NewDict(
		pdf.Name("Type"), pdf.Name("DocTimeStamp"),
		pdf.Name("Filter"), pdf.Name(handler),
		pdf.Name("SubFilter"), pdf.Name(SubFilterRFC3161),
		pdf.Name("ByteRange"), byteRange,
		pdf.Name("Contents"), contents,
	))
	field, err := w.writeField(value)
	if err != nil {
		return nil, err
	}
	if err := w.writeForm(field); err != nil {
		return nil, err
	}
	if declareExtension(w.form, w.update, w.root) || moved {
		w.rootDirty = true
	}
	w.writeCatalog(value)
	built, err := w.update.Build()
	if err != nil {
		return nil, err
	}
	return newPrepared(built, byteRange, contents, w.plan)
}

// Contents is what was embedded, padding included; nothing but zeros before.
func (p *Prepared) Contents() ([]byte, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	gap := p.Update[p.GapStart-p.Base+1:][:p.GapLen-2]
	b := make([]byte, hex.DecodedLen(len(gap)))
	if _, err := hex.Decode(b, gap); err != nil {
		return nil, fmt.Errorf("reading /Contents: %w", err)
	}
	return b, nil
}

// DigestParts hashes what /ByteRange covers with h, for an original of which prefix
// was read and to which before, whatever stands between it and p, was added.
func (p *Prepared) DigestParts(prefix *Prefix, h crypto.Hash, before ...[]byte) ([]byte, error) {
	base := prefix.Length
	for _, b := range before {
		base += int64(len(b))
	}
	if base != p.Base {
		return nil, fmt.Errorf("document has %d bytes, revision expects %d", base, p.Base)
	}
	gap := p.GapStart - p.Base
	return prefix.Sum(h, append(slices.Clip(before), p.Update[:gap], p.Update[gap+p.GapLen:])...)
}
