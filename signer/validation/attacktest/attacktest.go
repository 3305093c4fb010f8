// Package attacktest makes forged documents from an honest signed one: each
// known way to change what a signed PDF shows, or to make a signature look like
// one that it is not. What a validator must say about each is known by how it was
// made, so every signed file becomes a test.
//
// It serves tests alone.
package attacktest

import (
	"bytes"
	"fmt"

	"antin/signer/pades"
	"antin/signer/pdf"
)

// Attack is one way to forge a document.
type Attack struct {
	// Name says what is done.
	Name string
	// Class is the family in the literature: "forgery" (universal signature
	// forgery), "wrapping", "saving" (incremental saving), "shadow", "annotation",
	// "signature" (a sneaky or reused signature), "structure", "cms", "reading" (a file
	// that programs read in two ways).
	Class string
	// Permitted are the DocMDP permissions under which the change may be lawful and
	// only needs a note; 0 stands for none.
	Permitted int
	// Evidence is true for what only attacks the proof of time: the signature itself
	// stays, and costs at least a note.
	Evidence bool

	make func(*target) ([]byte, error)
}

// errNotHere is why an attack does not apply to a file: it lacks what is attacked.
var errNotHere = fmt.Errorf("attacktest: the file has nothing to attack this way")

// Make forges doc. It returns nil when the attack does not apply: the file has no
// such part. doc is not changed.
func (a Attack) Make(doc []byte) []byte {
	t, err := open(doc)
	if err != nil {
		return nil
	}
	forged, err := a.make(t)
	if err != nil || bytes.Equal(forged, doc) {
		return nil
	}
	return forged
}

// All returns every attack.
func All() []Attack {
	var all []Attack
	for _, list := range [][]Attack{forgeries(), wrappings(), savings(), shadows(), annotations(), signatures(), structures(), confusions(), readings(),
		arithmetic(), layers(), looks(), letters(), danglings()} {
		all = append(all, list...)
	}
	return all
}

// target is the honest document.
type target struct {
	doc  []byte
	file *pdf.File
	// sig is the newest signature whose place in the file is known.
	sig pades.Signature
	all []pades.Signature
}

func open(doc []byte) (*target, error) {
	f, err := pdf.Open(bytes.NewReader(doc), int64(len(doc)), pdf.Options{})
	if err != nil {
		return nil, err
	}
	all, err := pades.Signatures(f)
	if err != nil {
		return nil, err
	}
	t := &target{doc: doc, file: f, all: all}
	for i := range all {
		s := &all[i]
		if s.Signed() && s.HasByteRange && !s.DocumentTimestamp() && s.ContentsStart > t.sig.ContentsStart {
			t.sig = *s
		}
	}
	if t.sig.Value == nil {
		return nil, errNotHere
	}
	return t, nil
}

// update appends an incremental update.
func (t *target) update(edit func(u *pdf.Update) error) ([]byte, error) {
	u := t.file.NewUpdate()
	if err := edit(u); err != nil {
		return nil, err
	}
	built, err := u.Build()
	if err != nil {
		return nil, err
	}
	return append(bytes.Clone(t.doc), built.Data...), nil
}

// catalog edits the catalog in an update.
func (t *target) catalog(edit func(u *pdf.Update, root *pdf.Dict) error) ([]byte, error) {
	ref, root, err := t.file.Root()
	if err != nil {
		return nil, err
	}
	return t.update(func(u *pdf.Update) error {
		d := root.Clone()
		if err := edit(u, d); err != nil {
			return err
		}
		u.Put(ref, d)
		return nil
	})
}

// page edits the first page in an update.
func (t *target) page(edit func(u *pdf.Update, page *pdf.Dict) error) ([]byte, error) {
	ref, page, err := t.file.Page(1)
	if err != nil || ref == (pdf.Ref{}) {
		return nil, errNotHere
	}
	return t.update(func(u *pdf.Update) error {
		d := page.Clone()
		if err := edit(u, d); err != nil {
			return err
		}
		u.Put(ref, d)
		return nil
	})
}

// reference is o as a reference; errNotHere when it is none.
func reference(o pdf.Object) (pdf.Ref, error) {
	ref, ok := o.(pdf.Ref)
	if !ok {
		return pdf.Ref{}, errNotHere
	}
	return ref, nil
}

// black is a page content that shows nothing of what was there.
func black() *pdf.Stream {
	return pdf.NewStream(pdf.NewDict(), []byte("0 0 0 rg 0 0 9999 9999 re f\n"))
}
