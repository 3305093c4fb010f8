package pdf_test

import (
	"fmt"
	"strings"
	"testing"

	"antin/internal/text"
	"antin/signer/pdf"
)

// tree writes a file whose page tree is given by the bodies of objects 2 and on.
func tree(bodies ...string) []byte {
	d := newDraft()
	d.obj(1, "<</Type/Catalog/Pages 2 0 R>>")
	nums := []int{1}
	for i, b := range bodies {
		d.obj(i+2, b)
		nums = append(nums, i+2)
	}
	d.table(fmt.Sprintf("/Size %d/Root 1 0 R", len(bodies)+2), nums...)
	return d.Bytes()
}

func TestPagesAreCountedFromOneThroughSubtrees(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, tree(
		"<</Type/Pages/Kids[3 0 R 4 0 R 7 0 R]/Count 4/MediaBox[0 0 10 10]/Rotate 90>>",
		"<</Type/Page/Parent 2 0 R/N 1>>",
		"<</Type/Pages/Kids[5 0 R 6 0 R]/Count 2/Parent 2 0 R/Rotate 180>>",
		"<</Type/Page/Parent 4 0 R/N 2>>",
		"<</Type/Page/Parent 4 0 R/N 3/Rotate 270>>",
		"<</Type/Page/Parent 2 0 R/N 4>>",
	))
	if n, err := f.NumPages(); err != nil || n != 4 {
		t.Errorf("%d pages, %v", n, err)
	}
	walked := 0
	for p, err := range f.Pages() {
		if err != nil {
			t.Fatal(err)
		}
		walked++
		ref, page, err := f.Page(p.Number)
		if err != nil || ref != p.Ref {
			t.Errorf("page %d is %v, the walk says %v: %v", p.Number, ref, p.Ref, err)
		}
		if n, _ := f.Int(page.Get("N")); int(n) != walked || p.Number != walked {
			t.Errorf("page %d has mark %d", walked, n)
		}
		box, err := f.Inherited(page, "MediaBox")
		if err != nil {
			t.Error(err)
		}
		if r, ok := f.Rect(box); !ok || r != [4]float64{0, 0, 10, 10} {
			t.Errorf("page %d has box %v", walked, r)
		}
		rotate, _ := f.Inherited(page, "Rotate")
		if n, _ := f.Int(rotate); n != []int64{90, 180, 270, 90}[walked-1] {
			t.Errorf("page %d is rotated by %d", walked, n)
		}
		if o, err := f.Inherited(page, "CropBox"); o != nil || err != nil {
			t.Errorf("page %d has a crop box %v, %v", walked, o, err)
		}
	}
	if walked != 4 {
		t.Errorf("walked %d pages", walked)
	}
	for _, n := range []int{-1, 0, 5, 1 << 30} {
		_, _, err := f.Page(n)
		wantCode(t, err, text.PDFMalformed)
	}
}

func TestCountThatEqualsTheKidsButLies(t *testing.T) {
	t.Parallel()
	// Two kids, Count 2, but the second kid is a subtree of one page.
	f := mustOpen(t, tree(
		"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>",
		"<</Type/Page/Parent 2 0 R>>",
		"<</Type/Pages/Kids[5 0 R]/Count 1/Parent 2 0 R>>",
		"<</Type/Page/Parent 4 0 R/N 2>>",
	))
	if ref, _, err := f.Page(2); err != nil || ref.Num != 5 {
		t.Errorf("page 2 is %v, %v", ref, err)
	}
}

func TestPageTreesThatNeverEndAreRefused(t *testing.T) {
	t.Parallel()
	var deep []string
	for i := range 300 {
		deep = append(deep, fmt.Sprintf("<</Type/Pages/Kids[%d 0 R]/Count 1/Parent %d 0 R>>", i+3, i+1))
	}
	deep = append(deep, "<</Type/Page/Parent 301 0 R>>")
	for name, data := range map[string][]byte{
		"a node that is its own kid": tree("<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>"),
		"two nodes in a circle":      tree("<</Type/Pages/Kids[3 0 R]/Count 1/Parent 3 0 R>>", "<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>"),
		"a tree of 300 levels":       tree(deep...),
		"a kid that is missing":      tree("<</Type/Pages/Kids[9 0 R]/Count 1>>"),
		"a kid that is a number":     tree("<</Type/Pages/Kids[3 0 R]/Count 1>>", "12"),
		"kids that double":           tree("<</Type/Pages/Kids[" + strings.Repeat("2 0 R ", 1000) + "]/Count 1000>>"),
	} {
		f := mustOpen(t, data)
		_, _, err := f.Page(1)
		wantCode(t, err, text.PDFMalformed)
		var last error
		for _, err := range f.Pages() {
			last = err
		}
		if text.CodeOf(last) != text.PDFMalformed {
			t.Errorf("%s: walk ends with %v", name, last)
		}
		if node, err := f.Dict(pdf.Ref{Num: 2}); err == nil && node.Has("Parent") && name != "a tree of 300 levels" {
			_, err := f.Inherited(node, "Absent")
			wantCode(t, err, text.PDFMalformed)
		}
	}
}

func TestTypedHelpersRefuseOtherTypes(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, tree("<</Type/Pages/Kids[]/Count 0>>", "[1 2 3]", "(s)", "/N", "1.5", "true", "<</A 1>>\nstream\nx\nendstream"))
	ref := func(n int) pdf.Ref { return pdf.Ref{Num: n} }
	for name, err := range map[string]error{
		"Dict of an array":   second(f.Dict(ref(3))),
		"Array of a string":  second(f.Array(ref(4))),
		"String of a name":   second(f.String(ref(5))),
		"Name of a number":   second(f.Name(ref(6))),
		"Int of a real":      second(f.Int(ref(6))),
		"Number of a bool":   second(f.Number(ref(7))),
		"Bool of an array":   second(f.Bool(ref(3))),
		"Stream of an array": second(f.Stream(ref(3))),
	} {
		if text.CodeOf(err) != text.PDFMalformed {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	if v, err := f.Number(ref(6)); v != 1.5 || err != nil {
		t.Errorf("number is %v, %v", v, err)
	}
	if v, err := f.Bool(ref(7)); !v || err != nil {
		t.Errorf("boolean is %v, %v", v, err)
	}
	if d, err := f.Dict(ref(8)); d == nil || err != nil {
		t.Errorf("dictionary of a stream is %v, %v", d, err)
	}
	for _, absent := range []pdf.Object{nil, pdf.Null{}, ref(99)} {
		if d, err := f.Dict(absent); d != nil || err != nil {
			t.Errorf("absent dictionary is %v, %v", d, err)
		}
		if n, err := f.Int(absent); n != 0 || err != nil {
			t.Errorf("absent integer is %v, %v", n, err)
		}
	}
	if _, ok := f.Rect(ref(3)); ok {
		t.Error("three numbers pass for a rectangle")
	}
	if r, ok := f.Rect(pdf.Array{pdf.Int(9), pdf.Int(8), pdf.Int(1), pdf.Int(2)}); !ok || r != [4]float64{1, 2, 9, 8} {
		t.Errorf("corners are not put in order: %v", r)
	}
}

func second[T any](_ T, err error) error { return err }
