package pades_test

import (
	"crypto"
	"encoding/asn1"
	"testing"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
)

// form is a document with two text fields and two empty signature fields.
func form(entries string) padestest.Document {
	return padestest.Simple(padestest.Classic, "1.7").WithForm("", map[int]string{
		10: padestest.TextField("so", ""),
		11: padestest.TextField("ngay", "/V (23) "),
		12: padestest.SigField("NguoiKy", entries),
		13: padestest.SigField("CoQuan", ""),
	})
}

func chain(raw ...string) []*certs.Certificate {
	var all []*certs.Certificate
	for _, r := range raw {
		all = append(all, &certs.Certificate{Raw: []byte(r)})
	}
	return all
}

// named is a certificate with one subject attribute, two policies and the key usage
// of a signer.
func named(kind, value string) []*certs.Certificate {
	return []*certs.Certificate{{
		Raw: []byte("y"), SubjectAttributes: []certs.NameAttribute{{Type: kind, Value: value}},
		PolicyOIDs: []asn1.ObjectIdentifier{{1, 2, 4}}, KeyUsage: certs.KeyUsageDigitalSignature | certs.KeyUsageContentCommitment,
	}}
}

func TestPreflightRefuses(t *testing.T) {
	t.Parallel()
	signed := func(o pades.Options) func(t *testing.T) []byte {
		return func(t *testing.T) []byte {
			out, _ := sign(t, form("").Bytes(), o)
			return out
		}
	}
	plain := func(entries string) func(t *testing.T) []byte {
		return func(*testing.T) []byte { return form(entries).Bytes() }
	}
	person := pades.Options{FieldName: "NguoiKy", Existing: true}
	with := func(change func(*pades.Options)) pades.Options {
		o := person
		change(&o)
		return o
	}
	cases := map[string]struct {
		file    func(t *testing.T) []byte
		options pades.Options
		want    text.Code
	}{
		"a missing field":             {plain(""), pades.Options{FieldName: "X", Existing: true}, text.FieldNotFound},
		"a page that is not there":    {plain(""), pades.Options{Page: 2}, text.InvalidInput},
		"the name of a text field":    {plain(""), pades.Options{FieldName: "so"}, text.InvalidInput},
		"a name below a field":        {plain(""), pades.Options{FieldName: "so.b"}, text.InvalidInput},
		"a name with an empty part":   {plain(""), pades.Options{FieldName: "a..b"}, text.InvalidInput},
		"a signed field":              {signed(person), person, text.FieldAlreadySigned},
		"anything after P 1":          {signed(pades.Options{Certify: 1}), person, text.DocMDPForbids},
		"a new field after P 2":       {signed(pades.Options{Certify: 2}), pades.Options{}, text.DocMDPForbids},
		"certifying after signing":    {signed(person), pades.Options{Certify: 2}, text.DocMDPForbids},
		"a field locked by All":       {signed(pades.Options{Lock: &pades.Lock{Action: pades.LockAll}}), person, text.FieldLocked},
		"a field locked by name":      {signed(pades.Options{Lock: &pades.Lock{Action: pades.LockInclude, Fields: []string{"NguoiKy"}}}), person, text.FieldLocked},
		"P 1 of a field's lock":       {signed(pades.Options{Lock: &pades.Lock{Action: pades.LockInclude, P: 1}}), person, text.DocMDPForbids},
		"filling a locked field":      {signed(pades.Options{Lock: &pades.Lock{Action: pades.LockInclude, Fields: []string{"so"}}}), with(func(o *pades.Options) { o.Fill = map[string]string{"so": "1"} }), text.FieldLocked},
		"filling a filled field":      {plain(""), with(func(o *pades.Options) { o.Fill = map[string]string{"ngay": "1"} }), text.FieldLocked},
		"filling a missing field":     {plain(""), with(func(o *pades.Options) { o.Fill = map[string]string{"x": "1"} }), text.FieldNotFound},
		"filling a signature field":   {plain(""), with(func(o *pades.Options) { o.Fill = map[string]string{"CoQuan": "1"} }), text.FieldNotFound},
		"a required sub-filter":       {plain("/SV << /Ff 2 /SubFilter [/adbe.pkcs7.detached] >>"), person, text.SeedValueUnmet},
		"a required handler":          {plain("/SV << /Ff 1 /Filter /Entrust >>"), person, text.SeedValueUnmet},
		"a required reason":           {plain("/SV << /Ff 8 /Reasons [(A)(B)] >>"), with(func(o *pades.Options) { o.Reason = "C" }), text.SeedValueUnmet},
		"a forbidden reason":          {plain("/SV << /Ff 8 /Reasons [(.)] >>"), with(func(o *pades.Options) { o.Reason = "C" }), text.SeedValueUnmet},
		"a required attestation":      {plain("/SV << /Ff 16 >>"), person, text.SeedValueUnmet},
		"required revocation data":    {plain("/SV << /Ff 32 /AddRevInfo true >>"), person, text.SeedValueUnmet},
		"a required digest":           {plain("/SV << /Ff 64 /DigestMethod [(SHA512)] >>"), person, text.SeedValueUnmet},
		"a required document lock":    {plain("/SV << /Ff 128 /LockDocument /true >>"), person, text.SeedValueUnmet},
		"a required appearance":       {plain("/SV << /Ff 256 /AppearanceFilter (x) >>"), person, text.SeedValueUnmet},
		"a required certification":    {plain("/SV << /MDP << /P 2 >> >>"), person, text.SeedValueUnmet},
		"a forbidden certification":   {plain("/SV << /MDP << /P 0 >> >>"), with(func(o *pades.Options) { o.Certify = 2 }), text.SeedValueUnmet},
		"a required time-stamp":       {plain("/SV << /TimeStamp << /URL (http://tsa) /Ff 1 >> >>"), person, text.SeedValueUnmet},
		"a required certificate":      {plain("/SV << /Cert << /Ff 1 /Subject [(x)] >> >>"), with(func(o *pades.Options) { o.Chain = chain("y", "x") }), text.SeedValueUnmet},
		"a required issuer":           {plain("/SV << /Cert << /Ff 2 /Issuer [(z)] >> >>"), with(func(o *pades.Options) { o.Chain = chain("y", "x") }), text.SeedValueUnmet},
		"an unknown certificate rule": {plain("/SV << /Cert << /Ff 16 >> >>"), person, text.SeedValueUnmet},
		"a required policy":           {plain("/SV << /Cert << /Ff 4 /OID [(1.2.3)] >> >>"), with(func(o *pades.Options) { o.Chain = chain("y", "x") }), text.SeedValueUnmet},
		"a required subject name":     {plain("/SV << /Cert << /Ff 8 /SubjectDN [<< /O (B) >>] >> >>"), with(func(o *pades.Options) { o.Chain = named("O", "A") }), text.SeedValueUnmet},
		"a required key usage":        {plain("/SV << /Cert << /Ff 32 /KeyUsage [(01)] >> >>"), with(func(o *pades.Options) { o.Chain = named("O", "A") }), text.SeedValueUnmet},
		"a place to get certificates": {plain("/SV << /Cert << /Ff 64 /URL (http://ca) >> >>"), person, text.SeedValueUnmet},
		"a lock unlike the field's":   {plain("/Lock << /Action /All >>"), with(func(o *pades.Options) { o.Lock = &pades.Lock{Action: pades.LockInclude} }), text.SeedValueUnmet},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantCode(t, pades.Preflight(open(t, c.file(t)), c.options), c.want)
		})
	}
}

func TestPreflightAllows(t *testing.T) {
	t.Parallel()
	person := pades.Options{FieldName: "NguoiKy", Existing: true}
	cases := map[string]struct {
		first   *pades.Options
		entries string
		options pades.Options
	}{
		"an existing field after P 2":      {&pades.Options{Certify: 2}, "", person},
		"a new field after P 2 when asked": {&pades.Options{Certify: 2}, "", pades.Options{NewFieldAfterCertify: true}},
		"a new field after P 3":            {&pades.Options{Certify: 3}, "", pades.Options{}},
		"a new field under a lock of all":  {&pades.Options{Lock: &pades.Lock{Action: pades.LockAll}}, "", pades.Options{}},
		"an excluded field":                {&pades.Options{Lock: &pades.Lock{Action: pades.LockExclude, Fields: []string{"NguoiKy"}}}, "", person},
		"a soft seed value":                {nil, "/SV << /SubFilter [/adbe.pkcs7.detached] /DigestMethod [(SHA512)] >>", person},
		"a met digest":                     {nil, "/SV << /Ff 64 /DigestMethod [(SHA384)] >>", pades.Options{FieldName: "NguoiKy", Digest: crypto.SHA384}},
		"a met reason":                     {nil, "/SV << /Ff 8 /Reasons [(A)(B)] >>", pades.Options{FieldName: "NguoiKy", Reason: "B"}},
		"a met certification":              {nil, "/SV << /MDP << /P 2 >> >>", pades.Options{FieldName: "NguoiKy", Certify: 2}},
		"a met subject name":               {nil, "/SV << /Cert << /Ff 44 /OID [(1.2.3)(1.2.4)] /SubjectDN [<< /O (B) >> << /O (A) >>] /KeyUsage [(1X0)] >> >>", pades.Options{FieldName: "NguoiKy", Chain: named("O", "A")}},
		"a new field in a new tree":        {nil, "", pades.Options{FieldName: "DuyetCap.Mot.NguoiKy"}},
		"a met certificate":                {nil, "/SV << /Cert << /Ff 3 /Subject [(y)] /Issuer [(x)] >> >>", pades.Options{FieldName: "NguoiKy", Chain: chain("y", "x")}},
		"the last page":                    {nil, "", pades.Options{Page: pades.LastPage}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := form(c.entries).Bytes()
			if c.first != nil {
				data, _ = sign(t, data, *c.first)
			}
			if err := pades.Preflight(open(t, data), c.options); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFieldLockIsTakenOver(t *testing.T) {
	t.Parallel()
	out, _ := sign(t, form("/Lock << /Type /SigFieldLock /Action /Exclude /Fields [(so)] >>").Bytes(), pades.Options{FieldName: "NguoiKy"})
	for _, s := range signatures(t, out) {
		if s.Field == "NguoiKy" && (s.FieldMDP == nil || s.FieldMDP.Action != pades.LockExclude || s.FieldMDP.Locks("so")) {
			t.Errorf("FieldMDP %+v", s.FieldMDP)
		}
	}
}

func TestPreflightRefusesEncryptedAndDamagedFiles(t *testing.T) {
	t.Parallel()
	encrypted := padestest.Simple(padestest.Classic, "1.7").With(7,
		"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <"+zeros(64)+"> /U <"+zeros(64)+"> >>").Bytes()
	encrypted = replaceOnce(t, encrypted, "/Root 1 0 R", "/Encrypt 7 0 R /Root 1 0 R")
	err := pades.Preflight(open(t, encrypted), pades.Options{})
	if c := text.CodeOf(err); c != text.EncryptionUnsupported && c != text.PasswordRequired {
		t.Errorf("encrypted: %v", err)
	}
}

func TestLockOfAFieldSignedByOthersBindsWithoutReference(t *testing.T) {
	t.Parallel()
	data := form("/V 20 0 R /Lock << /Action /Include /Fields [(CoQuan)] >>").With(20, sigValue).Bytes()
	wantCode(t, pades.Preflight(open(t, data), pades.Options{FieldName: "CoQuan"}), text.FieldLocked)
	if err := pades.Preflight(open(t, data), pades.Options{}); err != nil {
		t.Error(err)
	}
}
