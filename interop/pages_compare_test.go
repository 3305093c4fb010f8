//go:build interop

package interop_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"antin/signer/pdf"
	"antin/signer/pdf/find"
)

// retouched is a signed file in which later hands painted over some words of the
// last page that holds them and wrote others in their place.
func retouched(t *testing.T, doc []byte, words, instead string) []byte {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(doc), int64(len(doc)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	at, err := find.Last(f, words, 0)
	if err != nil {
		t.Fatal(err)
	}
	ref, page, err := f.Page(at.Page)
	if err != nil {
		t.Fatal(err)
	}
	u := f.NewUpdate()
	font := u.Add(pdf.NewDict("Type", pdf.Name("Font"), "Subtype", pdf.Name("Type1"), "BaseFont", pdf.Name("Times-Roman")))
	b := at.Box
	paint := u.Add(pdf.NewStream(pdf.NewDict(), fmt.Appendf(nil, "q 1 g %.2f %.2f %.2f %.2f re f Q BT /Later 13 Tf %.2f %.2f Td (%s) Tj ET\n",
		b[0]-1, b[1]-4, b[2]-b[0]+2, b[3]-b[1]+5, b[0], b[1], instead)))
	contents, err := f.Resolve(page.Get("Contents"))
	if err != nil {
		t.Fatal(err)
	}
	list, ok := contents.(pdf.Array)
	if !ok {
		list = pdf.Array{page.Get("Contents")}
	}
	resources, err := f.Resolve(page.Get("Resources"))
	if err != nil {
		t.Fatal(err)
	}
	own := resources.(*pdf.Dict).Clone()
	fonts, err := f.Resolve(own.Get("Font"))
	if err != nil {
		t.Fatal(err)
	}
	more := fonts.(*pdf.Dict).Clone()
	more.Set("Later", font)
	own.Set("Font", more)
	changed := page.Clone()
	changed.Set("Contents", append(list[:len(list):len(list)], paint))
	changed.Set("Resources", own)
	u.Put(ref, changed)
	built, err := u.Build()
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(doc), built.Data...)
}

// choose gives the page's form a file of that content; with scripts it is sent at once.
func (b *browser) choose(name string, data []byte) {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.run(chromedp.SetUploadFiles(`#file`, []string{file}))
}

// finished waits until the pictures of a page stand.
func (b *browser) finished() {
	b.t.Helper()
	b.run(chromedp.WaitVisible(`.sheet .frame`))
	for range 200 {
		if evaluate[bool](b, `[...document.querySelectorAll(".paper .sheet img")].every(i => { i.loading = "eager"; return i.complete && i.naturalWidth > 0 })`) {
			return
		}
		b.run(chromedp.Sleep(50 * time.Millisecond))
	}
	b.t.Fatal("the pictures of the pages do not come")
}

// signedDocument is the file that the demo's agency A sent, and one altered after it.
func (b *browser) signedDocument(d running) (honest, altered []byte) {
	b.t.Helper()
	b.open(d.start)
	b.run(chromedp.Click(`form[action="/start/prepare"] button.primary`), chromedp.WaitVisible(`#card1 .thumb`))
	b.as(d, "H98.21", "van_thu")
	b.open(d.desk + "/a/documents")
	b.run(chromedp.Click(`a.row`), chromedp.WaitReady(`#timeline`))
	honest, err := os.ReadFile(b.fetched(evaluate[string](b, `document.querySelector('a[href$="/file"]').getAttribute("href")`), "van-ban.pdf"))
	if err != nil {
		b.t.Fatal(err)
	}
	return honest, retouched(b.t, honest, changedWords, "8.000.000")
}

// changedWords stand in the demo's document.
const changedWords = "3.000.000"

// TestSignedVersionIsComparedInABrowser checks an altered and an untouched file at the
// desk and in public: frames, slider, hatching, list, by keyboard and on a phone.
func TestSignedVersionIsComparedInABrowser(t *testing.T) {
	d, b := liveDemo(t), newBrowser(t)
	honest, altered := b.signedDocument(d)

	b.open(d.desk + "/a/verifications")
	b.choose("vanban-da-sua.pdf", altered)
	b.run(chromedp.WaitVisible(`.verdict`), chromedp.WaitVisible(`#wipe`)) // both versions are drawn behind the verdict
	b.finished()
	if !strings.Contains(evaluate[string](b, `location.pathname`), "/verifications/kt_") {
		t.Error("the address is not that of the kept report")
	}
	b.say("KHÔNG HỢP LỆ", "So với bản đã ký", "Khác bản mà")
	b.judge("comparison: altered")
	b.slides()
	b.run(chromedp.Evaluate[chromedp.Void](`{const s=document.querySelector("#wipe");s.value=50;s.dispatchEvent(new Event("input",{bubbles:true}))}`))
	b.picture("comparison: half way")
	b.leads()

	b.open(d.desk + "/a/verifications")
	b.choose("vanban.pdf", honest)
	b.run(chromedp.WaitVisible(`.verdict`))
	b.finished()
	b.judge("comparison: honest")

	b.open(d.public + "/")
	b.choose("vanban-da-sua.pdf", altered)
	b.run(chromedp.WaitVisible(`.verdict`), chromedp.WaitVisible(`#wipe`)) // both versions are drawn behind the verdict
	b.finished()
	b.say("KHÔNG HỢP LỆ", "So với bản đã ký")
	b.slides()
	b.judge("public comparison: altered") // its picture opens the form anew
	b.choose("khong.pdf", []byte("không phải PDF"))
	b.run(chromedp.WaitVisible(`#problem .note`))
	b.judge("public comparison: an error")
	b.quiet()
}

// slides moves the divider by the keyboard alone and looks at what is shown.
func (b *browser) slides() {
	b.t.Helper()
	shown := func() float64 {
		return evaluate[float64](b, `parseFloat(getComputedStyle(document.querySelector(".paper")).getPropertyValue("--wipe"))||0`)
	}
	b.run(chromedp.Evaluate[chromedp.Void](`{const s=document.querySelector("#wipe");s.value=0;s.dispatchEvent(new Event("input",{bubbles:true}));scrollTo(0,0);document.activeElement.blur()}`))
	b.press(kb.ArrowRight, `e.id === "wipe"`)
	if got := shown(); got != 5 {
		b.t.Errorf("an arrow moves the divider to %v %%", got)
	}
	if said := evaluate[string](b, `document.querySelector("#wipe").getAttribute("aria-valuetext")`); !strings.Contains(said, "5") {
		b.t.Errorf("the slider says %q", said)
	}
	b.run(chromedp.KeyEvent(kb.End))
	if got, said := shown(), evaluate[string](b, `document.querySelector("#wipe").getAttribute("aria-valuetext")`); got != 100 || said != "Bản đã ký" {
		b.t.Errorf("End shows %v %%, said as %q", got, said)
	}
	b.run(chromedp.KeyEvent(kb.Home))
	b.press(" ", `e.dataset.wipeTo === "100"`)
	if got := shown(); got != 100 {
		b.t.Errorf("the button shows %v %%", got)
	}
}

// leads follows the first change of the list to its place by the keyboard.
func (b *browser) leads() {
	b.t.Helper()
	b.press(kb.Enter, `e.matches('.changes a[href^="#change-"], .changes a[href^="#page-"]')`)
	if !evaluate[bool](b, `(e => { const r = e.getBoundingClientRect(); return r.top < innerHeight && r.bottom > 0 })(document.querySelector(":target"))`) {
		b.t.Error("the place of the change is not on the screen")
	}
}

// TestSignedVersionIsSeenWithoutScripts chooses between the two versions where no
// script runs.
func TestSignedVersionIsSeenWithoutScripts(t *testing.T) {
	d, b := liveDemo(t), newBrowser(t)
	_, altered := b.signedDocument(d)
	b.without()
	covered := func() bool { // whether the signed version lies over the other
		return evaluate[bool](b, `!getComputedStyle(document.querySelector(".sheet .was")).clipPath.includes("100%")`)
	}
	for _, at := range []string{d.desk + "/a/verifications", d.public + "/"} {
		b.open(at)
		b.choose("vanban-da-sua.pdf", altered)
		b.submit(`form.drop button`)
		for range 50 {
			if b.says("Khác bản mà") {
				break
			}
			b.open(evaluate[string](b, `location.href`))
		}
		if covered() {
			t.Errorf("%s: begins with the signed version", at)
		}
		b.run(chromedp.Click(`#see-signed`))
		if !covered() {
			t.Errorf("%s: the signed version is not shown", at)
		}
		b.run(chromedp.Click(`#see-now`))
		if covered() {
			t.Errorf("%s: the signed version stays", at)
		}
	}
	b.quiet()
}
