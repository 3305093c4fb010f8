package validation_test

import (
	"testing"

	"antin/signer/pades"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// indexed is a signed document whose store has an index (/VRI) with one entry, and
// then a revision in which edit has changed store and entry.
func indexed(b *bench, edit func(u *pdf.Update, store, entry *pdf.Dict)) []byte {
	store := func(f *pdf.File) (pdf.Ref, *pdf.Dict) {
		_, root, err := f.Root()
		if err != nil {
			b.t.Fatal(err)
		}
		ref, _ := root.Get("DSS").(pdf.Ref)
		d, err := f.Dict(ref)
		if err != nil || d == nil {
			b.t.Fatalf("no store: %v", err)
		}
		return ref, d.Clone()
	}
	doc := b.longTerm(b.sign(plain(), pades.Options{}, as{stamp: true}), b.Leader())
	const key = "0123456789ABCDEF0123456789ABCDEF01234567"
	doc = b.update(doc, func(f *pdf.File, u *pdf.Update) {
		ref, d := store(f)
		ocsps, _ := f.Array(d.Get("OCSPs"))
		d.Set("VRI", pdf.NewDict(key, pdf.NewDict("OCSP", pdf.Array{ocsps[0]})))
		u.Put(ref, d)
	})
	return b.update(doc, func(f *pdf.File, u *pdf.Update) {
		ref, d := store(f)
		index, err := f.Dict(d.Get("VRI"))
		if err != nil {
			b.t.Fatal(err)
		}
		entry, err := f.Dict(index.Get(key))
		if err != nil {
			b.t.Fatal(err)
		}
		entry = entry.Clone()
		d.Set("VRI", pdf.NewDict(key, entry))
		edit(u, d, entry)
		u.Put(ref, d)
	})
}

func TestTheIndexOfEvidenceMayBeLeftOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, doc := range map[string][]byte{
		"index gone": indexed(b, func(_ *pdf.Update, store, _ *pdf.Dict) { store.Delete("VRI") }),
		"entry names other data of the store": indexed(b, func(_ *pdf.Update, store, entry *pdf.Dict) {
			entry.Set("OCSP", store.Get("OCSPs").(pdf.Array)[1:2])
		}),
	} {
		if r := b.judge(b.online(), doc); r.Verdict != validation.Valid {
			t.Errorf("%s: %s: %s", name, r.Verdict, explain(r))
		}
	}
}

func TestEvidenceTakenOutWithItsIndexIsSeen(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, doc := range map[string][]byte{
		"index and answers gone": indexed(b, func(_ *pdf.Update, store, _ *pdf.Dict) {
			store.Delete("VRI")
			store.Set("OCSPs", store.Get("OCSPs").(pdf.Array)[1:])
		}),
		"entry names a page's content": indexed(b, func(u *pdf.Update, _, entry *pdf.Dict) {
			entry.Set("OCSP", pdf.Array{u.Add(pdf.NewStream(pdf.NewDict(), []byte("0 0 9 9 re f")))})
		}),
	} {
		if r := b.judge(b.online(), doc); r.Verdict != validation.Invalid {
			t.Errorf("%s: %s: %s", name, r.Verdict, explain(r))
		}
	}
}
