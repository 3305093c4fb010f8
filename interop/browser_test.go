//go:build interop

package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"antin/web"
)

// narrow is the width of a small telephone, in CSS pixels (WCAG 2.2, 1.4.10).
const narrow = 360

// browser is a real browser with one tab, and axe-core to put into its pages.
type browser struct {
	t   *testing.T
	ctx context.Context
	axe string

	mu       sync.Mutex
	complain []string // what the browser said of the pages: exceptions and refusals
	pictured int      // pictures kept so far
}

// newBrowser starts Chromium. ANTIN_AXE names axe.min.js of axe-core.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := os.Getenv("ANTIN_AXE")
	if path == "" {
		t.Fatal("ANTIN_AXE is not set: run `npm install axe-core` in a folder of its own and set ANTIN_AXE=…/node_modules/axe-core/axe.min.js")
	}
	axe, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, axe: string(axe)}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, cdplog.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.complain = append(b.complain, e.ExceptionDetails.Text+" "+e.ExceptionDetails.URL)
	case *cdplog.EventEntryAdded:
		if e.Entry.Source == "security" || strings.Contains(e.Entry.Text, "Refused to") {
			b.complain = append(b.complain, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func (b *browser) run(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, toolTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// open goes to an address and waits for the page.
func (b *browser) open(address string) {
	b.t.Helper()
	b.run(chromedp.Navigate(address), chromedp.WaitReady("#main"))
}

// evaluate is what an expression, or the promise that it makes, comes to in the page.
func evaluate[T any](b *browser, js string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, toolTimeout)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// says reports whether the page shows words.
func (b *browser) says(words string) bool {
	b.t.Helper()
	quoted, _ := json.Marshal(words) // a string always encodes
	return evaluate[bool](b, fmt.Sprintf(`document.body.innerText.includes(%s)`, quoted))
}

// eventually opens a page until it says words.
func (b *browser) eventually(address, words string) {
	b.t.Helper()
	for range 100 {
		b.open(address)
		if b.says(words) {
			return
		}
		b.run(chromedp.Sleep(200 * time.Millisecond))
	}
	b.t.Fatalf("%s never says %q", address, words)
}

// violation is what axe found wrong.
type violation struct {
	ID     string
	Impact string
	Help   string
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	}
}

// grave is what axe finds serious or critical on the page as it stands.
func (b *browser) grave() []violation {
	b.t.Helper()
	found := evaluate[[]violation](b, b.axe+`;axe.run(document,{runOnly:{type:"tag",values:["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]},resultTypes:["violations"]}).then(r=>r.violations)`)
	return slices.DeleteFunc(found, func(v violation) bool { return v.Impact != "serious" && v.Impact != "critical" })
}

// judge has axe look at the page as it stands, at both widths, and sees that at the
// narrow one nothing scrolls sideways.
func (b *browser) judge(name string) {
	b.t.Helper()
	b.t.Log("judging " + name)
	for _, width := range []int64{1280, narrow} {
		b.run(chromedp.EmulateViewport(width, 900))
		for _, v := range b.grave() {
			b.t.Errorf("%s at %d px: %s: %s", name, width, v.ID, v.Help)
			for _, n := range v.Nodes[:min(3, len(v.Nodes))] {
				b.t.Errorf("    %.300s\n    %.300s", n.HTML, n.Summary)
			}
		}
	}
	if wide := evaluate[int](b, `document.scrollingElement.scrollWidth`); wide > narrow {
		guilty := evaluate[string](b, fmt.Sprintf(`[...document.querySelectorAll("body *")].filter(e=>e.getBoundingClientRect().right>%d).slice(-3).map(e=>e.outerHTML.slice(0,120)).join("\n")`, narrow))
		b.t.Errorf("%s is %d px wide on a screen of %d: %s", name, wide, narrow, guilty)
	}
	b.picture(name)
	b.run(chromedp.EmulateViewport(1280, 900))
}

// quiet fails when the browser had anything to say against a page.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complain {
		b.t.Errorf("the browser complains: %s", c)
	}
}

// shape is a path with what names one thing taken out.
var shape = regexp.MustCompile(`\b(?:vb|vd|kq|kt|tk|ak|dl)_[0-9a-z]+|\b20\d\d\b|\bH\d\d\.\d+`)

// files are the ends of paths that answer a file or a picture, which axe cannot read.
var files = regexp.MustCompile(`/(?:file|message|receipt|report|csv|edxml|logout|enter)$|/files/(?:\d+|\*)$|/documents/[^/]+/deliveries/|/state$|/pages/|\.(?:png|txt|pdf|xml)$|/export/|/assets/`)

// manyOfOne is how many pages of one shape a crawl opens: documents differ in how
// far they are, and so in where they lead.
const manyOfOne = 5

// judgedOfOne is how many of them are judged.
const judgedOfOne = 3

// crawl opens the pages that can be reached by links below prefix and judges those
// whose shape was not judged often enough. It returns the shapes.
func (b *browser) crawl(origin, prefix, state string, judged map[string]int, more []string) []string {
	b.t.Helper()
	todo, seen, asked, perShape := []string{prefix + "/"}, map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, m := range more {
		if strings.HasPrefix(m, prefix+"/") {
			todo = append(todo, m)
		}
	}
	first := true
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		b.open(origin + path)
		at := evaluate[struct {
			Path  string
			Links []string
		}](b, `({Path: location.pathname, Links: [...document.links].filter(a => a.origin === location.origin).map(a => a.pathname + a.search)})`)
		s := shape.ReplaceAllString(at.Path, "*")
		linked, _, _ := strings.Cut(path, "?")
		seen[s], seen[shape.ReplaceAllString(linked, "*")] = true, true
		if name := strings.TrimPrefix(s, prefix); first || judged[name] < judgedOfOne { // the first shows the role's own navigation
			judged[name]++
			first = false
			b.judge(state + ": " + at.Path)
		}
		for _, l := range at.Links {
			l, _, _ = strings.Cut(l, "?")
			s := shape.ReplaceAllString(l, "*")
			if !strings.HasPrefix(l, prefix+"/") || files.MatchString(l) || asked[l] || perShape[s] == manyOfOne {
				continue
			}
			asked[l] = true
			perShape[s]++
			todo = append(todo, l)
		}
	}
	var out []string
	for s := range seen {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// as takes a role of an agency on the start page.
func (b *browser) as(d running, agency, role string) {
	b.t.Helper()
	b.open(d.desk + "/")
	b.run(chromedp.Click(chromedp.Search(fmt.Sprintf(`//form[.//input[@name="agency" and @value=%q]]//button[@value=%q]`, agency, role))), chromedp.WaitReady("#menu"))
}

// The demo's agencies and the roles that may be taken there.
var demoRoles = map[string]struct {
	prefix string
	roles  []string
}{
	"H98.21": {"/a", []string{"van_thu", "lanh_dao", "mot_cua", "it"}},
	"H98.35": {"/b", []string{"van_thu", "it"}},
}

// crawlAll visits the desks in every role, beginning also at the addresses in more,
// and returns the shapes seen, without prefix.
func (b *browser) crawlAll(d running, state string, more ...string) map[string]bool {
	b.t.Helper()
	seen, judged := map[string]bool{}, map[string]int{}
	for agency, at := range demoRoles {
		for _, role := range at.roles {
			b.as(d, agency, role)
			for _, s := range b.crawl(d.desk, at.prefix, state+" as "+role, judged, more) {
				seen[strings.TrimPrefix(s, at.prefix)] = true
			}
		}
	}
	return seen
}

// TestPagesAreAccessible judges every page of desk, operator, public and start:
// empty, full, and with an error shown.
func TestPagesAreAccessible(t *testing.T) {
	d, b := liveDemo(t), newBrowser(t)
	b.open(d.desk + "/") // without a ticket
	b.judge("start, closed")
	b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("main").append(document.createElement("input"))`))
	if len(b.grave()) == 0 {
		t.Fatal("axe finds nothing wrong with a field that has no name")
	}
	b.open(d.start)
	b.judge("start, empty")
	b.crawlAll(d, "empty")

	b.open(d.desk + "/")
	b.run(chromedp.Click(`form[action="/start/prepare"] button.primary`), chromedp.WaitVisible(`#card1 .thumb`))
	b.run(chromedp.Click(`form[action="/start/send"] button`), chromedp.WaitVisible(`#see`))
	b.run(chromedp.Click(`form[action="/start/tamper"] button`), chromedp.WaitVisible(`#see4`))
	b.judge("start, full")
	b.as(d, "H98.35", "van_thu")
	b.eventually(d.desk+"/b/inbox", "KHÔNG HỢP LỆ")
	b.halfWay(d)
	seen := b.crawlAll(d, "full", "/a/search?q=UBND", "/a/lanes/H98.35?tab=DELIVERED")
	for _, rt := range (web.Desk{}).Routes() {
		path := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(strings.TrimSuffix(rt.Path, "{$}"), "*")
		if rt.Method != http.MethodGet || files.MatchString(path) || path == "/" || slices.Contains(unlinked, path) {
			continue
		}
		if !seen[strings.Replace(path, "/registers/*", "/registers/den", 1)] {
			t.Errorf("no link leads to %s", path)
		}
	}
	b.errors(d)
	b.publicPages(d)
	b.quiet()
	t.Logf("counts: shapes of pages in a browser %d", len(seen))
}

// unlinked are pages that only a log-in, a ticket or a form leads to.
var unlinked = []string{"/login", "/accounts/new", "/verifications/*"}

// errors judges pages with an error shown.
func (b *browser) errors(d running) {
	b.t.Helper()
	b.as(d, "H98.35", "van_thu")
	b.eventually(d.desk+"/b/inbox", "HỢP LỆ")
	item := evaluate[string](b, `document.querySelector("a.row").pathname`)
	for _, at := range []struct{ name, path, form string }{
		{"refusing without a note", item, `form[data-refusal]`},
		{"nothing found", "/b/inbox?q=khongco", ""},
		{"no such page", "/b/nothing", ""},
		{"no such document", "/b/inbox/vd_none", ""},
		{"not for this role", "/b/accounts", ""},
		{"log-in", "/b/password", `form[action^="/b/password"]`},
		{"checking nothing", "/b/verifications", `form[data-drop]`},
		{"an empty document", "/b/documents/new", `main form[method="post"]`},
	} {
		b.open(d.desk + at.path)
		if at.form != "" {
			b.run(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{const f=document.querySelector(%q);f.noValidate=true;f.querySelectorAll("[required]").forEach(e=>e.required=false);
				const other=f.querySelector('[value="other"]');if(other)other.checked=true;HTMLFormElement.prototype.submit.call(f)}`, at.form)), chromedp.Sleep(time.Second), chromedp.WaitReady("#main"))
			if !b.hasProblem() {
				b.t.Errorf("%s: no error is shown", at.name)
			}
		}
		b.judge(at.name)
	}
}

// hasProblem reports whether the page shows an error in its place.
func (b *browser) hasProblem() bool {
	b.t.Helper()
	return evaluate[bool](b, `!!document.querySelector("#problem .note, [aria-invalid=true], .field-error")`)
}

// publicPages judges the pages for everyone.
func (b *browser) publicPages(d running) {
	b.t.Helper()
	b.open(d.public + "/")
	b.judge("public, empty")
	b.as(d, "H98.21", "van_thu")
	b.open(d.desk + "/a/results")
	b.run(chromedp.Click(`a.row`), chromedp.WaitReady(`#timeline`))
	check := evaluate[string](b, `document.querySelector('a[href*="/q/"]').href`)
	b.open(check)
	b.judge("a result that was issued")
	b.open(d.public + "/q/khongco")
	b.judge("a result that does not exist")
	pdf := b.t.TempDir() + "/khong.pdf"
	if err := os.WriteFile(pdf, []byte("không phải PDF"), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.open(d.public + "/")
	b.run(chromedp.SetUploadFiles(`#file`, []string{pdf}), chromedp.WaitVisible(`#problem .note`))
	b.judge("public, with an error")
	u, err := url.Parse(check)
	if err != nil || "http://"+u.Host != d.public {
		b.t.Errorf("the QR leads to %s", check)
	}
}

// press sends Tab until what has the focus answers to the expression is, then key.
func (b *browser) press(key, is string) {
	b.t.Helper()
	for range 120 {
		b.run(chromedp.KeyEvent(kb.Tab))
		if evaluate[bool](b, fmt.Sprintf(`(e => !!(%s))(document.activeElement)`, is)) {
			if !evaluate[bool](b, `(e => e.matches(":focus-visible") && getComputedStyle(e).outlineStyle !== "none")(document.activeElement)`) {
				b.t.Errorf("the focus cannot be seen on %s", is)
			}
			b.run(chromedp.KeyEvent(key))
			return
		}
	}
	b.t.Fatalf("Tab never reaches %s", is)
}

// TestAcceptAndRefuseByKeyboardAlone takes in one document and returns another
// without a mouse, and sees that pressing twice acts once.
func TestAcceptAndRefuseByKeyboardAlone(t *testing.T) {
	d, b := liveDemo(t), newBrowser(t)
	b.open(d.start)
	b.run(chromedp.Click(`form[action="/start/prepare"] button.primary`), chromedp.WaitVisible(`#card1 .thumb`))
	b.run(chromedp.Click(`form[action="/start/send"] button`), chromedp.WaitVisible(`#see`))
	b.run(chromedp.Click(`form[action="/start/tamper"] button`), chromedp.WaitVisible(`#see4`))
	b.eventually(d.desk+"/b/inbox", "KHÔNG HỢP LỆ")

	b.press(kb.Enter, `e.matches("a.row") && !e.closest("tr").textContent.includes("KHÔNG")`)
	b.run(chromedp.WaitReady(`#accept-title`))
	b.press(kb.Enter, `e.matches('a[href="#decision"]')`) // past the pages of the document
	b.press("Phòng Nội vụ", `e.id === "assignee"`)
	b.press(kb.Enter+kb.Enter, `e.matches("button") && e.textContent.startsWith("Tiếp nhận")`)
	b.run(chromedp.WaitReady(`#decision [role=status]`))
	if !b.says("Đã tiếp nhận, số đến 1.") || !b.says("Phòng Nội vụ") {
		t.Error("the document is not accepted")
	}

	b.press(kb.Enter, `e.matches(".next a") && e.textContent === "Nhận tiếp"`)
	b.run(chromedp.WaitReady(`#refuse`))
	b.press(kb.Enter, `e.matches('a[href="#decision"]')`)
	// The form stands open with the reason that fits: the arrows choose another.
	b.press(kb.ArrowDown, `e.name === "reason"`)
	b.press("Số bị sửa", `e.id === "note"`)
	if !b.says("Tệp hỏng, không đọc được. Số bị sửa") {
		t.Error("the preview does not follow what is typed")
	}
	b.press(kb.Enter, `e.matches("button.danger") && e.textContent.startsWith("Trả lại")`)
	b.run(chromedp.WaitReady(`#decision [role=status]`))
	if !b.says("Đã trả lại nơi gửi.") || !b.says("Hết văn bản chờ") {
		t.Error("the document is not returned")
	}
	b.quiet()
}
