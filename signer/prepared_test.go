package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades/padestest"
)

// suspended prepares data and takes the result through JSON.
func suspended(t *testing.T, s *signer.Signer, data []byte, req signer.Request) *signer.Prepared {
	t.Helper()
	p, err := s.Prepare(context.Background(), input(data), req)
	if err != nil {
		t.Fatalf("preparing: %v", err)
	}
	stored, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back signer.Prepared
	if err := json.Unmarshal(stored, &back); err != nil {
		t.Fatal(err)
	}
	return &back
}

func rawValue(t *testing.T, key crypto.Signer, p *signer.Prepared) []byte {
	t.Helper()
	value, err := key.Sign(rand.Reader, p.ToSign(), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// external builds the CMS as another party would.
func external(t *testing.T, e *certstest.Entity, attributes, content []byte) []byte {
	t.Helper()
	algorithm, err := cms.AlgorithmFor(e.Certificate.PublicKey, crypto.SHA256, false)
	if err != nil {
		t.Fatal(err)
	}
	value, err := algorithm.Sign(rand.Reader, e.Key, attributes)
	if err != nil {
		t.Fatal(err)
	}
	der, err := cms.Build(cms.SignedDataParams{Algorithm: algorithm, Attributes: attributes, Signature: value, Certificate: e.Certificate, Certificates: e.Chain, Content: content})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestPreparedCompletes(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	p256 := a.issue(t, "p256", certstest.Spec{KeyType: certstest.P256})
	data := padestest.Simple(padestest.Hybrid, "1.7").Bytes()
	for _, level := range []ades.Level{ades.BB, ades.BT, ades.BLT} {
		for _, e := range []*certstest.Entity{a.Leader(), p256} {
			for _, whole := range []bool{false, true} {
				t.Run(string(level)+" "+e.Certificate.CommonName, func(t *testing.T) {
					t.Parallel()
					s := a.signer()
					// No provider holds the key: the certificates are all that is known.
					s.Keys = nil
					p := suspended(t, s, data, signer.Request{Certificates: e.Chain, Level: level})
					value := signer.Completion{Raw: rawValue(t, e.Key, p)}
					if whole {
						value = signer.Completion{CMS: external(t, e, p.SignedAttributes, nil)}
					}
					var out bytes.Buffer
					res, err := s.Complete(context.Background(), input(data), p, value, &out)
					if err != nil {
						t.Fatalf("completing: %v", err)
					}
					if !bytes.HasPrefix(out.Bytes(), data) || res.Level != "PAdES-"+string(level) {
						t.Errorf("result %+v", res)
					}
					if r := a.validate(t, out.Bytes()); r.Signatures[0].Integrity != "ok" || (level == ades.BLT && !passed(r)) {
						t.Errorf("verdict %s %+v", r.Verdict, r.Reasons)
					}
				})
			}
		}
	}
}

func TestRawECDSASideBySide(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	e := a.issue(t, "p256", certstest.Spec{KeyType: certstest.P256})
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	p := suspended(t, a.signer(), data, signer.Request{Key: "p256"})
	der, err := cms.Elements(rawValue(t, e.Key, p))
	if err != nil || len(der) != 2 {
		t.Fatal(err)
	}
	raw := make([]byte, 64)
	for i, integer := range der {
		n := bytes.TrimLeft(integer[2:], "\x00")
		copy(raw[32*(i+1)-len(n):], n)
	}
	if _, err := a.signer().Complete(context.Background(), input(data), p, signer.Completion{Raw: raw}, discard{}); err != nil {
		t.Error(err)
	}
}

func TestCompleteRefuses(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	s := a.signer()
	leader, seal := a.Leader(), a.Signer(certstest.RoleSealA)
	fresh := func() *signer.Prepared { return suspended(t, s, data, signer.Request{Key: certstest.RoleLeader}) }
	attributes := func(e *certstest.Entity, digest []byte) []byte {
		algorithm, err := cms.AlgorithmFor(e.Certificate.PublicKey, crypto.SHA256, false)
		if err != nil {
			t.Fatal(err)
		}
		der, err := cms.SignedAttributes(cms.AttributeParams{MessageDigest: digest, Certificate: e.Certificate, Algorithm: algorithm})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	p := fresh()
	good := signer.Completion{Raw: rawValue(t, leader.Key, p)}
	edited := bytes.Replace(data, []byte("12/QD"), []byte("13/QD"), 1)
	changed := func(change func(*signer.Prepared)) *signer.Prepared {
		c := *p
		c.Update, c.SignedAttributes = bytes.Clone(p.Update), bytes.Clone(p.SignedAttributes)
		change(&c)
		return &c
	}
	cases := map[string]struct {
		data     []byte
		prepared *signer.Prepared
		value    signer.Completion
		want     text.Code
	}{
		"another revision of the document": {edited, p, good, text.StateConflict},
		"a longer document":                {append(bytes.Clone(data), ' '), p, good, text.StateConflict},
		"a changed update":                 {data, changed(func(p *signer.Prepared) { p.Update[20] ^= 1 }), good, text.StateConflict},
		"changed attributes":               {data, changed(func(p *signer.Prepared) { p.SignedAttributes[9] ^= 1 }), good, text.StateConflict},
		"a gap elsewhere":                  {data, changed(func(p *signer.Prepared) { p.GapStart++ }), good, text.InvalidInput},
		"a gap outside":                    {data, changed(func(p *signer.Prepared) { p.GapLen = 1 << 40 }), good, text.InvalidInput},
		"a gap beyond numbers":             {data, changed(func(p *signer.Prepared) { p.GapLen = math.MaxInt64 - 1 }), good, text.InvalidInput},
		"a gap before the file":            {data, changed(func(p *signer.Prepared) { p.GapStart = math.MinInt64 }), good, text.InvalidInput},
		"no update":                        {data, changed(func(p *signer.Prepared) { p.Update = nil }), good, text.InvalidInput},
		"no certificate":                   {data, changed(func(p *signer.Prepared) { p.Certificates = nil }), good, text.InvalidInput},
		"an expired signing":               {data, changed(func(p *signer.Prepared) { p.Expires = a.Now().Add(-time.Second) }), good, text.StateConflict},
		"nothing":                          {data, p, signer.Completion{}, text.InvalidInput},
		"a value by another key":           {data, p, signer.Completion{Raw: rawValue(t, seal.Key, p)}, text.CertificateMismatch},
		"a value over something else":      {data, p, signer.Completion{Raw: rawValue(t, leader.Key, changed(func(p *signer.Prepared) { p.SignedAttributes[9] ^= 1 }))}, text.CertificateMismatch},
		"what is no CMS":                   {data, p, signer.Completion{CMS: []byte("x")}, text.CertificateMismatch},
		"a CMS with another certificate":   {data, p, signer.Completion{CMS: external(t, seal, attributes(seal, p.DocumentDigest), nil)}, text.CertificateMismatch},
		"a CMS over another document":      {data, p, signer.Completion{CMS: external(t, leader, attributes(leader, make([]byte, 32)), nil)}, text.CertificateMismatch},
		"a CMS with signing-time":          {data, p, signer.Completion{CMS: external(t, leader, withSigningTime(t, attributes(leader, p.DocumentDigest)), nil)}, text.CertificateMismatch},
		"a CMS that carries content":       {data, p, signer.Completion{CMS: external(t, leader, p.SignedAttributes, []byte("x"))}, text.CertificateMismatch},
		"a CMS that does not fit":          {data, p, signer.Completion{CMS: bulky(t, leader, p)}, text.LimitExceeded},
	}
	before, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			_, err := s.Complete(context.Background(), input(c.data), c.prepared, c.value, &out)
			if text.CodeOf(err) != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
			for part, word := range map[string]string{"signing-time": "signing-time", "carries content": "eContent", "another document": "message-digest"} {
				if strings.Contains(name, part) && !strings.Contains(err.Error(), word) {
					t.Errorf("error %v does not name %s", err, word)
				}
			}
			if !bytes.HasPrefix(c.data, out.Bytes()) {
				t.Error("more than the original was written")
			}
		})
	}
	after, err := json.Marshal(p)
	if err != nil || !bytes.Equal(before, after) {
		t.Error("a refused completion changed the prepared signing")
	}
	if _, err := s.Complete(context.Background(), input(data), p, good, discard{}); err != nil {
		t.Errorf("good value after refusals: %v", err)
	}
}

// withSigningTime adds the attribute that PAdES forbids, in DER order.
func withSigningTime(t *testing.T, set []byte) []byte {
	t.Helper()
	items, err := cms.Elements(set)
	if err != nil {
		t.Fatal(err)
	}
	signingTime := append([]byte{0x30, 0x1c, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05, 0x31, 0x0f, 0x17, 0x0d}, "261123091244Z"...)
	var body []byte
	placed := false
	for _, i := range items {
		if !placed && bytes.Compare(signingTime, i) < 0 {
			body, placed = append(body, signingTime...), true
		}
		body = append(body, i...)
	}
	if !placed {
		body = append(body, signingTime...)
	}
	return append([]byte{0x31, 0x81, byte(len(body))}, body...)
}

// bulky is a right CMS that carries far too many certificates.
func bulky(t *testing.T, e *certstest.Entity, p *signer.Prepared) []byte {
	t.Helper()
	der := external(t, e, p.SignedAttributes, nil)
	token := append([]byte{0x30, 0x83, 0x01, 0x00, 0x00}, make([]byte, 1<<16)...)
	big, err := cms.AddTimestamp(der, token)
	if err != nil {
		t.Fatal(err)
	}
	return big
}

func TestPrepareRefusesWhatSignRefuses(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	for role, want := range map[string]text.Code{certstest.RoleRevoked: text.CertificateRevoked, certstest.RoleExpired: text.CertificateExpired, "x": text.KeyNotFound} {
		if _, err := a.signer().Prepare(context.Background(), input(data), signer.Request{Key: role}); text.CodeOf(err) != want {
			t.Errorf("%s: %v, want %s", role, err, want)
		}
	}
}

func TestFailureAfterEmbeddingLeavesThePreparedSigningAlone(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	p := suspended(t, a.signer(), data, signer.Request{Key: certstest.RoleLeader, Level: ades.BLT})
	before := bytes.Clone(p.Update)
	value := signer.Completion{Raw: rawValue(t, a.Leader().Key, p)}
	a.down = true // found out only when the signature is in place
	if _, err := a.signer().Complete(context.Background(), input(data), p, value, discard{}); text.CodeOf(err) != text.RevocationUnavailable {
		t.Fatalf("error %v", err)
	}
	if !bytes.Equal(before, p.Update) {
		t.Error("update was changed")
	}
	a.down = false
	if _, err := a.signer().Complete(context.Background(), input(data), p, value, discard{}); err != nil {
		t.Errorf("second try: %v", err)
	}
}
