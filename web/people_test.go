package web_test

import (
	"bytes"
	"encoding/base64"
	"html"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/exchange"
)

const firstPassword = "một câu dài dễ nhớ"

// person adds an account that logs in by password.
func (s *site) person(t *testing.T, login string, role exchange.Role, keep bool) exchange.Account {
	t.Helper()
	acc, _, err := s.desk.Access.AddAccount(t.Context(), exchange.System(s.office.Agency.Code), exchange.NewAccount{Login: login, Name: "Trần Văn " + login,
		Role: role, Position: "GIÁM ĐỐC", Password: firstPassword, Keep: keep})
	must(t, err)
	return acc
}

// browser keeps the cookie that h gives it.
type browser struct {
	http.Handler
	cookie string
}

func (b *browser) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b.cookie != "" {
		r.AddCookie(&http.Cookie{Name: "antin_session", Value: b.cookie})
	}
	b.Handler.ServeHTTP(w, r)
	if rec, ok := w.(*httptest.ResponseRecorder); ok {
		for _, c := range rec.Result().Cookies() {
			if c.Name == "antin_session" {
				b.cookie = c.Value
			}
		}
	}
}

func (s *site) browser() *browser { return &browser{Handler: s.desk.Handler()} }

func wantRedirect(t *testing.T, w *httptest.ResponseRecorder, to string) {
	t.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != to {
		t.Fatalf("status %d to %q, want a redirect to %q:\n%.600s", w.Code, w.Header().Get("Location"), to, w.Body)
	}
}

func TestAPersonLogsInWorksAndLogsOut(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.person(t, "an", exchange.RoleClerk, true)
	b := a.browser()
	wantRedirect(t, get(t, b, "/a/inbox?tab=done"), "/a/login?next=%2Fa%2Finbox%3Ftab%3Ddone")
	wantAll(t, page(t, post(t, b, "/a/inbox/vd_x/accept", url.Values{}), http.StatusUnauthorized), "Đăng nhập", "Phiên làm việc đã hết hạn")
	body := page(t, get(t, b, "/a/login?next=%2Fa%2Finbox%3Ftab%3Ddone"), http.StatusOK)
	wantAll(t, body, "/a/inbox?tab=done", `autocomplete="current-password"`, a.office.Agency.Name)
	if strings.Contains(body, "/a/documents") {
		t.Error("the pages of the desk are linked before log-in")
	}
	wantAll(t, page(t, post(t, b, "/a/login", url.Values{"login": {"an"}, "password": {"sai"}}), http.StatusUnauthorized), "không đúng", `value="an"`)
	w := post(t, b, "/a/login", url.Values{"login": {"AN"}, "password": {firstPassword}, "next": {"/a/inbox?tab=done"}})
	wantRedirect(t, w, "/a/inbox?tab=done")
	c := w.Header().Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/a"} {
		if !strings.Contains(c, want) {
			t.Errorf("the cookie %q is not %s", c, want)
		}
	}
	if strings.Contains(c, "Secure") || strings.Contains(c, "Max-Age") {
		t.Errorf("the cookie of a plain loopback page: %q", c)
	}
	wantAll(t, page(t, get(t, b, "/a/inbox"), http.StatusOK), "Trần Văn an", "Văn thư", "Đăng xuất")
	old := b.cookie
	wantRedirect(t, post(t, b, "/a/logout", url.Values{}), "/a/login")
	b.cookie = old
	wantRedirect(t, get(t, b, "/a/inbox"), "/a/login?next=%2Fa%2Finbox")
}

func TestLoginLeadsToNoOtherSite(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.person(t, "an", exchange.RoleClerk, true)
	for _, next := range []string{"https://evil.example/", "//evil.example/", "/b/inbox", "/a\\..", "javascript:alert(1)", "/a/\r\nX: y"} {
		w := post(t, a.browser(), "/a/login", url.Values{"login": {"an"}, "password": {firstPassword}, "next": {next}})
		wantRedirect(t, w, "/a/")
	}
}

func TestASecureCookieOffLoopback(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.desk.PlainCookies = false
	a.person(t, "an", exchange.RoleClerk, true)
	w := post(t, a.browser(), "/a/login", url.Values{"login": {"an"}, "password": {firstPassword}})
	if c := w.Header().Get("Set-Cookie"); !strings.Contains(c, "Secure") {
		t.Errorf("cookie %q", c)
	}
}

func TestAFormOfAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.person(t, "an", exchange.RoleClerk, true)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/a/login", strings.NewReader(url.Values{"login": {"an"}, "password": {firstPassword}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	a.browser().ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("status %d, cookie %q", w.Code, w.Header().Get("Set-Cookie"))
	}
}

func TestAPasswordThatMustBeChangedOpensNothingElse(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.person(t, "an", exchange.RoleClerk, false)
	b := a.browser()
	wantRedirect(t, post(t, b, "/a/login", url.Values{"login": {"an"}, "password": {firstPassword}}), "/a/")
	for _, rt := range a.desk.Routes() {
		if rt.Open || rt.Path == "/password" || rt.Path == "/logout" {
			continue
		}
		path := "/a" + fill(rt.Path)
		if rt.Method == http.MethodGet {
			wantRedirect(t, get(t, b, path), "/a/password")
		} else if w := post(t, b, path, url.Values{}); w.Code != http.StatusForbidden {
			t.Errorf("%s %s: %d", rt.Method, path, w.Code)
		}
	}
	wantAll(t, page(t, get(t, b, "/a/password"), http.StatusOK), "do quản trị đặt", "Ít nhất 12 ký tự")
	form := url.Values{"old": {firstPassword}, "new": {"mật khẩu của riêng tôi"}, "again": {"mật khẩu khác hẳn rồi"}}
	wantAll(t, page(t, post(t, b, "/a/password", form), http.StatusUnprocessableEntity), "không giống nhau")
	form.Set("again", "mật khẩu của riêng tôi")
	wantRedirect(t, post(t, b, "/a/password", form), "/a/")
	page(t, get(t, b, "/a/inbox"), http.StatusOK)
}

// fill puts something in the place of a pattern's wildcards.
func fill(pattern string) string {
	return strings.TrimSuffix(regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(pattern, "1"), "{$}")
}

var secretShown = regexp.MustCompile(`<p class="secret"><code>([^<]+)</code>`)

func TestAnOperatorManagesAccounts(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	h := a.as(t, exchange.RoleOperator)
	form := url.Values{"key": {"k1"}, "login": {"binh"}, "name": {"<b>Bình</b>"}, "role": {"lanh_dao"}, "position": {"GIÁM ĐỐC"}}
	body := page(t, post(t, h, "/a/accounts", form), http.StatusOK)
	wantAll(t, body, "&lt;b&gt;Bình&lt;/b&gt;", "Chỉ hiện một lần")
	secret := secretShown.FindStringSubmatch(body)
	if secret == nil {
		t.Fatal("no password is shown")
	}
	if again := secretShown.FindStringSubmatch(page(t, post(t, h, "/a/accounts", form), http.StatusOK)); again == nil || again[1] != secret[1] {
		t.Error("a double click does not show the same password")
	}
	form.Set("key", "k2")
	wantAll(t, page(t, post(t, h, "/a/accounts", form), http.StatusConflict), "đã có người dùng", `value="binh"`)
	form.Set("login", "Không Dấu")
	wantAll(t, page(t, post(t, h, "/a/accounts", form), http.StatusUnprocessableEntity), "Tên đăng nhập có 2–64 ký tự")

	acc, err := a.desk.Access.AccountByLogin(t.Context(), a.office.Agency.Code, "binh")
	must(t, err)
	list := page(t, get(t, h, "/a/accounts"), http.StatusOK)
	wantAll(t, list, "Chờ đổi mật khẩu", "chưa gắn", "/a/accounts/"+string(acc.ID))
	if strings.Contains(list, secret[1]) || strings.Contains(list, "argon2") {
		t.Error("the list holds a password or its hash")
	}
	self := "/a/accounts/" + string(acc.ID)
	wantAll(t, page(t, get(t, h, self), http.StatusOK), "Chưa gắn chứng thư", "Đặt lại mật khẩu", "Vô hiệu hóa tài khoản", "Tạo tài khoản binh")

	w := post(t, h, self, url.Values{"version": {"1"}, "name": {"Trần Thị Bình"}, "role": {"lanh_dao"}, "position": {"PHÓ GIÁM ĐỐC"}, "competence": {"KT. GIÁM ĐỐC"}})
	wantRedirect(t, w, self)
	wantAll(t, page(t, post(t, h, self, url.Values{"version": {"1"}, "name": {"X"}, "role": {"lanh_dao"}, "position": {"Y"}}), http.StatusPreconditionFailed), "người khác sửa", "Trần Thị Bình")
	wantAll(t, page(t, post(t, h, self+"/password", url.Values{"key": {"k3"}}), http.StatusOK), "tên đăng nhập binh")
	wantRedirect(t, post(t, h, self+"/disabled", url.Values{"disabled": {"yes"}}), self)
	wantAll(t, page(t, get(t, h, self), http.StatusOK), "Đã vô hiệu hóa", "Mở lại tài khoản")
	page(t, get(t, h, "/a/accounts/new?lang=en"), http.StatusOK)
	page(t, get(t, h, "/a/accounts/tk_nobody"), http.StatusNotFound)
	wantAll(t, page(t, get(t, h, "/a/peers"), http.StatusOK), "H98.35", "Khóa truyền nhận")
}

func TestACertificateIsShownBeforeItIsBound(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	p, err := pki()
	must(t, err)
	cert := p.Signer(certstest.RoleLeader).Certificate
	acc := a.person(t, "chi", exchange.RoleLeader, true)
	h, self := a.as(t, exchange.RoleOperator), "/a/accounts/"+string(acc.ID)
	upload := func(data []byte) *httptest.ResponseRecorder {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		f, err := m.CreateFormFile("file", "chi.cer")
		must(t, err)
		_, _ = f.Write(data)
		must(t, m.Close())
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, self+"/certificate", &b)
		r.Header.Set("Content-Type", m.FormDataContentType())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	body := page(t, upload(cert.Raw), http.StatusOK)
	wantAll(t, body, "Gắn chứng thư này với", strings.ToUpper(cert.Serial.Text(16)), cert.Subject)
	der := regexp.MustCompile(`name="der" value="([^"]+)"`).FindStringSubmatch(body)
	if der == nil {
		t.Fatal("nothing to confirm")
	}
	wantAll(t, page(t, get(t, h, self), http.StatusOK), "Chưa gắn chứng thư") // not yet
	wantRedirect(t, post(t, h, self+"/certificate/bind", url.Values{"der": {html.UnescapeString(der[1])}}), self)
	wantAll(t, page(t, get(t, h, self), http.StatusOK), strings.ToUpper(cert.Serial.Text(16)), "Bỏ chứng thư")

	page(t, upload([]byte("không phải chứng thư")), http.StatusUnprocessableEntity)
	page(t, upload(nil), http.StatusUnprocessableEntity)
	page(t, post(t, h, self+"/certificate/bind", url.Values{"der": {"!!"}}), http.StatusUnprocessableEntity)
	page(t, post(t, h, self+"/certificate/bind", url.Values{}), http.StatusUnprocessableEntity) // taking away says so
	wantAll(t, page(t, get(t, h, self), http.StatusOK), "Bỏ chứng thư")
	wantRedirect(t, post(t, h, self+"/certificate/bind", url.Values{"remove": {"yes"}}), self)
	wantAll(t, page(t, get(t, h, self), http.StatusOK), "Chưa gắn chứng thư")
}

func TestAnOperatorManagesAPIKeys(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.desk.Access.Scopes = []string{"documents:read", "verify"}
	h := a.as(t, exchange.RoleOperator)
	wantAll(t, page(t, get(t, h, "/a/api-keys"), http.StatusOK), "Chưa có khóa nào", "documents:read")
	form := url.Values{"key": {"k"}, "name": {"QLVB"}, "scope": {"verify", "documents:read"}, "days": {"90"}}
	body := page(t, post(t, h, "/a/api-keys", form), http.StatusOK)
	secret := secretShown.FindStringSubmatch(body)
	if secret == nil || !strings.HasPrefix(secret[1], "antin_test_") {
		t.Fatal("no secret is shown")
	}
	wantAll(t, body, "curl -H", "/a/v1/documents")
	k, err := a.desk.Access.KeyBySecret(t.Context(), secret[1])
	must(t, err)
	list := page(t, get(t, h, "/a/api-keys"), http.StatusOK)
	wantAll(t, list, "QLVB", k.Hint, "Đang dùng")
	if strings.Contains(list, secret[1]) {
		t.Error("the list holds a secret")
	}
	for _, bad := range []url.Values{{"name": {""}, "scope": {"verify"}, "days": {"90"}}, {"name": {"x"}, "days": {"90"}},
		{"name": {"x"}, "scope": {"nope"}, "days": {"90"}}, {"name": {"x"}, "scope": {"verify"}, "days": {"9000"}}, {"name": {"x"}, "scope": {"verify"}, "days": {"0"}}} {
		page(t, post(t, h, "/a/api-keys", bad), http.StatusUnprocessableEntity)
	}
	body = page(t, post(t, h, "/a/api-keys/"+string(k.ID)+"/rotate", url.Values{"key": {"r"}, "overlap": {"7"}}), http.StatusOK)
	if next := secretShown.FindStringSubmatch(body); next == nil || next[1] == secret[1] {
		t.Error("rotating shows no new secret")
	}
	wantAll(t, page(t, get(t, h, "/a/api-keys"), http.StatusOK), "khóa cũ còn dùng đến")
	wantRedirect(t, post(t, h, "/a/api-keys/"+string(k.ID)+"/revoke", url.Values{}), "/a/api-keys")
	wantAll(t, page(t, get(t, h, "/a/api-keys"), http.StatusOK), "Đã thu hồi")
}

func TestFormsOnPeopleActOnceHoweverOftenTheyArePressed(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	p, err := pki()
	must(t, err)
	a.desk.Access.Scopes = []string{"verify"}
	acc := a.person(t, "chi", exchange.RoleLeader, true)
	h, self := a.as(t, exchange.RoleOperator), "/a/accounts/"+string(acc.ID)
	version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(page(t, get(t, h, self), http.StatusOK))
	if version == nil {
		t.Fatal("the form does not say which version it changes")
	}
	edit := url.Values{"key": {"e"}, "version": {version[1]}, "name": {"Nguyễn Thị Chi"}, "role": {string(exchange.RoleLeader)}, "position": {"GIÁM ĐỐC"}}
	twicePosted(t, h, self, edit, self)
	edit.Set("key", "later") // another form, made of the page as it was before
	page(t, post(t, h, self, edit), http.StatusPreconditionFailed)
	der := base64.StdEncoding.EncodeToString(p.Signer(certstest.RoleLeader).Certificate.Raw)
	twicePosted(t, h, self+"/certificate/bind", url.Values{"key": {"b"}, "der": {der}}, self)
	twicePosted(t, h, self+"/disabled", url.Values{"key": {"d"}, "disabled": {"yes"}}, self)
	_, k, err := a.desk.Access.NewKey(t.Context(), exchange.System(a.office.Agency.Code), exchange.NewAPIKey{Name: "QLVB", Scopes: []string{"verify"}, ExpiresAt: time.Now().AddDate(0, 1, 0)})
	must(t, err)
	twicePosted(t, h, "/a/api-keys/"+string(k.ID)+"/revoke", url.Values{"key": {"r"}}, "/a/api-keys")
	seen := map[exchange.EventKind]int{}
	for _, id := range []exchange.ID{acc.ID, k.ID} {
		events, err := a.desk.Evidence.Timeline(t.Context(), exchange.System(a.office.Agency.Code), id)
		must(t, err)
		for _, e := range events {
			seen[e.Kind]++
		}
	}
	for _, kind := range []exchange.EventKind{exchange.EventAccountChanged, exchange.EventAccountCertificate, exchange.EventAccountDisabled, exchange.EventKeyRevoked} {
		if seen[kind] != 1 {
			t.Errorf("%s happened %d times", kind, seen[kind])
		}
	}
}
