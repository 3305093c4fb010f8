package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/validation"
)

const today = "2026-11-23"

func finalRequest(sha, number string) map[string]any {
	return map[string]any{"kind": map[string]any{"code": 18, "name": "Công văn"}, "code_notation": "UBND-VP", "subject": "Về việc phối hợp",
		"file": sha, "acting_person": "Nguyễn Văn Gửi",
		"final": map[string]any{"code_number": number, "promulgation_date": today}}
}

// uploaded uploads data and returns its SHA-256.
func (s *site) uploaded(t *testing.T, data []byte) string {
	t.Helper()
	return s.ask(t, http.MethodPost, "/v1/files", data).is(t, http.StatusCreated)["sha256"].(string)
}

// created makes a finished document of the uploaded file.
func (s *site) created(t *testing.T, sha, number string) string {
	t.Helper()
	return s.ask(t, http.MethodPost, "/v1/documents", finalRequest(sha, number), "Idempotency-Key", "tao-"+number).is(t, http.StatusCreated)["id"].(string)
}

func (s *site) send(t *testing.T, id string, to *site) map[string]any {
	t.Helper()
	return s.ask(t, http.MethodPost, "/v1/documents/"+id+":send", map[string]any{"to": []any{map[string]any{"organ_id": to.office.Agency.Code}}, "acting_person": "Nguyễn Văn Gửi"},
		"Idempotency-Key", "gui-"+id).is(t, http.StatusAccepted)
}

func (s *site) waiting(t *testing.T) map[string]any {
	t.Helper()
	items := s.ask(t, http.MethodGet, "/v1/inbox?state=WAITING&limit=1", nil).is(t, http.StatusOK)["items"].([]any)
	if len(items) != 1 {
		t.Fatalf("%d items wait", len(items))
	}
	return items[0].(map[string]any)
}

func TestAFileGoesFromUploadToAcceptanceAndRefusalAndTheSenderLearnsOfIt(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	pdf := a.signedPDF(t)
	sha := a.uploaded(t, pdf)
	if again := a.uploaded(t, pdf); again != sha || sha != string(exchange.DigestOf(pdf)) {
		t.Fatalf("digests %s, %s", sha, again)
	}
	one, two := a.created(t, sha, "7"), a.created(t, sha, "8")
	sent := a.send(t, one, b)
	if again := a.send(t, one, b); fmt.Sprint(again["deliveries"]) != fmt.Sprint(sent["deliveries"]) {
		t.Error("the repeat of a send answered otherwise")
	}
	settle(t, a, b)

	item := b.waiting(t)
	if item["verdict"] != "valid" || item["code_number"] != "07" || item["organ_id"] != "H15.01" || item["subject"] != "Về việc phối hợp" ||
		item["promulgation_date"] != today || item["document_id"] != "H15.01,2026/11/23,07/UBND-VP" {
		t.Errorf("item: %v", item)
	}
	got := b.ask(t, http.MethodGet, "/v1/inbox/"+item["id"].(string)+"/attachments/0", nil)
	if got.is(t, http.StatusOK); !bytes.Equal(got.body, pdf) {
		t.Error("the attachment differs from the file sent")
	}
	body := map[string]any{"assignee": "Phòng Nội vụ", "acting_person": "Hoàng Văn Nhận"}
	for range 2 { // the repeat acts once
		acc := b.ask(t, http.MethodPost, "/v1/inbox/"+item["id"].(string)+":accept", body, "Idempotency-Key", "n1").is(t, http.StatusOK)
		by := acc["accepted"].(map[string]any)["by"].(map[string]any)
		if acc["state"] != "ACCEPTED" || acc["arrival_number"] != 1.0 || by["name"] != "Hoàng Văn Nhận" || !strings.HasPrefix(by["id"].(string), "ak_") {
			t.Errorf("accepted: %v", acc)
		}
	}

	a.send(t, two, b)
	settle(t, a, b)
	item = b.waiting(t)
	ref := b.ask(t, http.MethodPost, "/v1/inbox/"+item["id"].(string)+"%3Arefuse",
		map[string]any{"reason": "wrong_receiver", "note": "Gửi Sở Y tế", "acting_person": "Hoàng Văn Nhận"}, "Idempotency-Key", "t1").is(t, http.StatusOK)
	if ref["state"] != "RETURNED" || ref["reason"] != "Gửi nhầm nơi nhận. Gửi Sở Y tế" {
		t.Errorf("refused: %v", ref)
	}
	settle(t, a, b)

	for id, want := range map[string]string{one: "03", two: "02"} {
		items := a.ask(t, http.MethodGet, "/v1/documents/"+id+"/deliveries", nil).is(t, http.StatusOK)["items"].([]any)
		d := items[0].(map[string]any)
		business, transport := d["business"].(map[string]any), d["transport"].(map[string]any)
		if len(items) != 1 || business["code"] != want || transport["state"] != "DELIVERED" || transport["receipt"] == "" || business["by"] != "Hoàng Văn Nhận" {
			t.Errorf("delivery of %s: %v", id, d)
		}
	}
	for _, s := range []*site{a, b} {
		if f := s.failures(); len(f) > 0 {
			t.Errorf("failures: %v", f)
		}
	}
}

func TestAVerificationIsTheValidatorsReport(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	pdf := a.signedPDF(t)
	sha := a.uploaded(t, pdf)
	a.at = time.Now()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "văn bản.pdf")
	must(t, err)
	_, _ = part.Write(pdf)
	must(t, w.Close())
	for name, got := range map[string]answer{
		"văn bản.pdf": a.ask(t, http.MethodPost, "/v1/verifications", &form, "Content-Type", w.FormDataContentType()),
		"x.pdf":       a.ask(t, http.MethodPost, "/v1/verifications?name=x.pdf", pdf),
		"":            a.ask(t, http.MethodPost, "/v1/verifications", map[string]any{"sha256": sha}),
	} {
		got.is(t, http.StatusOK)
		var report validation.Report
		must(t, json.Unmarshal(got.body, &report))
		want, err := a.validator.Validate(t.Context(), validation.Input{Reader: bytes.NewReader(pdf), Size: int64(len(pdf)), Name: name}, a.at)
		must(t, err)
		exact, err := json.Marshal(want)
		must(t, err)
		if report.Verdict != validation.Valid || !bytes.Equal(got.body, exact) {
			t.Errorf("%q: got %s\nwant %s", name, got.body, exact)
		}
	}
	broken := bytes.Replace(pdf, []byte("/V ("), []byte("/V  "), 1)
	broken[len(pdf)/3] ^= 1
	if m := a.ask(t, http.MethodPost, "/v1/verifications", broken).is(t, http.StatusOK); m["verdict"] == "valid" {
		t.Error("a broken file is called valid")
	}
	a.ask(t, http.MethodPost, "/v1/verifications", []byte("no pdf")).refused(t, http.StatusUnprocessableEntity, text.NotAPDF)
}
