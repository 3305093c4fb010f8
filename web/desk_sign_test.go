package web_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"antin/certs/certstest"
	"antin/exchange"
)

// state is the file for a signing program, as far as a test needs it.
type state struct {
	ToSign string `json:"to_sign"`
	Digest string `json:"digest"`
	Shown  string `json:"shown"`
}

// signedDigest downloads what is to be signed and signs it with role's key.
func signedDigest(t *testing.T, h http.Handler, path, role string) string {
	t.Helper()
	w := get(t, h, path)
	var s state
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code != http.StatusOK || s.Digest != "SHA-256" {
		t.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	digest, err := hex.DecodeString(s.ToSign)
	must(t, err)
	p, err := pki()
	must(t, err)
	value, err := p.Signer(role).Key.Sign(rand.Reader, digest, crypto.SHA256)
	must(t, err)
	return base64.StdEncoding.EncodeToString(value)
}

func TestTokensElsewhereSignAndSeal(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.staffed(t)
	p, err := pki()
	must(t, err)
	// The leader's key and the seal are in tokens: only their certificates are known here.
	office, err := a.desk.Outbox.Offices.Office(t.Context(), a.office.Agency.Code)
	must(t, err)
	office.Signatories[0].Key, office.Signatories[0].Certificate = "", p.Signer(certstest.RoleLeader).Certificate.Raw
	office.SealKey, office.Agency.Seals = "", [][]byte{p.Signer(certstest.RoleSealA).Certificate.Raw}
	a.desk.Outbox.Offices = exchange.OfficeList{office}
	a.desk.Outbox.Press.Offices = a.desk.Outbox.Offices
	a.desk.Renderer = newRenderer(t)
	clerk, leader := a.as(t, exchange.RoleClerk), a.as(t, exchange.RoleLeader)

	w := post(t, clerk, "/a/documents/new", composed("Ký bằng thiết bị", a.signatory(t)))
	at := w.Header().Get("Location")
	id := string(idIn(t, at))
	twicePosted(t, clerk, "/a/press/"+id+"/ask", url.Values{"key": {"a"}}, at)
	body := page(t, get(t, leader, "/a/sign/"+id), http.StatusOK)
	wantAll(t, body, "Chứng thư của", "Tải tệp để ký", "Ký riêng mã băm")
	if strings.Contains(body, "Đồng ý và ký") {
		t.Error("a button signs with a key that is not here")
	}
	page(t, get(t, leader, "/a/sign/"+id+"?prepare=1"), http.StatusOK)
	complete := "/a/sign/" + id + "/complete"
	wantAll(t, page(t, post(t, leader, complete, url.Values{"key": {"c"}, "form": {"raw"}, "value": {"không phải base64 !"}}), http.StatusUnprocessableEntity), `aria-invalid="true"`)
	wrong := signedDigest(t, leader, "/a/sign/"+id+"/state", certstest.RoleSealA)
	if w := post(t, leader, complete, url.Values{"key": {"c"}, "form": {"raw"}, "value": {wrong}}); w.Code < 400 || w.Code >= 500 {
		t.Errorf("another key's value: %d", w.Code)
	}
	value := signedDigest(t, leader, "/a/sign/"+id+"/state", certstest.RoleLeader)
	if w := post(t, leader, complete, url.Values{"key": {"c"}, "form": {"raw"}, "value": {value}}); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}

	press := "/a/press/" + id
	twicePosted(t, clerk, press+"/number", url.Values{"key": {"n"}}, at)
	body = page(t, get(t, clerk, press+"/seal"), http.StatusOK)
	wantAll(t, body, "Con dấu nằm trong thiết bị của văn thư", "Tải bản đã ký lên")
	if strings.Contains(body, "Đóng dấu bản này") {
		t.Error("a button seals with a key that is not here")
	}
	wantAll(t, page(t, upload(t, clerk, press+"/seal/upload", "x.pdf", bytes.NewReader(a.draft(t, exchange.ID(id))), nil), http.StatusConflict), `role="alert"`)
	value = signedDigest(t, clerk, press+"/seal/state", certstest.RoleSealA)
	if w := post(t, clerk, press+"/seal/complete", url.Values{"key": {"s"}, "form": {"raw"}, "value": {value}}); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	wantAll(t, page(t, get(t, clerk, at), http.StatusOK), "HỢP LỆ", "01/UBND-VP")
	// The number that văn thư filled in is part of the page's text.
	wantAll(t, get(t, clerk, at+"/pages/1.txt").Body.String(), ": 01", "phối hợp")
}

// draft is the file of id before any signature.
func (s *site) draft(t *testing.T, id exchange.ID) []byte {
	t.Helper()
	_, r, err := s.desk.Outbox.Open(t.Context(), s.clerk, id, exchange.FileDraft)
	must(t, err)
	defer func() { _ = r.Close() }()
	b := make([]byte, r.Size())
	_, err = r.ReadAt(b, 0)
	must(t, err)
	return b
}
