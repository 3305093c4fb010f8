package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer/pdf"
	"antin/signer/pdf/find"
	"antin/signer/report"
	"antin/signer/validation"
)

func TestFormatComesFromTheName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]report.Format{"a.pdf": report.PDF, "b/c.JSON": report.JSON, "x.y.xml": report.XML, "pdf": "", "a.html": "", "": ""} {
		f, err := report.FormatOf(name)
		if f != want || (err == nil) != (want != "") || (want != "" && f.MediaType() == "") {
			t.Errorf("%q: %q (%s), %v", name, f, f.MediaType(), err)
		}
		if err != nil && text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%q: code %s", name, text.CodeOf(err))
		}
	}
}

// full has every kind of entry, and texts that no font and no XML can show.
func full() *validation.Report {
	at := validation.Time{Time: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}
	s := validation.Signature{Field: "NguoiKy", Type: validation.ApprovalSignature, Indication: "INDETERMINATE", SubIndication: "TRY_LATER",
		Integrity: validation.IntegrityOK, Level: "PAdES-B-T", Signer: validation.Signer{Subject: "CN=Trần Văn A \U0001F600", Serial: "0A", NotBefore: at, NotAfter: at},
		Digest: "SHA-256", Algorithm: "ECDSA", KeyBits: 256, ClaimedTime: at, BestTime: at, BestTimeSource: validation.TimeSignatureTimestamp,
		Timestamps:     []validation.Timestamp{{Time: at, TSA: "CN=TSA", Indication: "TOTAL-PASSED"}},
		Revocation:     validation.Revocation{Status: "revoked", RevokedAt: at, Reason: "superseded", Source: "crl", ThisUpdate: at},
		Covers:         validation.Coverage{Revision: 1, Of: 2},
		Modifications:  validation.ModificationForm,
		Chain:          []string{"CN=A", "CN=Root"},
		CheckableUntil: at}
	stamp := s
	stamp.Field, stamp.Type, stamp.BestTimeSource, stamp.Revocation = "DTS\x00", validation.DocumentTimestamp, validation.TimeNow, validation.Revocation{Status: "unknown", Source: "none"}
	stamp.Modifications, stamp.Integrity, stamp.Covers.WholeFile = validation.ModificationForbidden, validation.IntegrityBroken, true
	r := &validation.Report{File: "văn bản \u202e.pdf", SHA256: strings.Repeat("ab", 32), Verdict: validation.Inconclusive,
		Headline: text.Message{VI: "CHƯA KẾT LUẬN ĐƯỢC", EN: "INCONCLUSIVE"}, Signatures: []validation.Signature{s, stamp},
		Reasons: []validation.Reason{{Code: "revoked", Signature: "NguoiKy", Message: text.Message{VI: "Chứng thư đã bị thu hồi.", EN: "Revoked."}}},
		Policy:  validation.PolicyName{Name: "vn-2026", Version: "1"}, CheckedAt: at, Online: true, Sandbox: true}
	for range 250 {
		r.Changes = append(r.Changes, validation.Change{Message: text.Message{VI: "Điền ô số.", EN: "Filled."}})
	}
	return r
}

func TestEveryFormatIsWrittenTheSameTwice(t *testing.T) {
	t.Parallel()
	for _, f := range []report.Format{report.JSON, report.XML, report.PDF} {
		a, err := report.Write(full(), f, report.Options{Agency: "UBND phường Bến Thành"})
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		b, err := report.Write(full(), f, report.Options{Agency: "UBND phường Bến Thành"})
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: other bytes the second time, %v", f, err)
		}
	}
	if _, err := report.Write(full(), "html", report.Options{}); text.CodeOf(err) != text.InvalidInput {
		t.Errorf("unknown format: %v", err)
	}
}

func TestJSONIsTheContractsObject(t *testing.T) {
	t.Parallel()
	b, err := report.Write(full(), report.JSON, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var again validation.Report
	if err := json.Unmarshal(b, &again); err != nil || again.Signatures[0].CheckableUntil.IsZero() || len(again.Changes) != 250 {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestPaperIsAPlainPDF(t *testing.T) {
	t.Parallel()
	b, err := report.Write(full(), report.PDF, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, root, err := f.Root()
	if err != nil || root.Get("AcroForm") != nil {
		t.Errorf("form %v, %v", root.Get("AcroForm"), err)
	}
	long := full()
	long.File = strings.Repeat("x", 500_000)
	var coded *text.Error
	if _, err := report.Write(long, report.PDF, report.Options{}); !errors.As(err, &coded) || coded.Code != text.LimitExceeded {
		t.Errorf("endless name: %v", err)
	}
}

// words are all words of a paper in order.
func words(t *testing.T, b []byte) string {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n, err := f.NumPages()
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	for page := 1; page <= n; page++ {
		list, err := find.Words(f, page, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range list {
			s.WriteString(w.Text + " ")
		}
	}
	return s.String()
}

func TestThePaperSaysWhetherItIsSignedAndWhatTheSignerStated(t *testing.T) {
	t.Parallel()
	p, err := certstest.New(certstest.Options{LeafKey: certstest.P256})
	if err != nil {
		t.Fatal(err)
	}
	c := p.Leader().Certificate
	r := full()
	r.Signatures[0].Attributes = validation.Attributes{Commitments: []string{"proof-of-approval"}, Roles: []string{"Chủ tịch"}, AttributeCertificates: 3,
		Policy:            validation.SignaturePolicy{OID: "1.2.3", Status: validation.StatementOK},
		CounterSignatures: []validation.CounterSignature{{Signer: "CN=B", Status: validation.StatementBroken}},
		ArchiveTimestamps: []validation.ArchiveTimestamp{{Version: "v3", Status: validation.StatementNotChecked}}}
	for _, signed := range []bool{false, true} {
		b, err := report.Write(r, report.PDF, report.Options{Signed: signed, Certificate: c})
		if err != nil {
			t.Fatal(err)
		}
		said := words(t, b)
		for _, want := range []string{"proof-of-approval", "Chủ tịch", "1.2.3 (đúng)", "CN=B (sai)", "v3 (chưa kiểm tra)", "thuộc tính: 3", "Nơi cấp dấu thời gian"} {
			if !strings.Contains(said, want) {
				t.Errorf("%q is missing in %s", want, said)
			}
		}
		if strings.Contains(said, "không được ký số") == signed || strings.Contains(said, c.CommonName) != signed {
			t.Errorf("signed %v: %s", signed, said)
		}
	}
}
