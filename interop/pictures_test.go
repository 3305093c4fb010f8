//go:build interop

package interop_test

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// docsEnv names the folder of the documentation's pictures, to be taken anew.
const docsEnv = "ANTIN_DOC_PICTURES"

// picturesEnv names a folder for pictures of the pages that are judged: each at both
// widths in one PNG, as they stand and, where an address leads there, in English.
// A person looks at them; nothing is decided by them.
const picturesEnv = "ANTIN_PICTURES"

// tallest bounds a picture: what comes below is cut off.
const tallest = 2200

var unsafeInName = regexp.MustCompile(`[^0-9a-zA-Z]+`)

// settled is how long a page gets to draw itself for a picture.
const settled = 300 * time.Millisecond

// picture keeps what the page looks like now, and in English.
func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv(picturesEnv)
	if dir == "" {
		return
	}
	b.pictured++
	base := filepath.Join(dir, fmt.Sprintf("%03d-%s", b.pictured, strings.Trim(unsafeInName.ReplaceAllString(name, "-"), "-")))
	b.keep(base + "-vi.png")
	at := evaluate[string](b, `location.href`)
	if again := evaluate[int](b, `fetch(location.href).then(r=>r.status)`); again != 200 {
		return // what a form answered: no address leads there
	}
	sep := "?"
	if strings.Contains(at, "?") {
		sep = "&"
	}
	path, fragment, _ := strings.Cut(at, "#")
	b.open(path + sep + "lang=en#" + fragment)
	b.keep(base + "-en.png")
	b.open(at)
}

// keep writes the page at both widths, side by side.
func (b *browser) keep(file string) {
	b.t.Helper()
	var both []image.Image
	w, h := 0, 0
	for _, width := range []int64{1280, narrow} {
		b.run(chromedp.EmulateViewport(width, 1500))
		img := b.shot()
		both = append(both, img)
		w, h = w+img.Bounds().Dx()+8, max(h, min(tallest, img.Bounds().Dy()))
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	x := 0
	for _, img := range both {
		draw.Draw(out, image.Rect(x, 0, x+img.Bounds().Dx(), h), img, image.Point{}, draw.Src)
		x += img.Bounds().Dx() + 8
	}
	b.write(file, out)
	b.run(chromedp.EmulateViewport(1280, 900))
}

// shot is the whole page.
func (b *browser) shot() image.Image {
	b.t.Helper()
	data, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		b.t.Fatal(err)
	}
	return img
}

func (b *browser) write(file string, img image.Image) {
	b.t.Helper()
	var buf bytes.Buffer
	err := png.Encode(&buf, img)
	if err == nil {
		err = os.WriteFile(file, buf.Bytes(), 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// take writes the upper part of the page, or all of it when height is 0.
func (b *browser) take(dir, name string, width, height int64) {
	b.t.Helper()
	b.run(chromedp.EmulateViewport(width, max(height, 900)), chromedp.Sleep(settled))
	img := b.shot()
	if r := img.Bounds(); height > 0 && int64(r.Dy()) > height {
		out := image.NewRGBA(image.Rect(0, 0, r.Dx(), int(height)))
		draw.Draw(out, out.Bounds(), img, image.Point{}, draw.Src)
		img = out
	}
	b.write(filepath.Join(dir, name+".png"), img)
	b.run(chromedp.EmulateViewport(1280, 900))
}

// TestPicturesOfTheDocumentation takes the pictures that the documentation shows.
func TestPicturesOfTheDocumentation(t *testing.T) {
	dir := os.Getenv(docsEnv)
	if dir == "" {
		t.Skip(docsEnv + " is not set: the pictures stay as they are")
	}
	d, b := liveDemo(t), newBrowser(t)
	b.open(d.start)
	b.run(chromedp.Click(`form[action="/start/prepare"] button.primary`), chromedp.WaitVisible(`#card1 .thumb`))
	b.run(chromedp.Click(`form[action="/start/send"] button`), chromedp.WaitVisible(`#see`))
	b.run(chromedp.Click(`form[action="/start/tamper"] button`), chromedp.WaitVisible(`#see4`))
	b.take(dir, "start", 1280, 900)
	b.receiving(d, dir)
	b.looking(d, dir)
	b.as(d, "H98.21", "van_thu")
	b.issuing(d, dir)
}

// receiving takes the pictures of the agency that receives.
func (b *browser) receiving(d running, dir string) {
	b.t.Helper()
	b.as(d, "H98.35", "van_thu")
	b.eventually(d.desk+"/b/inbox", "KHÔNG HỢP LỆ")
	b.take(dir, "inbox", 1280, 420)
	b.run(chromedp.Click(chromedp.Search(`//tr[contains(.,"02/UBND-VP") and not(contains(.,"SUA"))]//a`)), chromedp.WaitReady(`#accept-title`), chromedp.WaitVisible(`.paper img`))
	b.take(dir, "inbox-item", 1180, 800)
	b.take(dir, "inbox-phone", narrow, 900)
}

// looking takes the pictures of who looks after the gateway.
func (b *browser) looking(d running, dir string) {
	b.t.Helper()
	b.as(d, "H98.21", "it")
	b.open(d.desk + "/a/accounts/new")
	b.run(chromedp.SendKeys("#login", "tran.binh"), chromedp.SendKeys("#name", "Trần Thị Bình"), chromedp.SendKeys("#role", "Lãnh"), chromedp.SendKeys("#position", "PHÓ CHỦ TỊCH"),
		chromedp.SendKeys("#position", kb.Enter), chromedp.WaitVisible(".secret"))
	b.open(d.desk + "/a/home")
	b.take(dir, "today", 1280, 420)
	b.open(d.desk + "/a/search?q=UBND-VP")
	b.run(chromedp.Click(chromedp.Search(`//tr[contains(.,"02/UBND-VP") and not(contains(.,"SUA"))]//a`)), chromedp.WaitReady(`#timeline`))
	b.take(dir, "trace", 1280, 600)
}

// issuing takes the pictures of the agency that issues, and of what everyone
// may see of it.
func (b *browser) issuing(d running, dir string) {
	b.t.Helper()
	b.open(d.desk + "/a/documents")
	b.run(chromedp.Click(chromedp.Search(`//tr[.//th[contains(.,"02/UBND-VP") and not(contains(.,"SUA"))]]//a`)), chromedp.WaitReady("#recall"), chromedp.WaitVisible(`.paper img`))
	b.take(dir, "outgoing", 1180, 800)
	path := evaluate[string](b, `location.pathname`)
	b.open(d.desk + "/a/registers")
	b.take(dir, "register", 1280, 420)
	b.open(d.desk + "/a/results")
	b.run(chromedp.Click(`a.row`), chromedp.WaitReady(`#timeline`), chromedp.WaitVisible(`.paper img`))
	check := evaluate[string](b, `document.querySelector('a[href*="/q/"]').href`)
	src := evaluate[string](b, `document.querySelector(".paper img").src`)
	b.run(chromedp.Navigate(src))
	b.take(dir, "result", 636, 899)
	b.open(check)
	b.take(dir, "look-up", narrow, 780)
	b.open(d.desk + path)
	file := b.fetched(path+"/file", "ket-qua.pdf")
	b.open(d.public + "/")
	b.run(chromedp.SetUploadFiles(`#file`, []string{file}), chromedp.WaitVisible(`#headline`))
	b.take(dir, "verify", 1280, 0)
}
