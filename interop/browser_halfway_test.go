//go:build interop

package interop_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

// halfWay leaves three documents at A on their way: one that waits for its signature,
// one that is signed and numbered and waits for the seal, one that is to be sent;
// and asks for one back that was sent.
func (b *browser) halfWay(d running) {
	b.t.Helper()
	var at []string
	b.as(d, "H98.21", "van_thu")
	for _, subject := range []string{"Về việc chờ ký", "Về việc chờ đóng dấu", "Về việc chờ gửi"} {
		b.open(d.desk + "/a/documents/new")
		b.run(chromedp.SendKeys("#f-notation", "VP"), chromedp.SendKeys("#f-subject", subject), chromedp.SendKeys("#f-body", "Nội dung."),
			chromedp.Evaluate[chromedp.Void](`document.querySelector("#f-signatory").selectedIndex = 1`),
			chromedp.Click("form.draft button.primary"), chromedp.WaitReady("#timeline"))
		at = append(at, evaluate[string](b, `location.pathname`))
		b.open(d.desk + at[len(at)-1])
		b.judge("a draft: " + subject)
		b.run(chromedp.Click(`form[action*="/ask"] button`), chromedp.WaitNotPresent(`form[action*="/ask"]`), chromedp.WaitReady("#timeline"))
	}
	b.as(d, "H98.21", "lanh_dao")
	b.open(d.desk + "/a/sign")
	b.judge("the list of what is to be signed")
	for _, a := range at[1:] {
		b.open(d.desk + "/a/sign/" + a[strings.LastIndex(a, "/")+1:])
		b.judge("to sign")
		b.run(chromedp.Click(`form[action*="/key"] button.primary`), chromedp.WaitNotPresent(fmt.Sprintf(`form[action*="%s/key"]`, a[strings.LastIndex(a, "/")+1:])), chromedp.WaitReady("#main"))
	}
	b.as(d, "H98.21", "van_thu")
	for _, a := range at[1:] {
		b.open(d.desk + a)
		b.judge("to be numbered")
		b.run(chromedp.Click(`form[action*="/number"] button.primary`), chromedp.WaitReady(`a[href*="/press/"][href*="/seal"]`))
	}
	b.run(chromedp.Click(`a[href*="/press/"][href*="/seal"]`), chromedp.WaitReady(`form[action*="/seal"]`))
	b.judge("to be sealed")
	b.run(chromedp.Click(`form[action*="/seal"] button.primary`), chromedp.WaitReady("#send"))
	b.judge("to be sent")
	b.open(d.desk + at[2] + "?to=H98.35&paste=" + url.QueryEscape("Sở không có"))
	b.judge("to be sent, with a receiver that nobody knows")
	b.askBack(d)
	b.keepReport(d, at[2])
}

// askBack asks for the first document that was sent.
func (b *browser) askBack(d running) {
	b.t.Helper()
	b.open(d.desk + "/a/documents")
	b.run(chromedp.Click(chromedp.Search(`//tr[.//th[contains(.,"02/UBND-VP") and not(contains(.,"SUA"))]]//a`)), chromedp.WaitReady("#recall"))
	unfold := chromedp.Evaluate[chromedp.Void](`document.querySelector("#recall details").open = true`)
	b.run(unfold)
	b.judge("asking for a document back")
	b.run(unfold, chromedp.SendKeys("#recall-reason", "Sai số liệu"), chromedp.Click("#recall button.danger"), chromedp.WaitNotPresent("#recall"), chromedp.WaitReady("#timeline"))
}

// keepReport has the desk judge the file of the document at path, and keeps the report.
func (b *browser) keepReport(d running, path string) {
	b.t.Helper()
	file := b.fetched(path+"/file", "van-ban.pdf")
	for name, at := range map[string]string{"a file judged at the desk": d.desk + "/a/verifications", "a file judged in public": d.public + "/"} {
		b.open(at)
		b.run(chromedp.SetUploadFiles(`#file`, []string{file}), chromedp.WaitVisible(`#headline`))
		b.judge(name)
	}
	b.open(d.desk + "/a/verifications")
}

// fetched is a file that the desk gives at path, on disk under name.
func (b *browser) fetched(path, name string) string {
	b.t.Helper()
	data := evaluate[string](b, fmt.Sprintf(`fetch(%q).then(r=>r.arrayBuffer()).then(a=>btoa(Array.from(new Uint8Array(a),c=>String.fromCharCode(c)).join("")))`, path))
	pdf, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		b.t.Fatal(err)
	}
	file := filepath.Join(b.t.TempDir(), name)
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		b.t.Fatal(err)
	}
	return file
}
