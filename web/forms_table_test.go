package web_test

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/exchange"
)

// cases is the table: every form of the desk.
func (w formWorld) cases(t *testing.T) []formCase {
	t.Helper()
	return slices.Concat(w.documentCases(t), w.inboxCases(), w.paperCases(t), w.bookCases(), w.peopleCases(t), w.startCases())
}

func draftRules() map[string]rule {
	return map[string]rule{"key": key, "version": {kind: "ignored", says: "Biểu mẫu"}, "file": {kind: "ignored", says: "họn tệp"}, "number": {kind: "ignored"},
		"date": {kind: "ignored"}, "confirmed": confirmed, "way": {kind: "choice", required: true, says: "làm thế nào"}, "kind": {kind: "choice", required: true}, "notation": needed(line(60)),
		"subject": needed(lines(500)), "priority": {kind: "choice"}, "due": {kind: "date"}, "places": lines(500), "addressees": lines(500),
		"body": needed(lines(400_000)), "signatory": {kind: "choice", required: true}}
}

// also is m with more fields, which only another way of the same form needs.
func also(m map[string]rule, more map[string]rule) map[string]rule {
	m = maps.Clone(m)
	maps.Copy(m, more)
	return m
}

func (w formWorld) documentCases(t *testing.T) []formCase {
	t.Helper()
	clerk, at := exchange.RoleClerk, "/a/documents/"
	pdf, signatory := w.a.final(t, exchange.ID(w.ids["issued"])), w.a.signatory(t)
	draft := composed(typed, signatory)
	edit := composed(typed, signatory)
	edit.Set("version", "1")
	replacement := composed("Thay thế", signatory)
	replacement.Set("reason", typed)
	final := url.Values{"key": {"final"}, "way": {"final"}, "kind": {"18"}, "notation": {"VP"}, "subject": {typed}, "priority": {"0"}, "number": {"950"},
		"date": {time.Now().In(exchange.Vietnam).Format(time.DateOnly)}, "confirmed": {"yes"}}
	finals := map[string]rule{"key": key, "number": {kind: "number", required: true}, "date": {kind: "date", required: true}, "file": {kind: "file"},
		"confirmed": confirmed, "file_digest": {kind: "kept"}, "file_name": {kind: "kept"}}
	to := rule{kind: "choice", required: true, says: "nhận"}
	lost := composed("Tệp đã mất", signatory)
	lost.Set("way", "upload")
	lost.Set("file_digest", strings.Repeat("0", 64))
	return []formCase{
		{route: "/documents/new", as: clerk, path: at + "new", valid: lost, shown: refusedAll,
			fields: map[string]rule{"file_digest": {kind: "choice", required: true, says: "họn tệp"}, "file_name": {kind: "ignored", says: "họn tệp"}}},
		{route: "/documents/new", as: clerk, path: at + "new", valid: draft, fields: draftRules()},
		{route: "/documents/new", as: clerk, path: at + "new", valid: final, fields: finals, file: pdf, name: "a.pdf"},
		{route: "/documents/{id}/edit", as: clerk, path: at + w.ids["draft"] + "/edit", valid: edit, fields: also(draftRules(), map[string]rule{"version": version})},
		{route: "/documents/{id}/delete", as: clerk, path: at + w.ids["deleted"] + "/delete", valid: url.Values{"key": {"d"}, "version": {"1"}},
			fields: map[string]rule{"key": key, "version": version}},
		{route: "/documents/{id}/replace", as: clerk, path: at + w.ids["sent"] + "/replace", valid: replacement,
			fields: also(draftRules(), map[string]rule{"reason": needed(lines(500))}), shown: "-"},
		{route: "/documents/{id}/recall", as: clerk, path: at + w.ids["sent"] + "/recall", valid: url.Values{"key": {"rc"}, "to": {"H98.35"}, "reason": {typed}},
			fields: map[string]rule{"key": key, "to": to, "reason": needed(lines(500))}},
		{route: "/documents/{id}/send", as: clerk, path: at + w.ids["issued"] + "/send", valid: url.Values{"key": {"sd"}, "to": {"H98.35"}, "paste": {"Xã Xa"}, "q": {"xa"}},
			fields: map[string]rule{"key": key, "to": to, "paste": {kind: "choice", says: "nhận"}, "q": {kind: "ignored", says: "Biểu mẫu"}}},
		{route: "/documents/{id}/deliveries/{delivery}/handed", as: clerk, path: at + w.ids["hand"] + "/deliveries/" + w.ids["delivery"] + "/handed",
			valid:  url.Values{"key": {"h"}, "how": {typed}, "when": {time.Now().In(exchange.Vietnam).Add(-time.Minute).Format("2006-01-02T15:04")}},
			fields: map[string]rule{"key": key, "how": needed(line(500)), "when": {kind: "moment"}}},
	}
}

func (w formWorld) inboxCases() []formCase {
	clerk, at := exchange.RoleClerk, "/b/inbox/"
	assignee := named(line(500), "xử lý")
	return []formCase{
		{route: "/inbox/{id}/accept", as: clerk, path: at + w.ids["b:waiting"] + "/accept", valid: url.Values{"key": {"a"}, "assignee": {typed}},
			fields: map[string]rule{"key": key, "assignee": assignee}},
		{route: "/inbox/{id}/refuse", as: clerk, path: at + w.ids["b:bad"] + "/refuse", valid: url.Values{"key": {"r"}, "reason": {"other"}, "note": {typed}},
			fields: map[string]rule{"key": key, "reason": {kind: "choice", required: true, says: "ý do"}, "note": named(needed(lines(500)), "hi"), "lang": {kind: "hidden", says: "Biểu mẫu"}}},
		{route: "/inbox/{id}/handle", as: clerk, path: at + w.ids["b:sent"] + "/handle", valid: url.Values{"key": {"h"}, "code": {"05"}, "assignee": {typed}},
			fields: map[string]rule{"key": key, "code": {kind: "choice", required: true, says: "rạng"}, "assignee": assignee}},
		{route: "/inbox/{id}/recall", as: clerk, path: at + w.ids["b:asked back"] + "/recall", valid: url.Values{"key": {"rc"}, "agree": {"no"}, "reason": {typed}},
			fields: map[string]rule{"key": key, "agree": {kind: "choice", required: true, says: "ồng ý"}, "reason": named(needed(lines(500)), "ý do")}},
	}
}

func (w formWorld) paperCases(t *testing.T) []formCase {
	t.Helper()
	clerk, leader, officer := exchange.RoleClerk, exchange.RoleLeader, exchange.RoleOfficer
	results, one := "/a/results/", map[string]rule{"key": key}
	result := resultForm(w.a.signatory(t))
	result.Set("subject", typed)
	replacement := maps.Clone(result)
	replacement["reason"], replacement["key"] = []string{"Sửa"}, []string{"rr"}
	rules := map[string]rule{"key": key, "dossier": needed(line(60)), "procedure": line(500), "procedure_name": line(500), "owner": line(500),
		"kind": {kind: "choice", required: true}, "notation": needed(line(60)), "subject": needed(lines(500)), "body": needed(lines(400_000)),
		"signatory": {kind: "choice", required: true}, "received": {kind: "date"}, "valid_until": {kind: "date"}, "places": lines(500)}
	value := map[string]rule{"key": key, "form": {kind: "choice", required: true, says: "Biểu mẫu"}, "value": {kind: "value", required: true}, "file": {kind: "file"}}
	taken := map[string]rule{"key": key, "file": {kind: "file"}}
	pdf := w.a.final(t, exchange.ID(w.ids["issued"]))
	return []formCase{
		{route: "/results/new", as: officer, path: results + "new", valid: result, fields: rules},
		{route: "/results/{id}/replace", as: officer, path: results + w.ids["result one"] + "/replace", valid: replacement,
			fields: also(rules, map[string]rule{"reason": needed(lines(500))})},
		{route: "/results/{id}/delete", as: officer, path: results + w.ids["result draft"] + "/delete", valid: url.Values{"key": {"rd"}, "version": {"1"}},
			fields: map[string]rule{"key": key, "version": version}},
		{route: "/results/{id}/revoke", as: clerk, path: results + w.ids["result two"] + "/revoke", valid: url.Values{"key": {"rv"}, "reason": {typed}},
			fields: map[string]rule{"key": key, "reason": needed(lines(500))}},
		{route: "/press/{id}/ask", as: clerk, path: "/a/press/" + w.ids["to ask"] + "/ask", valid: url.Values{"key": {"q"}}, fields: one},
		{route: "/sign/{id}/upload", as: leader, path: "/a/sign/" + w.ids["to sign"] + "/upload", valid: url.Values{"key": {"u"}}, fields: taken, file: pdf, name: "x.pdf", shown: refusedAll, logged: true},
		{route: "/sign/{id}/complete", as: leader, path: "/a/sign/" + w.ids["to sign"] + "/complete", valid: url.Values{"key": {"c"}, "form": {"raw"}, "value": {"AAAA"}}, fields: value, shown: refusedAll},
		{route: "/sign/{id}/key", as: leader, path: "/a/sign/" + w.ids["to sign"] + "/key", valid: url.Values{"key": {"s"}}, fields: one},
		{route: "/sign/{id}/return", as: leader, path: "/a/sign/" + w.ids["to return"] + "/return", valid: url.Values{"key": {"t"}, "reason": {typed}},
			fields: map[string]rule{"key": key, "reason": needed(lines(500))}},
		{route: "/press/{id}/number", as: clerk, path: "/a/press/" + w.ids["signed"] + "/number", valid: url.Values{"key": {"n"}},
			fields: map[string]rule{"key": key, "number": {kind: "number"}}},
		{route: "/press/{id}/seal/upload", as: clerk, path: "/a/press/" + w.ids["numbered"] + "/seal/upload", valid: url.Values{"key": {"u"}}, fields: taken, file: pdf, name: "x.pdf", shown: refusedAll, logged: true},
		{route: "/press/{id}/seal/complete", as: clerk, path: "/a/press/" + w.ids["numbered"] + "/seal/complete", valid: url.Values{"key": {"c"}, "form": {"raw"}, "value": {"AAAA"}}, fields: value, shown: refusedAll, logged: true},
		{route: "/press/{id}/seal", as: clerk, path: "/a/press/" + w.ids["numbered"] + "/seal", valid: url.Values{"key": {"s"}, "shown": {w.shown(t)}},
			fields: map[string]rule{"key": key, "shown": {kind: "choice", required: true, says: "em trước"}}, logged: true},
		{route: "/verifications", as: clerk, path: "/a/verifications", valid: url.Values{"key": {"v"}}, fields: map[string]rule{"key": key, "file": {kind: "file"}}, file: pdf, name: typed + ".pdf"},
	}
}

// startCases are the forms of the demo's start page.
func (w formWorld) startCases() []formCase {
	document := map[string]rule{"key": key, "document": {kind: "choice", required: true, says: "Biểu mẫu"}}
	clerk, issued := exchange.RoleClerk, w.ids["started"]
	return []formCase{
		{route: "/start/role", as: clerk, path: "/start/role", valid: url.Values{"key": {"r"}, "agency": {"H98.21"}, "role": {"it"}},
			fields: map[string]rule{"key": key, "agency": {kind: "choice", required: true, says: "Biểu mẫu"}, "role": {kind: "choice", required: true, says: "ai trò"}}},
		{route: "/start/prepare", as: clerk, path: "/start/prepare", valid: url.Values{"key": {"p"}, "own": {"1"}}, file: []byte("%PDF-1.7"), name: "a.pdf",
			fields: map[string]rule{"key": key, "own": {kind: "ignored", says: "Biểu mẫu"}, "file": {kind: "kept"}}},
		{route: "/start/send", as: clerk, path: "/start/send", valid: url.Values{"key": {"s"}, "document": {issued}}, fields: document},
		{route: "/start/tamper", as: clerk, path: "/start/tamper", valid: url.Values{"key": {"t"}, "document": {issued}}, fields: document},
	}
}

// refusedAll marks a form of which this world has no answer that is taken.
const refusedAll = "refused"

func (w formWorld) bookCases() []formCase {
	clerk, year := exchange.RoleClerk, strconv.Itoa(time.Now().In(exchange.Vietnam).Year())
	today := time.Now().In(exchange.Vietnam).Format(time.DateOnly)
	number, day, channel := rule{kind: "number"}, rule{kind: "date", required: true}, needed(line(500))
	choice := rule{kind: "choice", required: true}
	return []formCase{
		{route: "/registers/{book}/new", as: clerk, path: "/a/registers/di/new", valid: url.Values{"key": {"p1"}, "number": {""}, "notation": {"VP"}, "paper_date": {today},
			"kind": {"18"}, "subject": {typed}, "signer": {typed}, "position": {typed}, "receivers": {typed}, "keeper": {typed}, "copies": {"2"}, "channel": {"giấy"}, "note": {typed}},
			fields: map[string]rule{"key": key, "number": number, "notation": needed(line(60)), "paper_date": day, "kind": choice, "subject": needed(lines(500)), "signer": needed(line(500)),
				"position": line(500), "receivers": needed(lines(2000)), "keeper": line(500), "copies": number, "channel": channel, "note": lines(500)}},
		{route: "/registers/{book}/new", as: clerk, path: "/a/registers/den/new", valid: url.Values{"key": {"p2"}, "arrival": {""}, "arrived": {today}, "from_name": {typed},
			"paper_number": {"12/UBND"}, "paper_date": {today}, "kind": {"18"}, "subject": {typed}, "signer": {typed}, "handler": {typed}, "moved": {""}, "receipt": {typed}, "channel": {"giấy"}, "note": {typed}},
			fields: map[string]rule{"key": key, "arrival": number, "arrived": day, "from_name": needed(line(500)), "paper_number": needed(line(500)), "paper_date": day, "kind": choice,
				"subject": needed(lines(500)), "signer": line(500), "handler": line(500), "moved": {kind: "date"}, "receipt": line(500), "channel": channel, "note": lines(500)}},
		{route: "/registers/{book}/{year}/first", as: clerk, path: "/b/registers/di/" + year + "/first", valid: url.Values{"key": {"f"}, "first": {"100"}},
			fields: map[string]rule{"key": key, "first": {kind: "number", required: true}}},
		{route: "/registers/{book}/{year}/void", as: clerk, path: "/a/registers/di/" + year + "/void", valid: url.Values{"key": {"v"}, "seq": {"901"}, "reason": {typed}}, shown: refusedAll,
			fields: map[string]rule{"key": key, "seq": {kind: "number", required: true}, "reason": needed(lines(500))}},
	}
}

func (w formWorld) peopleCases(t *testing.T) []formCase {
	t.Helper()
	p, err := pki()
	must(t, err)
	it, at := exchange.RoleOperator, "/a/accounts/"+w.ids["account"]
	cert := p.Signer(certstest.RoleLeader).Certificate.Raw
	role, one := rule{kind: "choice", required: true, says: "ai trò"}, map[string]rule{"key": key}
	name, position, competence := named(needed(line(200)), "Họ tên"), named(line(200), "Chức vụ"), named(line(200), "Thẩm quyền")
	return []formCase{
		{route: "/accounts", as: it, path: "/a/accounts", valid: url.Values{"key": {"n"}, "login": {"binh"}, "name": {typed}, "role": {"lanh_dao"}, "position": {typed}, "competence": {typed}},
			fields: map[string]rule{"key": key, "login": {kind: "login", required: true, says: "Tên đăng nhập"}, "name": name, "role": role, "position": position, "competence": competence}},
		{route: "/accounts/{id}", as: it, path: at, valid: url.Values{"key": {"e"}, "version": {"2"}, "name": {typed}, "role": {"lanh_dao"}, "position": {typed}, "competence": {typed}},
			fields: map[string]rule{"key": key, "version": version, "name": name, "role": role, "position": position, "competence": competence}},
		{route: "/accounts/{id}/certificate", as: it, path: at + "/certificate", valid: url.Values{"key": {"c"}}, fields: map[string]rule{"key": key, "file": {kind: "file"}}, file: cert, name: "a.cer"},
		{route: "/accounts/{id}/certificate/bind", as: it, path: at + "/certificate/bind", valid: url.Values{"key": {"b"}, "remove": {"yes"}},
			fields: map[string]rule{"key": key, "der": {kind: "choice", says: "hứng thư"}, "remove": {kind: "choice", says: "Biểu mẫu"}}},
		{route: "/accounts/{id}/password", as: it, path: at + "/password", valid: url.Values{"key": {"p"}}, fields: one},
		{route: "/accounts/{id}/disabled", as: it, path: at + "/disabled", valid: url.Values{"key": {"d"}, "disabled": {"yes"}},
			fields: map[string]rule{"key": key, "disabled": {kind: "choice", required: true, says: "Biểu mẫu"}}},
		{route: "/api-keys", as: it, path: "/a/api-keys", valid: url.Values{"key": {"k"}, "name": {typed}, "scope": {"verify"}, "days": {"90"}},
			fields: map[string]rule{"key": key, "name": named(needed(line(100)), "ên"), "scope": {kind: "choice", required: true, says: "uyền"}, "days": {kind: "number", required: true, says: "Thời hạn"}}},
		{route: "/api-keys/{id}/rotate", as: it, path: "/a/api-keys/" + w.ids["rotated"] + "/rotate", valid: url.Values{"key": {"o"}, "overlap": {"7"}},
			fields: map[string]rule{"key": key, "overlap": {kind: "number", required: true, says: "Khóa cũ"}}},
		{route: "/api-keys/{id}/revoke", as: it, path: "/a/api-keys/" + w.ids["revoked"] + "/revoke", valid: url.Values{"key": {"x"}}, fields: one},
		{route: "/search/{id}/resume", as: it, path: "/a/search/" + w.ids["hand"] + "/resume", valid: url.Values{"key": {"s"}, "delivery": {w.ids["delivery"]}}, shown: refusedAll,
			fields: map[string]rule{"key": key, "delivery": {kind: "choice", required: true, says: anything}}},
		{route: "/lanes/{to}/hold", as: it, path: "/a/lanes/H98.35/hold", valid: url.Values{"key": {"lh"}, "reason": {typed}}, fields: map[string]rule{"key": key, "reason": needed(lines(500))}},
		{route: "/lanes/{to}/release", as: exchange.RoleClerk, path: "/a/lanes/H98.35/release", valid: url.Values{"key": {"lr"}}, fields: one},
		{route: "/deliveries/{id}/hold", as: it, path: "/a/deliveries/" + w.ids["waiting"] + "/hold", valid: url.Values{"key": {"dh"}, "reason": {typed}},
			fields: map[string]rule{"key": key, "reason": needed(lines(500))}},
		{route: "/deliveries/{id}/resume", as: exchange.RoleClerk, path: "/a/deliveries/" + w.ids["waiting"] + "/resume", valid: url.Values{"key": {"dr"}}, fields: one},
		{route: "/deliveries/{id}/quarantine", as: it, path: "/a/deliveries/" + w.ids["waiting"] + "/quarantine", valid: url.Values{"key": {"dq"}, "reason": {typed}},
			fields: map[string]rule{"key": key, "reason": needed(lines(500))}},
		{route: "/documents/{id}/deliveries/{delivery}/resume", as: exchange.RoleClerk, path: "/a/documents/" + w.ids["sent"] + "/deliveries/dl_none/resume", valid: url.Values{"key": {"s"}},
			shown: refusedAll, fields: one},
		{route: "/login", as: it, path: "/a/login", valid: url.Values{"key": {"l"}, "login": {"khong"}, "password": {"một câu không đúng"}}, shown: refusedAll, logged: true,
			fields: map[string]rule{"key": key, "login": {kind: "choice", required: true, says: "Tên đăng nhập"}, "password": {kind: "secret", required: true, says: "ật khẩu"}, "next": {kind: "ignored", says: "Biểu mẫu"}}},
		{route: "/password", as: it, path: "/a/password", valid: url.Values{"key": {"w"}, "old": {"không biết là gì"}, "new": {"một câu dài hơn"}, "again": {"một câu dài hơn"}, "username": {"x"}}, shown: refusedAll, logged: true,
			fields: map[string]rule{"key": key, "old": {kind: "secret", required: true, says: "ật khẩu"}, "new": {kind: "secret", required: true, says: "ật khẩu"}, "again": {kind: "secret", required: true, says: "ật khẩu"},
				"username": {kind: "hidden", says: "Biểu mẫu"}}},
		{route: "/logout", as: it, path: "/a/logout", valid: url.Values{"key": {"o"}}, shown: sessionEnds, fields: map[string]rule{"key": key}},
	}
}
