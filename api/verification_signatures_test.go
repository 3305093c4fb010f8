package api_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer/cms"
)

// signatureOver is a CAdES signature by the leader; inside also holds the content.
func signatureOver(t *testing.T, content []byte, inside bool) []byte {
	t.Helper()
	p, err := pki()
	must(t, err)
	who := p.Signer(certstest.RoleLeader)
	alg, err := cms.AlgorithmFor(who.Key.Public(), crypto.SHA256, false)
	must(t, err)
	h := crypto.SHA256.New()
	h.Write(content)
	attrs, err := cms.SignedAttributes(cms.AttributeParams{MessageDigest: h.Sum(nil), Certificate: who.Certificate, Algorithm: alg})
	must(t, err)
	items, err := cms.Elements(attrs)
	must(t, err)
	when, err := asn1.Marshal(time.Now().UTC())
	must(t, err)
	claim, err := asn1.Marshal(struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}{cms.OIDSigningTime, []asn1.RawValue{{FullBytes: when}}})
	must(t, err)
	var all []asn1.RawValue
	for _, i := range append(items, claim) {
		all = append(all, asn1.RawValue{FullBytes: i})
	}
	attrs, err = asn1.MarshalWithParams(all, "set")
	must(t, err)
	value, err := alg.Sign(rand.Reader, who.Key, attrs)
	must(t, err)
	params := cms.SignedDataParams{Algorithm: alg, Attributes: attrs, Signature: value, Certificate: who.Certificate, Certificates: who.Chain}
	if inside {
		params.Content = content
	}
	der, err := cms.Build(params)
	must(t, err)
	return der
}

// formOf is a form with the parts in order: name, then bytes.
func formOf(t *testing.T, parts ...any) (*bytes.Buffer, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		part, err := w.CreateFormFile(parts[i].(string), parts[i].(string)+".bin")
		must(t, err)
		_, _ = part.Write(parts[i+1].([]byte))
	}
	must(t, w.Close())
	return &b, w.FormDataContentType()
}

func TestASignatureFileIsVerifiedWithItsContent(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	content := bytes.Repeat([]byte("Kính gửi. "), 1000)
	inside, apart := signatureOver(t, content, true), signatureOver(t, content, false)
	post := func(body any, contentType string) answer {
		return a.ask(t, http.MethodPost, "/v1/verifications?name=a.p7s", body, "Content-Type", contentType)
	}
	verdict := func(got answer, want, level string) {
		t.Helper()
		m := got.is(t, http.StatusOK)
		s := m["signatures"].([]any)[0].(map[string]any)
		if m["verdict"] != want || s["level"] != level || m["file"] != "a.p7s" {
			t.Errorf("%v %v, want %s %s: %v", m["verdict"], s["level"], want, level, m["reasons"])
		}
	}
	verdict(post(bytes.NewReader(inside), "application/octet-stream"), "valid", "CAdES-B-B")
	verdict(post(bytes.NewReader(inside), "application/pkcs7-mime"), "valid", "CAdES-B-B")
	verdict(post(bytes.NewReader(apart), "application/pkcs7-signature"), "inconclusive", "CMS")
	for _, order := range [][]any{{"file", apart, "content", content}, {"content", content, "file", apart}} {
		form, ct := formOf(t, order...)
		verdict(post(form, ct), "valid", "CAdES-B-B")
	}
	form, ct := formOf(t, "file", apart, "content", content[1:])
	verdict(post(form, ct), "invalid", "CMS")
	file, over := a.uploaded(t, apart), a.uploaded(t, content)
	verdict(post(`{"sha256":"`+file+`","content_sha256":"`+over+`"}`, "application/json"), "valid", "CAdES-B-B")
	// The report kept is the one that was given.
	got := post(bytes.NewReader(inside), "application/octet-stream")
	kept := a.ask(t, http.MethodGet, got.Header.Get("Location")[len(a.prefix):], nil)
	if kept.is(t, http.StatusOK); !bytes.Equal(kept.body, got.body) {
		t.Errorf("kept %s", kept.body)
	}
}

func TestWhatIsWrongWithASignatureAndItsContentIsNamed(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	content := []byte("Kính gửi")
	apart, pdf := signatureOver(t, content, false), a.signedPDF(t)
	sha, unknown := a.uploaded(t, pdf), a.uploaded(t, content)
	form := func(parts ...any) []any {
		b, ct := formOf(t, parts...)
		return []any{b, ct}
	}
	json := func(s string) []any { return []any{s, "application/json"} }
	for name, c := range map[string]struct {
		request []any
		status  int
		code    text.Code
		pointer string
	}{
		"a content beside a PDF":      {form("file", pdf, "content", content), 400, text.InvalidInput, "/content"},
		"no file":                     {form("content", content), 400, text.InvalidInput, "/file"},
		"two files":                   {form("file", apart, "file", apart), 400, text.InvalidInput, "/file"},
		"two contents":                {form("file", apart, "content", content, "content", content), 400, text.InvalidInput, "/content"},
		"another part":                {form("file", apart, "signature", apart), 400, text.InvalidInput, "/signature"},
		"too large together":          {form("file", apart, "content", make([]byte, 30<<20)), 413, text.TooLarge, ""},
		"a content beside, by digest": {json(`{"sha256":"` + sha + `","content_sha256":"` + unknown + `"}`), 400, text.InvalidInput, "/content_sha256"},
		"a content not there":         {json(`{"sha256":"` + sha + `","content_sha256":"` + sha[1:] + `0"}`), 404, text.NotFound, "/content_sha256"},
		"a content by no digest":      {json(`{"sha256":"` + sha + `","content_sha256":"x"}`), 422, text.InvalidInput, "/content_sha256"},
		"only a content":              {json(`{"content_sha256":"` + sha + `"}`), 422, text.InvalidInput, "/sha256"},
		"neither PDF nor signature":   {form("file", content), 422, text.NotAPDF, ""},
	} {
		got := a.ask(t, http.MethodPost, "/v1/verifications", c.request[0], "Content-Type", c.request[1].(string))
		got.refused(t, c.status, c.code)
		if c.pointer != "" && !bytes.Contains(got.body, []byte(`"`+c.pointer+`"`)) {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}
