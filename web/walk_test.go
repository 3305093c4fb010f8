package web_test

import (
	"bytes"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// pair with something of everything on its pages, in ASCII as far as it is ours to
// choose.
type seeded struct {
	a, b *site
	ids  map[string]string // what stands for {id} below a folder of a's desk, "b:" + folder of b's
}

// seed fills a pair: an issued and sent document, an altered one, a result, and a
// checked file.
func seed(t *testing.T) seeded {
	t.Helper()
	a, b := newPair(t)
	ctx, kind := t.Context(), exchange.DocumentKind{Code: 18, Name: "Letter"}
	d, err := a.desk.Outbox.Create(ctx, a.clerk, exchange.NewDocument{Kind: kind, Notation: "UBND-VP", Subject: "Working together", Signatory: "leader",
		Body: "Costs: 3.000.000 dong.", Addressees: []string{"Agency B"}, Places: []string{"As above"}})
	must(t, err)
	_, err = a.desk.Outbox.Sign(ctx, a.leader, d.ID)
	must(t, err)
	d, err = a.desk.Outbox.Seal(ctx, a.clerk, d.ID)
	must(t, err)
	item := a.sendTo(t, d, b)
	bad, err := a.desk.Outbox.Create(ctx, a.clerk, exchange.NewDocument{Kind: kind, Notation: "VP", Subject: "Altered",
		PDF: bytes.NewReader(altered(t, a.final(t, d.ID))), FileName: "altered.pdf", Final: &exchange.Number{Seq: 77, Date: time.Now()}, Confirmed: true})
	must(t, err)
	badItem := a.sendTo(t, bad, b)
	_, err = b.desk.Inbox.Refuse(ctx, b.clerk, exchange.Decision{Item: badItem.ID, Reason: "Not genuine"})
	must(t, err)
	_, err = b.desk.Inbox.Accept(ctx, b.clerk, exchange.Decision{Item: item.ID, Assignee: "Office"})
	must(t, err)
	settle(t, a, b)
	draft, err := a.desk.Outbox.Create(ctx, a.clerk, exchange.NewDocument{Kind: kind, Notation: "UBND-VP", Subject: "A draft", Signatory: "leader", Body: "Text."})
	must(t, err)
	x, err := a.desk.Results.Create(ctx, a.clerk, exchange.NewResult{Signatory: "leader", Form: exchange.ResultForm{Dossier: "H98.21-1", Kind: kind,
		Notation: "QD", Subject: "A copy", Body: "Article 1.", Owner: "Jane Doe", Procedure: "2.1", ProcedureName: "Copies"}})
	must(t, err)
	_, err = a.desk.Results.Sign(ctx, a.leader, x.ID)
	must(t, err)
	_, err = a.desk.Results.Seal(ctx, a.clerk, x.ID)
	must(t, err)
	w := upload(t, a.handler(t), "/a/verifications", "final.pdf", bytes.NewReader(a.final(t, d.ID)), nil)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("keeping a report: %d %s", w.Code, w.Body)
	}
	kept := strings.TrimPrefix(w.Header().Get("Location"), "/a/verifications/")
	a.session(t, exchange.RoleLeader)
	acc, err := a.desk.Access.AccountByLogin(ctx, a.office.Agency.Code, string(exchange.RoleLeader))
	must(t, err)
	sent, err := a.desk.Outbox.Document(ctx, a.clerk, d.ID)
	must(t, err)
	must(t, a.desk.Outbox.HoldLane(ctx, a.clerk, b.office.Agency.Code, "Moving house"))
	return seeded{a: a, b: b, ids: map[string]string{"documents": string(d.ID), "drafts": string(draft.ID), "results": string(x.ID), "verifications": kept,
		"accounts": string(acc.ID), "search": string(d.ID), "deliveries": string(sent.Deliveries[0].ID), "sign": string(draft.ID), "b:inbox": string(item.ID), "b:refused": string(badItem.ID)}}
}

// visit opens every page of both desks that a role may open, in the language asked
// for, and gives each to look.
func (s seeded) visit(t *testing.T, lang text.Lang, look func(t *testing.T, path, body string)) int {
	t.Helper()
	n := 0
	for _, side := range []struct {
		*site
		prefix string
	}{{s.a, ""}, {s.b, "b:"}} {
		for _, rt := range side.desk.Routes() {
			if rt.Method != http.MethodGet {
				continue
			}
			roles := rt.Roles
			if roles == nil {
				roles = []exchange.Role{exchange.RoleClerk}
			}
			for _, path := range s.paths(side.prefix, rt.Path) {
				for _, role := range roles {
					w := get(t, side.as(t, role), side.desk.Prefix+path+"?lang="+string(lang))
					if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
						if w.Code >= http.StatusInternalServerError {
							t.Errorf("%s as %s: %d", path, role, w.Code)
						}
						continue
					}
					n++
					look(t, path+" as "+string(role), w.Body.String())
				}
			}
		}
	}
	return n
}

// paths puts what there is in the places of a path's parameters.
func (s seeded) paths(side, path string) []string {
	path = strings.NewReplacer("{$}", "", "{n}", "0", "{page}", "1.txt", "{book}", "den", "{to}", "H98.35", "{year}", time.Now().In(exchange.Vietnam).Format("2006")).Replace(path)
	if !strings.Contains(path, "{") {
		return []string{path}
	}
	var out []string
	folder := strings.Split(path, "/")[1]
	for _, key := range map[string][]string{"documents": {"documents", "drafts"}, "inbox": {"inbox", "refused"}, "sign": {"sign", "documents"}}[folder] {
		if id, ok := s.ids[side+key]; ok {
			out = append(out, strings.Replace(path, "{id}", id, 1))
		}
	}
	if id, ok := s.ids[side+folder]; ok && len(out) == 0 {
		out = append(out, strings.Replace(path, "{id}", id, 1))
	}
	return out
}

var (
	// markedVietnamese is what a page says in Vietnamese on purpose, and marks so.
	markedVietnamese = regexp.MustCompile(`(?s)<(?:p|pre|span|a|textarea|td|dd|li|blockquote|option)\b[^>]*\blang="vi"[^>]*>.*?</`)
	tags             = regexp.MustCompile(`(?s)<[^>]*>`)
	spoken           = regexp.MustCompile(`(?:alt|title|placeholder|aria-label|data-[a-z]+)="([^"]*)"`)
	vietnamese       = regexp.MustCompile(`[^\s]*[À-ỹĂăĐđƠơƯư]+[^\s]*`)
)

// properNames are names of people and agencies of the test's PKI, and the terms that
// English texts keep.
var properNames = []string{"Nguyễn Văn An", "UBND xã Thử Nghiệm", "UBND phường Mẫu Đơn", "ỦY BAN NHÂN DÂN TỈNH THỬ", "TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH", "Hà Nội",
	"Lê Thị Văn Thư", "Trần Thị Một Cửa", "Vũ Văn Quản Trị", "Dịch vụ dấu thời gian thử nghiệm Ấn tín",
	"CA cấp phát thử nghiệm Ấn tín", "CA gốc thử nghiệm Ấn tín", "Tỉnh Thử Nghiệm", "Ủy ban", "QĐ-UBND", "KT. GIÁM ĐỐC", "Communiqué", "Văn thư", "văn thư", "Lãnh đạo", "lãnh đạo", "Một cửa", "số đến", "số đi", "×", "÷"}

func TestEnglishPagesHoldNoVietnamese(t *testing.T) {
	t.Parallel()
	s := seed(t)
	n := s.visit(t, text.EN, func(t *testing.T, path, body string) {
		t.Helper()
		if !strings.Contains(body, `<html lang="en">`) {
			t.Errorf("%s is not in English", path)
		}
		body = markedVietnamese.ReplaceAllString(body, "<x></")
		var said []string
		for _, m := range spoken.FindAllStringSubmatch(body, -1) {
			said = append(said, m[1])
		}
		words := html.UnescapeString(tags.ReplaceAllString(body, "\n") + "\n" + strings.Join(said, "\n"))
		for _, name := range properNames {
			words = strings.ReplaceAll(words, name, "")
		}
		for _, line := range strings.Split(words, "\n") {
			if found := vietnamese.FindString(line); found != "" {
				t.Errorf("%s says %q", path, strings.TrimSpace(line))
			}
		}
	})
	if n < 30 {
		t.Errorf("only %d pages were seen", n)
	}
}

func TestEveryPageIsWholeInVietnamese(t *testing.T) {
	t.Parallel()
	s := seed(t)
	n := s.visit(t, text.VI, func(t *testing.T, path, body string) {
		t.Helper()
		for _, wrong := range []string{"%!", "ZgotmplZ", "&lt;nil&gt;", ">web.", ">desk.", ">people.", "\"web.", "{{"} {
			if strings.Contains(body, wrong) {
				t.Errorf("%s holds %q", path, wrong)
			}
		}
		if inline.MatchString(body) {
			t.Errorf("%s holds inline script or style: %s", path, inline.FindString(body))
		}
	})
	t.Logf("%d pages", n)
}
