package validation_test

import (
	"bytes"
	"context"
	"crypto"
	_ "crypto/sha512"
	"encoding/asn1"
	"slices"
	"testing"
	"time"

	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/validation"
)

// parts are the elements of the first element of der.
func parts(t *testing.T, der []byte) [][]byte {
	t.Helper()
	list, err := cms.Elements(der)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func sequence(t *testing.T, class, tag int, items ...[]byte) []byte {
	t.Helper()
	return encoded(t, asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: slices.Concat(items...)})
}

// withRevocation puts revocation data into the crls field of a CMS (RFC 5652, 10.2.1):
// OCSP responses as RFC 5940 has them or, when basic, as BasicOCSPResponse alone.
func withRevocation(t *testing.T, der []byte, basic bool, ocsps ...[]byte) []byte {
	t.Helper()
	outer := parts(t, der)
	fields := parts(t, parts(t, outer[1])[0])
	var choices [][]byte
	if n := len(fields) - 2; fields[n][0] == 0xA1 {
		choices, fields = parts(t, fields[n]), slices.Delete(fields, n, n+1)
	}
	for _, response := range ocsps {
		format := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}
		if basic {
			format = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
			inner := parts(t, parts(t, parts(t, response)[1])[0])
			var octets []byte
			if _, err := asn1.Unmarshal(inner[1], &octets); err != nil {
				t.Fatal(err)
			}
			response = octets
		}
		choices = append(choices, sequence(t, 2, 1, encoded(t, format), response))
	}
	fields = slices.Insert(fields, len(fields)-1, sequence(t, 2, 1, choices...))
	return sequence(t, 0, asn1.TagSequence, outer[0], sequence(t, 2, 0, sequence(t, 0, asn1.TagSequence, fields...)))
}

// indexing is how a test makes a hash index.
type indexing struct {
	version  int // 3 when zero
	hash     crypto.Hash
	leaveOut func(der []byte) bool // components left out
	content  []byte                // another content than that of the signature
}

// archiveCMS adds an archive time-stamp by tsa. It takes the fields apart on its own,
// so that the validator's way of putting them together is judged too.
func (s *story) archiveCMS(der, content []byte, tsa string, x indexing) []byte {
	s.t.Helper()
	t := s.t
	if x.hash == 0 {
		x.hash = crypto.SHA256
	}
	if x.content != nil {
		content = x.content
	}
	sum := func(h crypto.Hash, parts ...[]byte) []byte {
		d := h.New()
		d.Write(slices.Concat(parts...))
		return d.Sum(nil)
	}
	fields := parts(t, parts(t, parts(t, der)[1])[0])
	var certificates, revocation, unsigned [][]byte
	add := func(list *[][]byte, parts ...[]byte) {
		if x.leaveOut == nil || !x.leaveOut(parts[len(parts)-1]) {
			*list = append(*list, encoded(t, sum(x.hash, parts...)))
		}
	}
	for _, f := range fields {
		switch f[0] {
		case 0xA0:
			for _, c := range parts(t, f) {
				add(&certificates, c)
			}
		case 0xA1:
			for _, c := range parts(t, f) {
				add(&revocation, c)
			}
		}
	}
	signer := parts(t, parts(t, fields[len(fields)-1])[0])
	if last := len(signer) - 1; signer[last][0] == 0xA1 {
		for _, a := range parts(t, signer[last]) {
			if x.version == 1 {
				add(&unsigned, a)
				continue
			}
			pair := parts(t, a)
			for _, v := range parts(t, pair[1]) {
				add(&unsigned, pair[0], v)
			}
		}
		signer = signer[:last]
	}
	items := [][]byte{sequence(t, 0, 16, certificates...), sequence(t, 0, 16, revocation...), sequence(t, 0, 16, unsigned...)}
	oid := cms.OIDHashIndex
	if x.version != 1 {
		oid, items = cms.OIDHashIndexV3, slices.Insert(items, 0, sequence(t, 0, 16, encoded(t, ades.HashOID(x.hash))))
	}
	index := sequence(t, 0, 16, items...)
	s.tsa = s.people[tsa]
	token := s.token(sum(crypto.SHA256, parts(t, fields[2])[0], sum(crypto.SHA256, content), slices.Concat(signer...), index))
	return withUnsigned(t, der, cms.OIDArchiveTimestampV3, withUnsigned(t, token, oid, index))
}

// ocspOf is what the CAs say now.
func (s *story) ocspOf(names ...string) [][]byte {
	s.t.Helper()
	var list [][]byte
	for _, n := range names {
		der, err := s.OCSP(s.people[n].Certificate)
		if err != nil {
			s.t.Fatal(err)
		}
		list = append(list, der)
	}
	return list
}

// filed is a signature file of 2026 by somebody whose certificate ends in 2029, with a
// time-stamp of a TSA that ends in 2030 and all that is needed to judge both.
func (s *story) filed(content []byte, basic bool) []byte {
	s.t.Helper()
	s.tsa = s.people["tsa1"]
	der := s.cms(digestOf(content), as{who: s.people["an"], signingAt: true, stamp: true})
	s.wait(time.Minute)
	return withRevocation(s.t, der, basic, s.ocspOf("an", "ca-a", "tsa1")...)
}

func (s *story) judgeFile(der, content []byte) (*validation.Report, *validation.Signature) {
	s.t.Helper()
	in := validation.CMSInput{Input: validation.Input{Reader: bytes.NewReader(der), Size: int64(len(der)), Name: "a.p7s"},
		Content: bytes.NewReader(content), ContentSize: int64(len(content))}
	r, err := s.online().ValidateCMS(context.Background(), in, s.clock())
	if err != nil {
		s.t.Fatal(err)
	}
	return r, &r.Signatures[0]
}

// EN 319 122-1, 5.5.3 and EN 319 102-1, 5.6: an archive time-stamp keeps a signature
// file good past the end of the signer's certificate and of the first TSA's, and the
// next one keeps the first.
func TestArchiveTimestampsKeepASignatureFileGood(t *testing.T) {
	t.Parallel()
	content := []byte("Quyết định số 12/QĐ-UBND")
	for name, x := range map[string]struct {
		basic    bool
		indexing indexing
	}{
		"index of today": {}, "responses alone": {basic: true}, "first index": {indexing: indexing{version: 1}},
	} {
		s := begin(t)
		der := s.filed(content, x.basic)
		s.until(t, on(2027, 1, 1))
		kept := s.archiveCMS(der, content, "tsa2", x.indexing)
		if r, sig := s.judgeFile(kept, content); r.Verdict != validation.Valid || sig.Level != "CAdES-B-LTA" || sig.BestTimeSource != validation.TimeSignatureTimestamp {
			t.Errorf("%s, young: %s %s", name, sig.Level, explain(r))
		}
		s.until(t, on(2031, 1, 1))
		r, sig := s.judgeFile(kept, content)
		ats := sig.Attributes.ArchiveTimestamps
		if r.Verdict != validation.Valid || sig.Level != "CAdES-B-LTA" || len(ats) != 1 || ats[0].Status != validation.StatementOK ||
			ats[0].Indication != ades.TotalPassed || !ats[0].Time.Equal(on(2027, 1, 1)) || sig.CheckableUntil.Before(on(2034, 5, 1)) {
			t.Errorf("%s, 2031: %s %+v, until %s: %s", name, sig.Level, ats, sig.CheckableUntil, explain(r))
		}
		if r, sig := s.judgeFile(der, content); r.Verdict != validation.Inconclusive || sig.Indication == ades.TotalPassed {
			t.Errorf("%s, 2031 without: %s", name, explain(r))
		}
		again := s.archiveCMS(withRevocation(t, kept, x.basic, s.ocspOf("tsa2")...), content, "tsa3", indexing{})
		s.until(t, on(2036, 1, 1))
		r, sig = s.judgeFile(again, content)
		if ats := sig.Attributes.ArchiveTimestamps; r.Verdict != validation.Valid || sig.Level != "CAdES-B-LTA" || len(ats) != 2 ||
			ats[0].Status != validation.StatementOK || ats[1].Status != validation.StatementOK {
			t.Errorf("%s, 2036: %s %+v: %s", name, sig.Level, ats, explain(r))
		}
		if r, sig := s.judgeFile(kept, content); r.Verdict != validation.Inconclusive || sig.Attributes.ArchiveTimestamps[0].Status == validation.StatementOK {
			t.Errorf("%s, 2036 not renewed: %s", name, explain(r))
		}
	}
}

// Without a signature time-stamp the archive time-stamp alone proves since when.
func TestAnArchiveTimestampAloneProvesTheTime(t *testing.T) {
	t.Parallel()
	s, content := begin(t), []byte("Tờ trình")
	der := s.cms(digestOf(content), as{who: s.people["an"], signingAt: true})
	s.wait(time.Minute)
	kept := s.archiveCMS(withRevocation(t, der, false, s.ocspOf("an", "ca-a")...), content, "tsa2", indexing{})
	s.until(t, on(2031, 1, 1))
	r, sig := s.judgeFile(kept, content)
	if r.Verdict != validation.Valid || sig.BestTimeSource != validation.TimeEvidence || !sig.BestTime.Equal(on(2026, 11, 23).Add(time.Minute)) || sig.Level != "CAdES-B-LTA" {
		t.Errorf("%s %s %s: %s", sig.BestTimeSource, sig.BestTime, sig.Level, explain(r))
	}
}

// What an archive time-stamp names may not change; what it does not name it does not prove.
func TestAnArchiveTimestampProvesWhatItNamesAndNoMore(t *testing.T) {
	t.Parallel()
	s, content := begin(t), []byte("Công văn")
	der := s.filed(content, false)
	s.until(t, on(2027, 1, 1))
	kept := s.archiveCMS(der, content, "tsa2", indexing{})
	issuing := s.people["ca-a"].Certificate.Raw
	other := s.people["ca-t"].Certificate.Raw
	cases := map[string]struct {
		der    []byte
		status validation.Statement
		sub    ades.SubIndication
		level  string
		passed bool
	}{
		"as made":                   {kept, validation.StatementOK, "", "CAdES-B-LTA", true},
		"an attribute added":        {withUnsigned(t, kept, asn1.ObjectIdentifier{1, 2, 3, 4}, []byte{5, 0}), validation.StatementOK, "", "CAdES-B-LTA", true},
		"a certificate added":       {withCertificates(t, kept, [][]byte{other}, 1), validation.StatementOK, "", "CAdES-B-LTA", true},
		"a certificate changed":     {rebuild(t, kept, issuing, other), validation.StatementBroken, ades.HashFailure, "", false},
		"a response taken away":     {withoutRevocation(t, kept), validation.StatementBroken, ades.HashFailure, "", false},
		"over other content":        {s.archiveCMS(der, content, "tsa2", indexing{content: []byte("khác")}), validation.StatementBroken, ades.HashFailure, "", false},
		"another hash in the index": {s.archiveCMS(der, content, "tsa2", indexing{hash: crypto.SHA512}), validation.StatementBroken, ades.FormatFailure, "", false},
		"a response not named": {s.archiveCMS(der, content, "tsa2", indexing{leaveOut: func(c []byte) bool { return c[0] == 0xA1 }}),
			validation.StatementOK, "", "CAdES-B-LT", true},
		"the time-stamp not named": {s.archiveCMS(der, content, "tsa2", indexing{leaveOut: func(c []byte) bool {
			return c[0] == 0x30 && len(c) > 20 && bytes.Contains(c[:24], []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02})
		}}), validation.StatementOK, "", "", false}, // what is known is older than the best time then
	}
	s.until(t, on(2031, 1, 1))
	for name, c := range cases {
		r, sig := s.judgeFile(c.der, content)
		ats := sig.Attributes.ArchiveTimestamps[0]
		if ats.Status != c.status || ats.SubIndication != c.sub || (sig.Indication == ades.TotalPassed) != c.passed || (c.level != "" && sig.Level != c.level) {
			t.Errorf("%s: %+v %s %s: %s", name, ats, sig.Indication, sig.Level, explain(r))
		}
		if unusable := has(r, validation.ReasonTimestamp); unusable == (c.status == validation.StatementOK) && name != "the time-stamp not named" {
			t.Errorf("%s: the time-stamp is noted: %v", name, unusable)
		}
	}
	// The signature time-stamp that is not named is proven by nothing: its TSA has ended.
	_, sig := s.judgeFile(cases["the time-stamp not named"].der, content)
	if sig.BestTimeSource != validation.TimeEvidence || !sig.BestTime.Equal(on(2027, 1, 1)) || sig.Timestamps[0].Indication == ades.TotalPassed {
		t.Errorf("%s %s %+v", sig.BestTimeSource, sig.BestTime, sig.Timestamps)
	}
}

// withoutRevocation takes the last element of the crls field away.
func withoutRevocation(t *testing.T, der []byte) []byte {
	t.Helper()
	for _, f := range parts(t, parts(t, parts(t, der)[1])[0]) {
		if f[0] == 0xA1 {
			list := parts(t, f)
			return rebuild(t, der, f, sequence(t, 2, 1, list[:len(list)-1]...))
		}
	}
	t.Fatal("no crls field")
	return nil
}

// Ten thousand archive time-stamps are named, and none is judged.
func TestTooManyArchiveTimestampsAreNamedOnly(t *testing.T) {
	t.Parallel()
	b, content := newBench(t), []byte("x")
	token := b.token(digestOf(content))
	der := b.cms(digestOf(content), as{who: b.Leader(), signingAt: true})
	fields := parts(t, parts(t, parts(t, der)[1])[0])
	signer := parts(t, parts(t, fields[len(fields)-1])[0])
	many := sequence(t, 0, asn1.TagSequence, encoded(t, cms.OIDArchiveTimestampV3), sequence(t, 0, asn1.TagSet, slices.Repeat([][]byte{token}, 64)...))
	unsigned := sequence(t, 2, 1, slices.Repeat([][]byte{many}, 100)...)
	der = rebuild(t, der, parts(t, fields[len(fields)-1])[0], sequence(t, 0, asn1.TagSequence, append(signer, unsigned)...))
	r := b.judgeCMS(der, content)
	list := r.Signatures[0].Attributes.ArchiveTimestamps
	if r.Verdict != validation.Valid || len(list) != 6400 || list[0].Status != validation.StatementNotChecked {
		t.Errorf("%d: %s", len(list), explain(r))
	}
}
