package etsi_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"antin/certs"
	"antin/certs/certstest"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/tsp"
	"antin/signer/validation"
	"antin/signer/validation/etsi"
)

// world signs with a PKI in memory.
type world struct{ *certstest.PKI }

func newWorld(t *testing.T) world {
	t.Helper()
	p, err := certstest.New(certstest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return world{p}
}

func (w world) Key(context.Context, string) (signer.Key, error) {
	e := w.Leader()
	return signer.Key{Signer: e.Key, Chain: []*certs.Certificate{e.Certificate, w.IssuingCA().Certificate}}, nil
}

func (w world) Timestamp(_ context.Context, h crypto.Hash, imprint []byte) ([]byte, error) {
	response, err := w.PKI.Timestamp(h, imprint)
	if err != nil {
		return nil, err
	}
	return tsp.ParseResponse(response)
}

func (w world) Revocation(_ context.Context, c, _ *certs.Certificate) ([]certs.Evidence, error) {
	der, err := w.OCSP(c)
	if err != nil {
		return nil, err
	}
	return []certs.Evidence{{Kind: certs.EvidenceOCSP, DER: der}}, nil
}

// signed is a document with a B-LT signature, and the validator's word on it.
func (w world) signed(t *testing.T, file string) ([]byte, *validation.Report) {
	t.Helper()
	s := &signer.Signer{Keys: w, Timestamps: w, Revocation: w, Trust: w.Anchors(), AllowSandbox: true, Now: w.Now}
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	var out bytes.Buffer
	if _, err := s.Sign(t.Context(), signer.Input{Reader: bytes.NewReader(data), Size: int64(len(data))}, &out, signer.Request{Level: ades.BLT}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w.validate(t, out.Bytes(), file)
}

func (w world) validate(t *testing.T, data []byte, file string) *validation.Report {
	t.Helper()
	v := &validation.Validator{Trust: w.Anchors(), AllowSandbox: true}
	r, err := v.Validate(t.Context(), validation.Input{Reader: bytes.NewReader(data), Size: int64(len(data)), Name: file}, w.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func write(t *testing.T, r *validation.Report, o etsi.Options) string {
	t.Helper()
	b, err := etsi.XML(r, o)
	if err != nil {
		t.Fatal(err)
	}
	references(t, b)
	return string(b)
}

// references fails unless b is well-formed, names each object once, and refers to
// nothing else.
func references(t *testing.T, b []byte) {
	t.Helper()
	named := map[string]bool{}
	var asked []string
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range e.Attr {
			switch a.Name.Local {
			case "id":
				if named[a.Value] {
					t.Errorf("identifier %s twice", a.Value)
				}
				named[a.Value] = true
			case "VOReference":
				asked = append(asked, strings.Fields(a.Value)...)
			}
		}
	}
	for _, id := range asked {
		if !named[id] {
			t.Errorf("reference to %s, which is not there", id)
		}
	}
}

func TestReportNamesWhatTheVerdictStandsOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, r := w.signed(t, "vanban.pdf")
	got := write(t, r, etsi.Options{})
	for _, want := range []string{
		"<vr:MainIndication>urn:etsi:019102:mainindication:total-passed</vr:MainIndication>",
		"<vr:SignatureValidationProcessID>urn:etsi:019102:validationprocess:LTVM<",
		"<vr:PolicyName>vn-2026 " + r.Policy.Version + "</vr:PolicyName>", "#rsa-sha256<", "validationObject:OCSPResponse", "validationObject:timestamp",
		base64.StdEncoding.EncodeToString(w.Leader().Certificate.Raw), base64.StdEncoding.EncodeToString(w.Root().Raw),
		"<vr:DAIdentifier>" + r.Signatures[0].Field + "<", "<vr:POETime>" + r.Signatures[0].BestTime.Format("2006-01-02T15:04:05Z") + "<",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
	if again := write(t, r, etsi.Options{}); again != got {
		t.Error("the same report gave other bytes")
	}
}

func TestBrokenSignatureIsNotPassed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data, _ := w.signed(t, "")
	data[bytes.Index(data, []byte("MediaBox"))+1] ^= 1
	r := w.validate(t, data, "hỏng.pdf")
	got := write(t, r, etsi.Options{})
	if !strings.Contains(got, "mainindication:total-failed") || !strings.Contains(got, "subindication:HASH_FAILURE") || strings.Contains(got, "total-passed") {
		t.Errorf("verdict %s, report\n%s", r.Verdict, got)
	}
	if !strings.Contains(got, "urn:antin:constraint:hash_mismatch") || !strings.Contains(got, r.Reasons[0].Message.VI) {
		t.Errorf("the reason is missing in\n%s", got)
	}
}

func TestFileWithoutSignatureHasAReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := write(t, w.validate(t, padestest.Simple(padestest.Stream, "1.7").Bytes(), ""), etsi.Options{Validator: w.Leader().Certificate})
	if strings.Contains(got, "urn:etsi:019102:mainindication") || !strings.Contains(got, "urn:antin:mainindication:noSignature") ||
		!strings.Contains(got, "<tsl:X509Certificate>"+base64.StdEncoding.EncodeToString(w.Leader().Certificate.Raw)) {
		t.Errorf("report\n%s", got)
	}
}

// A report that was stored as JSON has no material; it is written all the same.
func TestStoredReportIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, r := w.signed(t, "vanban.pdf")
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var stored validation.Report
	if err := json.Unmarshal(b, &stored); err != nil {
		t.Fatal(err)
	}
	stored.Signatures[0].Field = "a\x00b<c>"
	got := write(t, &stored, etsi.Options{})
	if !strings.Contains(got, "total-passed") || !strings.Contains(got, "a\ufffdb&lt;c&gt;") {
		t.Errorf("report\n%s", got)
	}
	sum := sha256.Sum256(w.Leader().Certificate.Raw)
	if stored.Signatures[0].Signer.SHA256 != hex.EncodeToString(sum[:]) {
		t.Error("another signer")
	}
}

// Made again from the evidence in the document, with the same time of validation: the
// same bytes, whatever came to be known since.
func TestXMLMadeAgainLaterIsTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc, first := w.signed(t, "văn bản.pdf")
	at := first.CheckedAt.Time
	before := write(t, first, etsi.Options{Validator: w.Leader().Certificate})
	if err := w.Revoke(w.Leader().Certificate, at, certstest.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	v := &validation.Validator{Trust: w.Anchors(), AllowSandbox: true, Verified: &certs.Verified{}}
	again, err := v.Validate(t.Context(), validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc)), Name: "văn bản.pdf"}, at)
	if err != nil {
		t.Fatal(err)
	}
	if after := write(t, again, etsi.Options{Validator: w.Leader().Certificate}); after != before {
		t.Errorf("another report:\n%s\n%s", before, after)
	}
	if later := write(t, w.validate(t, doc, "other.pdf"), etsi.Options{}); later == before {
		t.Error("the report says nothing of its file, its time or its maker")
	}
}
