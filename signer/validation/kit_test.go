package validation_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/tsp"
	"antin/signer/validation"
)

// day0 is when the PKI of a bench comes into being.
var day0 = time.Date(2026, time.November, 23, 2, 0, 0, 0, time.UTC)

// bench is a PKI with a clock that a test can move.
type bench struct {
	*certstest.PKI
	t   *testing.T
	mu  sync.Mutex
	now time.Time
	tsa *certstest.Entity // who time-stamps; nil is the PKI's own
}

func newBench(t *testing.T) *bench { t.Helper(); return newBenchWith(t, certstest.P256) }

func newBenchWith(t *testing.T, leaves certstest.KeyType) *bench {
	t.Helper()
	b := &bench{t: t, now: day0}
	p, err := certstest.New(certstest.Options{BaseURL: "http://pki.test", LeafKey: leaves, Now: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	b.PKI = p
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// wait moves the clock.
func (b *bench) wait(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// source answers from the PKI as a network would.
type source struct{ b *bench }

func (s source) Revocation(_ context.Context, c, _ *certs.Certificate) ([]certs.Evidence, error) {
	der, err := s.b.OCSP(c)
	if err != nil {
		return nil, err
	}
	return []certs.Evidence{{Kind: certs.EvidenceOCSP, DER: der, Origin: certs.OriginFetched}}, nil
}

func (b *bench) offline() *validation.Validator {
	return &validation.Validator{Trust: b.Anchors(), AllowSandbox: true}
}

func (b *bench) online() *validation.Validator {
	v := b.offline()
	v.Revocation = source{b}
	return v
}

// judge validates now.
func (b *bench) judge(v *validation.Validator, doc []byte) *validation.Report {
	b.t.Helper()
	r, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc)), Name: "a.pdf"}, b.clock())
	if err != nil {
		b.t.Fatalf("validation did not run: %v", err)
	}
	for _, reason := range r.Reasons {
		if strings.HasPrefix(reason.Message.VI, "validation.") {
			b.t.Errorf("%s has no words", reason.Code)
		}
	}
	return r
}

// as is what a test asks of one signature beside pades.Options.
type as struct {
	who       *certstest.Entity
	stamp     bool // signature time-stamp
	badStamp  bool // over other data
	content   bool // content-time-stamp
	noChain   bool
	signingAt bool // the forbidden signing-time attribute
	foreign   crypto.Signer
	alter     func(der []byte) []byte
	edit      func(attributes []byte) []byte // before they are signed
	params    func(*cms.AttributeParams)
	hash      crypto.Hash // SHA-256 by default
}

// sign appends a signature revision to doc.
func (b *bench) sign(doc []byte, o pades.Options, a as) []byte {
	b.t.Helper()
	if a.who == nil {
		a.who = b.Leader()
	}
	if o.M.IsZero() {
		o.M = b.clock()
	}
	p, err := pades.Prepare(b.open(doc), o)
	if err != nil {
		b.t.Fatal(err)
	}
	if a.hash == 0 {
		a.hash = crypto.SHA256
	}
	digest, err := p.Digest(context.Background(), bytes.NewReader(doc), a.hash)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := p.Embed(b.cms(digest, a)); err != nil {
		b.t.Fatal(err)
	}
	return append(bytes.Clone(doc), p.Update...)
}

func (b *bench) cms(digest []byte, a as) []byte {
	b.t.Helper()
	if a.hash == crypto.SHA1 {
		return b.oldCMS(digest, a)
	}
	alg, err := cms.AlgorithmFor(a.who.Key.Public(), a.hash, false)
	if err != nil {
		b.t.Fatal(err)
	}
	params := cms.AttributeParams{MessageDigest: digest, Certificate: a.who.Certificate, Algorithm: alg}
	if a.content {
		params.ContentTimestamp = b.token(digest)
	}
	if a.params != nil {
		a.params(&params)
	}
	attrs, err := cms.SignedAttributes(params)
	if err != nil {
		b.t.Fatal(err)
	}
	if a.edit != nil {
		attrs = a.edit(attrs)
	}
	if a.signingAt {
		attrs = withSigningTime(b.t, attrs, b.clock())
	}
	key := a.who.Key
	if a.foreign != nil {
		key = a.foreign
	}
	value, err := alg.Sign(rand.Reader, key, attrs)
	if err != nil {
		b.t.Fatal(err)
	}
	build := cms.SignedDataParams{Algorithm: alg, Attributes: attrs, Signature: value, Certificate: a.who.Certificate, Certificates: a.who.Chain}
	if a.noChain {
		build.Certificates = nil
	}
	if a.stamp {
		over := digestOf(value)
		if a.badStamp {
			over = digestOf([]byte("something else"))
		}
		build.Timestamp = b.token(over)
	}
	der, err := cms.Build(build)
	if err != nil {
		b.t.Fatal(err)
	}
	if a.alter != nil {
		der = a.alter(der)
	}
	return der
}

func digestOf(b []byte) []byte {
	h := crypto.SHA256.New()
	h.Write(b)
	return h.Sum(nil)
}

func withSigningTime(t *testing.T, attrs []byte, at time.Time) []byte {
	t.Helper()
	items, err := cms.Elements(attrs)
	if err != nil {
		t.Fatal(err)
	}
	when, err := asn1.Marshal(at.UTC())
	if err != nil {
		t.Fatal(err)
	}
	attr, err := asn1.Marshal(struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}{cms.OIDSigningTime, []asn1.RawValue{{FullBytes: when}}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := asn1.MarshalWithParams(rawList(append(items, attr)), "set")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func rawList(items [][]byte) []asn1.RawValue {
	var list []asn1.RawValue
	for _, i := range items {
		list = append(list, asn1.RawValue{FullBytes: i})
	}
	return list
}

// token is a time-stamp token over imprint as of now.
func (b *bench) token(imprint []byte) []byte {
	b.t.Helper()
	var response []byte
	var err error
	if b.tsa != nil {
		response, err = b.TimestampBy(b.tsa, crypto.SHA256, imprint, true)
	} else {
		response, err = b.Timestamp(crypto.SHA256, imprint)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	token, err := tsp.ParseResponse(response)
	if err != nil {
		b.t.Fatal(err)
	}
	return token
}

// archive appends a document time-stamp.
func (b *bench) archive(doc []byte) []byte {
	b.t.Helper()
	f := b.open(doc)
	u := f.NewUpdate()
	contents, ranges := pdf.HexPlaceholder(8<<10), pdf.SpacePlaceholder(60)
	value := u.Add(pdf.NewDict("Type", pdf.Name("DocTimeStamp"), "Filter", pdf.Name("Adobe.PPKLite"), "SubFilter", pdf.Name("ETSI.RFC3161"),
		"ByteRange", ranges, "Contents", contents))
	field := u.Add(pdf.NewDict("FT", pdf.Name("Sig"), "T", pdf.TextString(fmt.Sprintf("Dau%d", len(doc))), "Type", pdf.Name("Annot"),
		"Subtype", pdf.Name("Widget"), "Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(0), pdf.Int(0)}, "F", pdf.Int(132), "V", value))
	b.addField(u, field)
	built, err := u.Build()
	if err != nil {
		b.t.Fatal(err)
	}
	start, length := built.Offset(contents), int64(contents.Len())
	total := built.Size()
	if err := built.Patch(ranges, fmt.Appendf(nil, "[0 %d %d %d]", start, start+length, total-start-length)); err != nil {
		b.t.Fatal(err)
	}
	whole := append(bytes.Clone(doc), built.Data...)
	token := b.token(digestOf(append(bytes.Clone(whole[:start]), whole[start+length:]...)))
	copy(whole[start+1:], fmt.Appendf(nil, "%x", token))
	return whole
}

// addField lists a new field in the form.
func (b *bench) addField(u *pdf.Update, field pdf.Ref) {
	b.t.Helper()
	f := u.File()
	rootRef, root, err := f.Root()
	if err != nil {
		b.t.Fatal(err)
	}
	form, err := f.Dict(root.Get("AcroForm"))
	if err != nil {
		b.t.Fatal(err)
	}
	fields, _ := f.Array(form.Get("Fields"))
	form = form.Clone()
	form.Set("Fields", append(fields[:len(fields):len(fields)], field))
	form.Set("SigFlags", pdf.Int(3))
	if ref, ok := root.Get("AcroForm").(pdf.Ref); ok {
		u.Put(ref, form)
		return
	}
	root = root.Clone()
	root.Set("AcroForm", form)
	u.Put(rootRef, root)
}

// longTerm appends the evidence for every certificate of the document.
func (b *bench) longTerm(doc []byte, signers ...*certstest.Entity) []byte {
	b.t.Helper()
	d := pades.DSS{Certs: [][]byte{b.Root().Raw, b.IssuingCA().Certificate.Raw, b.TSA().Certificate.Raw}}
	for _, c := range append(signers, b.TSA(), b.IssuingCA()) {
		der, err := b.OCSP(c.Certificate)
		if err != nil {
			b.t.Fatal(err)
		}
		d.OCSPs = append(d.OCSPs, der)
	}
	built, err := pades.AddDSS(b.open(doc), d)
	if err != nil {
		b.t.Fatal(err)
	}
	return append(bytes.Clone(doc), built.Data...)
}

func (b *bench) open(doc []byte) *pdf.File {
	b.t.Helper()
	f, err := pdf.Open(bytes.NewReader(doc), int64(len(doc)), pdf.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

// update appends a revision that edit describes.
func (b *bench) update(doc []byte, edit func(f *pdf.File, u *pdf.Update)) []byte {
	b.t.Helper()
	f := b.open(doc)
	u := f.NewUpdate()
	edit(f, u)
	built, err := u.Build()
	if err != nil {
		b.t.Fatal(err)
	}
	return append(bytes.Clone(doc), built.Data...)
}

// change re-writes dictionary object num with key set to value (nil deletes it).
func change(t *testing.T, num int, key pdf.Name, value pdf.Object) func(*pdf.File, *pdf.Update) {
	return func(f *pdf.File, u *pdf.Update) {
		d := dictionary(t, f, num).Clone()
		d.Set(key, value)
		u.Put(pdf.Ref{Num: num}, d)
	}
}

func dictionary(t *testing.T, f *pdf.File, num int) *pdf.Dict {
	t.Helper()
	d, err := f.Dict(pdf.Ref{Num: num})
	if err != nil || d == nil {
		t.Fatalf("object %d: %v", num, err)
	}
	return d
}

// number, and field 11, are the empty text fields of a result; 12 and 13 its
// signature fields.
const (
	numberField = 10
	dateField   = 11
	personField = 12
	sealField   = 13
)

// result is a document as the composer makes it: number and date empty, and two
// empty signature fields.
func result(kind padestest.Kind) []byte {
	return padestest.Simple(kind, "1.7").WithForm("", map[int]string{
		numberField: padestest.TextField("so", ""),
		dateField:   padestest.TextField("ngay", ""),
		personField: padestest.SigField("NguoiKy", ""),
		sealField:   padestest.SigField("CoQuan", ""),
	}).Bytes()
}

// open lock of the person, closed lock of the seal.
var (
	personLock = &pades.Lock{Action: pades.LockExclude, Fields: []string{"so", "ngay", "CoQuan"}}
	sealLock   = &pades.Lock{Action: pades.LockAll}
)

// issued is a result signed by the leader, numbered and sealed.
func (b *bench) issued(stamp bool) []byte {
	b.t.Helper()
	doc := b.sign(result(padestest.Classic), pades.Options{FieldName: "NguoiKy", Existing: true, Lock: personLock}, as{stamp: stamp})
	b.wait(time.Minute)
	return b.sign(doc, pades.Options{FieldName: "CoQuan", Existing: true, Lock: sealLock,
		Fill: map[string]string{"so": "12/QD-UBND", "ngay": "23"}}, as{who: b.Signer(certstest.RoleSealA), stamp: stamp})
}

// plain is a one-page document without a form.
func plain() []byte { return padestest.Simple(padestest.Classic, "1.7").Bytes() }

// codes lists the reasons of a report.
func codes(r *validation.Report) string {
	var list []string
	for _, reason := range r.Reasons {
		list = append(list, string(reason.Code))
	}
	return strings.Join(list, " ")
}

// expect compares the verdict and demands a reason, where one is named.
func expect(t *testing.T, r *validation.Report, want validation.Verdict, code validation.ReasonCode) {
	t.Helper()
	if r.Verdict != want {
		t.Errorf("verdict %s, want %s; reasons: %s", r.Verdict, want, explain(r))
	}
	if code != "" && !strings.Contains(" "+codes(r)+" ", " "+string(code)+" ") {
		t.Errorf("reasons are %q, want %s among them", codes(r), code)
	}
	if code == "" && len(r.Reasons) > 0 {
		t.Errorf("unexpected reasons: %s", explain(r))
	}
}

func explain(r *validation.Report) string {
	var s strings.Builder
	for _, reason := range r.Reasons {
		fmt.Fprintf(&s, "[%s] %s; ", reason.Code, reason.Message.EN)
	}
	for _, sig := range r.Signatures {
		fmt.Fprintf(&s, "{%s %s %s} ", sig.Field, sig.Indication, sig.SubIndication)
	}
	return s.String()
}
