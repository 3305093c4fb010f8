package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"antin/exchange"
)

// nasty is what no field may choke on.
var nasty = []string{"", " ", "\x00", "a\r\nSet-Cookie: x=1", "\u202egpj.exe", "e\u0302\u0301", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`,
	"../../etc/passwd", "%00", "-1", "99999999999999999999", "\xff\xfe", strings.Repeat("Ậ", 5000), "' OR 1=1 --", "*", `"`}

func TestNastyInputIsRefusedOrShownAsText(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	item := a.sendTo(t, a.document(t, "Gửi đi"), b)
	clerk, operator := b.handler(t), b.as(t, exchange.RoleOperator)
	at := "/b/inbox/" + string(item.ID)
	for _, v := range nasty {
		for name, w := range map[string]func() (int, string){
			"search": func() (int, string) {
				r := get(t, clerk, "/b/inbox?"+url.Values{"q": {v}, "tab": {"all"}}.Encode())
				return r.Code, r.Body.String()
			},
			"place": func() (int, string) {
				r := get(t, clerk, "/b/inbox?"+url.Values{"after": {v}, "tab": {v}}.Encode())
				return r.Code, r.Body.String()
			},
			"page": func() (int, string) {
				r := get(t, clerk, at+"?"+url.Values{"file": {v}, "from": {v}, "reason": {v}, "note": {v}, "lang": {v}}.Encode())
				return r.Code, r.Body.String()
			},
			"find": func() (int, string) {
				r := get(t, operator, "/b/search?"+url.Values{"q": {v}}.Encode())
				return r.Code, r.Body.String()
			},
			"id": func() (int, string) {
				r := get(t, clerk, "/b/inbox/"+url.PathEscape("vd_"+v))
				return r.Code, r.Body.String()
			},
			"handle": func() (int, string) {
				r := post(t, clerk, at+"/handle", url.Values{"code": {v}, "assignee": {v}, "key": {v}})
				return r.Code, r.Body.String()
			},
			"recall": func() (int, string) {
				r := post(t, clerk, at+"/recall", url.Values{"agree": {"no"}, "reason": {v}})
				return r.Code, r.Body.String()
			},
			"resume": func() (int, string) {
				r := post(t, operator, "/b/search/dl_x/resume", url.Values{"delivery": {v}})
				return r.Code, r.Body.String()
			},
		} {
			code, body := w()
			if code >= http.StatusInternalServerError {
				t.Errorf("%s %.40q: %d", name, v, code)
			}
			if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") {
				t.Errorf("%s %.40q comes out as markup", name, v)
			}
		}
	}
	// Of a refusal, only what the sender can read goes out.
	for _, v := range []string{"\x00", "\u202egpj.exe", strings.Repeat("Ậ", 5000)} {
		w := post(t, clerk, at+"/refuse", url.Values{"key": {"k"}, "reason": {"other"}, "note": {v}})
		wantAll(t, page(t, w, http.StatusUnprocessableEntity), `<div class="note bad">`, "Ghi ")
	}
	w := post(t, clerk, at+"/accept", url.Values{"key": {"k"}, "assignee": {strings.Repeat("Ậ", 600)}})
	wantAll(t, page(t, w, http.StatusUnprocessableEntity), "Người hoặc phòng xử lý: chưa đúng.", `aria-invalid="true"`)
}
