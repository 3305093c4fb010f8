package validation_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
	"antin/signer/validation/attacktest"
)

// sides compares a document both ways after every revision, and counts how often the
// short way was enough.
type sides struct{ compared, short int }

func (s *sides) compare(t *testing.T, name string, doc []byte) {
	t.Helper()
	s.compareFrom(t, name, doc, 12) // enough of one file
}

// compareFrom compares after every revision up to the one given; after the first, the
// comparison holds all that follows.
func (s *sides) compareFrom(t *testing.T, name string, doc []byte, last int) {
	t.Helper()
	for first := range last + 1 {
		everywhere, nearby, done, err := validation.BothComparisons(context.Background(),
			validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc))}, first)
		if err != nil || everywhere == "" {
			continue // no such revision, or none that can be read
		}
		s.compared++
		if !done {
			continue
		}
		s.short++
		if everywhere != nearby {
			t.Errorf("%s after revision %d:\nwith every path: %s\nnearby:          %s", name, first+1, everywhere, nearby)
		}
	}
}

func TestComparingNearbyFindsWhatComparingEverywhereFinds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var s sides
	for _, kind := range padestest.Kinds() {
		doc := b.sign(padestest.Simple(kind, "1.7").Bytes(), pades.Options{}, as{stamp: true})
		for i := range 3 {
			doc = b.sign(doc, pades.Options{FieldName: fmt.Sprintf("S%d", i)}, as{})
		}
		doc = b.archive(b.longTerm(doc, b.Leader()))
		before := s.short
		s.compare(t, fmt.Sprint(kind), doc)
		if s.short-before < 4 {
			t.Errorf("%v: only %d comparisons were made nearby", kind, s.short-before)
		}
		for _, a := range attacktest.All() {
			if forged := a.Make(doc); forged != nil {
				s.compareFrom(t, fmt.Sprintf("%v, %s", kind, a.Name), forged, 1)
			}
		}
	}
	s.compare(t, "issued", b.issued(false))
	s.compare(t, "issued and archived", b.issued(true))
	t.Logf("%d comparisons, %d of them nearby", s.compared, s.short)
}

func TestComparingTheCorpusNearbyFindsWhatComparingEverywhereFinds(t *testing.T) {
	t.Parallel()
	root := os.Getenv("ANTIN_CORPUS")
	if root == "" {
		t.Skip("ANTIN_CORPUS is not set: the corpus of PDFs is not at hand")
	}
	var s sides
	err := filepath.WalkDir(filepath.Join(root, "pdf"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.EqualFold(filepath.Ext(path), ".pdf") {
			return err
		}
		doc, err := os.ReadFile(path)
		if err == nil && len(doc) < 4<<20 {
			s.compare(t, e.Name(), doc)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.short < 10 {
		t.Errorf("only %d of %d comparisons were made nearby", s.short, s.compared)
	}
	t.Logf("%d comparisons, %d of them nearby", s.compared, s.short)
}

// TestADanglingReferenceThatComesToLifeIsForbidden signs a document that refers to
// numbers nobody defined, in every spelling, and defines them together with what a
// signature brings: nothing but new numbers and a page.
func TestADanglingReferenceThatComesToLifeIsForbidden(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, reference := range map[string]string{
		"plain":                     "900 0 R",
		"no blank before the R":     "900 0R",
		"line ends":                 "900\r\n0\nR",
		"a comment between":         "900 % not yet\n0 R",
		"a comment before the R":    "900 0 %\nR",
		"two comments":              "900%\n%\n0 R",
		"zeros in front":            "000900 00 R",
		"a mile of white space":     "900" + strings.Repeat(" ", 3000) + "0 R",
		"a comment of a page":       "900 0 %" + strings.Repeat("x", 3000) + "\nR",
		"over the edge of a window": "900 0 R" + strings.Repeat(" ", 3000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signed := dangling(b, strings.Replace(reference, "900", "3000", 1)) // a number that is in use
			size, _ := b.open(signed).Trailer().Get("Size").(pdf.Number)
			next, _ := size.Int64()
			signed = dangling(b, strings.Replace(reference, "900", fmt.Sprint(next), 1))
			if r := b.judge(b.online(), signed); r.Verdict != validation.Valid {
				t.Fatalf("the honest file is %s: %s", r.Verdict, explain(r))
			}
			forged := b.update(signed, func(_ *pdf.File, u *pdf.Update) {
				u.Add(pdf.NewDict("Type", pdf.Name("Shown")))
			})
			if r := b.judge(b.online(), forged); r.Verdict != validation.Invalid {
				t.Errorf("is %s: %s", r.Verdict, explain(r))
			}
		})
	}
}

// dangling is a signed document of many objects whose page refers to something.
func dangling(b *bench, reference string) []byte {
	doc := crowded(3_000)
	doc = doc.With(3, strings.Replace(doc.Objects[3], "/Type", "/PieceInfo << /Kept ["+reference+"] >> /Type", 1))
	return b.sign(doc.Bytes(), pades.Options{}, as{})
}
