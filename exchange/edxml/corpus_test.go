package edxml_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/exchange/edxml"
	"antin/internal/text"
)

func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("ANTIN_CORPUS")
	if dir == "" {
		t.Skip("ANTIN_CORPUS is not set: messages from the field are not read")
	}
	return filepath.Join(dir, "edxml")
}

func readFile(t testing.TB, path string) ([]byte, *edxml.Message, error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := edxml.Read(bytes.NewReader(data), int64(len(data)), edxml.Limits{})
	return data, m, err
}

func TestCorpusParses(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(corpus(t), "*", "*.edxml"))
	if err != nil || len(files) != 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	business, status := map[edxml.BusinessType]bool{}, map[edxml.StatusCode]bool{}
	for _, f := range files {
		if strings.Contains(f, "malformed") {
			continue
		}
		_, m, err := readFile(t, f)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(f), err)
			continue
		}
		if m.Kind == edxml.Status {
			status[m.Report.Code] = true
			if m.ResponseFor[0].DocumentID == "" || m.Report.Time.IsZero() {
				t.Errorf("%s: %+v", filepath.Base(f), m)
			}
			continue
		}
		business[m.BusinessType()] = true
		for i := range m.Attachments {
			c := extract(t, &m.Attachments[i])
			_, destroyed := c.Destroyed()
			// A placeholder text stands for the original file in some samples.
			placeholder := c.Size() < 100
			if want := strings.Contains(f, "9e272474"); destroyed != want && !placeholder {
				t.Errorf("%s: destroyed is %v", filepath.Base(f), destroyed)
			}
		}
	}
	if len(status) != 9 || len(business) != 4 {
		t.Errorf("%d status codes, %d business types", len(status), len(business))
	}
}

func extract(t testing.TB, a *edxml.Attachment) *edxml.Content {
	t.Helper()
	c, err := a.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCorpusMalformedNamesLineAndElement(t *testing.T) {
	t.Parallel()
	_, _, err := readFile(t, filepath.Join(corpus(t), "sdk", "edoc_malformed_cert_redacted.edxml"))
	e := text.As(err)
	if e == nil || e.Code != text.EdXMLMalformed {
		t.Fatal(err)
	}
	if vi := e.Message().VI; !strings.Contains(vi, "Dòng 116, thẻ <edXML:Reference>") || !strings.Contains(vi, "“xlink”") {
		t.Error(vi)
	}
	var pos *edxml.PositionError
	if !errors.As(err, &pos) || pos.Line != 116 || pos.Element != "edXML:Reference" {
		t.Errorf("%+v", pos)
	}
}

func TestCorpusPDFComesOutOfItsZIP(t *testing.T) {
	t.Parallel()
	_, m, err := readFile(t, filepath.Join(corpus(t), "received", "874e0f18-90dc-45fb-989a-65401470ba84.edxml"))
	if err != nil {
		t.Fatal(err)
	}
	a := &m.Attachments[0]
	c := extract(t, a)
	if !a.Wrapped || c.MediaType() != "application/pdf" || a.Name != "1761211722949_TestTrucLienThong.pdf" || c.Size() <= a.PayloadSize {
		t.Errorf("wrapped %v, %s, %q, %d bytes of %d", a.Wrapped, c.MediaType(), a.Name, c.Size(), a.PayloadSize)
	}
	if m.Trace[0].OrganID != "null" || m.Trace[1].OrganID != "" || edxml.Local(m.Trace[0].Time).Format("15:04:05 -0700") != "16:28:42 +0700" {
		t.Errorf("%+v", m.Trace)
	}
}

func TestCorpusDestroyedPDFIsExplained(t *testing.T) {
	t.Parallel()
	_, m, err := readFile(t, filepath.Join(corpus(t), "received", "9e272474-0603-48a2-b525-9cd1af689612.edxml"))
	if err != nil {
		t.Fatal(err)
	}
	reason, destroyed := extract(t, &m.Attachments[0]).Destroyed()
	if !destroyed || !strings.Contains(reason.VI, "3894 chỗ") || !strings.Contains(reason.VI, m.Attachments[0].Name) {
		t.Errorf("%v %q", destroyed, reason.VI)
	}
}

// TestWriterMatchesTheSDK writes what the national software wrote and compares
// every tag, attribute and text but the archives, whose entry names are random there.
func TestWriterMatchesTheSDK(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpus(t), "sdk")
	for _, name := range []string{"edoc_new", "edoc_revocation", "edoc_update", "edoc_replacement", "status", "minimal_zip_attachment"} {
		original, m, err := readFile(t, filepath.Join(dir, name+".edxml"))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := edxml.Write(&out, m, edxml.WriteOptions{}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want, got := tokens(t, original), tokens(t, out.Bytes())
		for i := range max(len(want), len(got)) {
			if i >= len(want) || i >= len(got) || want[i] != got[i] {
				t.Errorf("%s: token %d is %q, the SDK wrote %q", name, i, at(got, i), at(want, i))
				break
			}
		}
		again, err := edxml.Read(bytes.NewReader(out.Bytes()), int64(out.Len()), edxml.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, m, again)
	}
}

func at(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return "nothing"
}

// tokens lists a document as its prefixes, names and texts, without white space
// between tags, comments and attachments' content.
func tokens(t *testing.T, data []byte) []string {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(data))
	var out []string
	content := false
	for {
		tok, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			s := tok.Name.Space + ":" + tok.Name.Local
			for _, a := range tok.Attr {
				s += " " + a.Name.Space + ":" + a.Name.Local + "=" + a.Value
			}
			out = append(out, s)
			content = tok.Name.Local == "ContentTransferEncoded"
		case xml.EndElement:
			out = append(out, "/"+tok.Name.Local)
		case xml.CharData:
			if s := strings.TrimSpace(string(tok)); s != "" && !content {
				out = append(out, s)
			}
		}
	}
}

func digest(t testing.TB, a *edxml.Attachment) [32]byte {
	t.Helper()
	c, err := a.Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if got := sha256.Sum256(data); got != c.SHA256() {
		t.Error("Content computes another digest")
	}
	return c.SHA256()
}
