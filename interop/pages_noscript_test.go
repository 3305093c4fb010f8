//go:build interop

package interop_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// without turns the scripts of pages off; what the test itself asks of a page still
// answers.
func (b *browser) without() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		b.t.Fatal(err)
	}
}

// submit presses a button and waits for the page that its form leads to.
func (b *browser) submit(button string) {
	b.t.Helper()
	b.run(chromedp.Evaluate[chromedp.Void](`document.documentElement.id = "before"`), chromedp.Click(button),
		chromedp.WaitNotPresent("#before"), chromedp.WaitReady("#main"))
	if b.hasProblem() {
		b.t.Fatalf("%s: the page complains: %s", button, evaluate[string](b, `document.querySelector("#problem").innerText`))
	}
}

// say fails unless the page shows all words.
func (b *browser) say(words ...string) {
	b.t.Helper()
	for _, w := range words {
		if !b.says(w) {
			b.t.Errorf("%s does not say %q", evaluate[string](b, `location.pathname`), w)
		}
	}
}

// logOut ends the session at an agency's desk.
func (b *browser) logOut(prefix string) {
	b.t.Helper()
	b.open(prefix + "/password")
	b.run(chromedp.Click("#menu summary"))
	b.submit(`form[action*="/logout"] button`)
}

// logIn is what someone with a password does first.
func (b *browser) logIn(prefix, login, password string) {
	b.t.Helper()
	b.logOut(prefix)
	b.open(prefix + "/login")
	b.run(chromedp.SendKeys("#login", login), chromedp.SendKeys("#password", password))
	b.submit(`form[action*="/login"] button.primary`)
}

// TestAClerksDayInABrowserWithoutScripts goes through a day in a real browser in
// which no script runs: log-in, an outgoing document from draft to delivery, and an
// incoming one accepted, another refused.
func TestAClerksDayInABrowserWithoutScripts(t *testing.T) {
	d, b := liveDemo(t), newBrowser(t)
	b.without()
	b.open(d.start)
	b.run(chromedp.Evaluate[chromedp.Void](`{const s=document.createElement("script");s.textContent="document.title='script'";document.head.append(s)}`))
	if evaluate[string](b, `document.title`) == "script" {
		t.Fatal("scripts run")
	}

	a := d.desk + "/a"
	const own = "Sen nở trong đầm 7 mùa"
	given := b.newColleague(d, "ha.tt")
	b.logIn(a, "ha.tt", given)
	b.say("Đổi mật khẩu") // the one that an operator saw has to go first
	b.run(chromedp.SendKeys("#old", given), chromedp.SendKeys("#new", own), chromedp.SendKeys("#again", own))
	b.submit(`form[action*="/password"] button.primary`)

	b.open(a + "/documents/new")
	b.run(chromedp.SendKeys("#f-notation", "VP"), chromedp.SendKeys("#f-subject", "Về việc phối hợp không cần script"), chromedp.SendKeys("#f-body", "Nội dung."),
		chromedp.Evaluate[chromedp.Void](`document.querySelector("#f-signatory").selectedIndex = 1`))
	b.submit("form.draft button.primary")
	document := evaluate[string](b, `location.pathname`)
	b.as(d, "H98.21", "lanh_dao")
	b.open(a + "/sign/" + document[strings.LastIndex(document, "/")+1:])
	b.submit(`form[action*="/key"] button.primary`)

	b.logIn(a, "ha.tt", own)
	b.open(d.desk + document)
	b.submit(`form[action*="/number"] button.primary`)
	b.submit(`a.button[href*="/press/"][href*="/seal"]`)
	b.submit(`form[action*="/seal"] button.primary`)
	b.say("HỢP LỆ")
	b.open(d.desk + document + "?q=mau+don#send") // the directory is searched by a form of its own
	b.run(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("#send details").forEach(e => e.open = true)`), chromedp.Click(`#send input[name="to"][value="H98.35"]`))
	b.submit(`#send button.primary[formmethod="post"]`)
	b.say("UBND phường Mẫu Đơn")

	b.open(d.desk + "/") // what the demo alters on its way
	b.submit(`form[action="/start/prepare"] button.primary`)
	b.open(d.desk + "/")
	b.submit(`form[action="/start/tamper"] button`)
	b.as(d, "H98.35", "van_thu")
	b.eventually(d.desk+"/b/inbox?q=khong+can+script", "HỢP LỆ")
	b.submit("a.row")
	b.run(chromedp.SendKeys("#assignee", "Phòng Nội vụ"))
	b.submit(`form[action*="/accept"] button.primary`)
	b.say("Đã tiếp nhận, số đến 1.", "Phòng Nội vụ")

	b.eventually(d.desk+"/b/inbox", "KHÔNG HỢP LỆ")
	b.submit("a.row")
	b.run(chromedp.Click(`input[name="reason"][value="invalid_signature"]`), chromedp.SendKeys("#note", "Số bị sửa"))
	b.submit(`button[formmethod="get"]`)
	b.say("Chữ ký số không hợp lệ. Số bị sửa") // what the sender will read
	b.submit(`#refuse button.danger`)
	b.say("Đã trả lại nơi gửi.")

	b.as(d, "H98.21", "van_thu")
	b.eventually(d.desk+document, "03 Đã tiếp nhận")
	b.quiet()
}

// newColleague has A's operator add a văn thư, and returns the password shown.
func (b *browser) newColleague(d running, login string) string {
	b.t.Helper()
	b.as(d, "H98.21", "it")
	b.open(d.desk + "/a/accounts/new")
	b.run(chromedp.SendKeys("#login", login), chromedp.SendKeys("#name", "Trần Thị Hà"))
	b.submit(`form[action*="/accounts"] button.primary`)
	password := strings.TrimSpace(evaluate[string](b, `document.querySelector(".secret code").textContent`))
	if password == "" {
		b.t.Fatal("no password is shown")
	}
	return password
}
