package main

import (
	"bytes"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/validation"
)

func TestPolicyFileSaysWhatDiffers(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/reference/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```yaml\n(name: phap-che.*?)```").FindSubmatch(page)
	if example == nil {
		t.Fatal("the page has no example")
	}
	p, err := readPolicy("a.yaml", example[1])
	if err != nil {
		t.Fatal(err)
	}
	want, err := validation.PolicyByName("vn-2026")
	if err != nil {
		t.Fatal(err)
	}
	want.Name, want.Version, want.OCSPMaxAge, want.CRLMaxAge = "phap-che", "2", 12*time.Hour, -1
	want.EarlierRevocationData, want.UncoveredChange, want.BelowBaseline = validation.RuleNote, validation.RuleFail, validation.RuleInconclusive
	want.MissingTimestamp, want.RequireLongTerm, want.AgingAlgorithm = validation.RuleNote, validation.RuleSilent, validation.RuleNote
	want.RequireCARevocation = true
	want.OldPractice = validation.RuleSilent
	want.SignaturePolicies = map[string]validation.KnownSignaturePolicy{"1.2.704.1.1.1": {Digests: []string{strings.Repeat("4f", 32)}}}
	want.Domains = map[validation.SignerKind][]certs.Domain{validation.SignerSeal: {certs.DomainOfficial},
		validation.SignerTimeStamp: {certs.DomainOfficial, certs.DomainPublic}}
	want.Seals = map[[32]byte]bool{[32]byte(bytes.Repeat([]byte{0x5a}, 32)): true}
	if want.Algorithms, err = certs.TS119312().With("phap-che", "2", certs.AlgorithmLimit{Hash: "SHA-1", Until: time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)},
		certs.AlgorithmLimit{Algorithm: "RSA-PKCS1-v1.5", Bits: 3072}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("policy %+v, want %+v", p, want)
	}
	strict, err := readPolicy("a.yaml", []byte("name: x\nversion: '1'\nbase: strict\n"))
	base, _ := validation.PolicyByName("strict")
	base.Name, base.Version = "x", "1"
	if err != nil || !reflect.DeepEqual(strict, base) {
		t.Errorf("a file that changes nothing: %+v, %v", strict, err)
	}
}

// The page writes the built-in policies in full; read as files they are the same.
func TestBuiltInPoliciesAreThePagesYAML(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/reference/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml\n(name: ([a-z0-9-]+)\nversion: \"[0-9]+\"\nocsp.*?)```").FindAllSubmatch(page, -1)
	if len(found) != 4 {
		t.Fatalf("%d policies on the page", len(found))
	}
	for _, f := range found {
		name := string(f[2])
		want, err := validation.PolicyByName(name)
		if err != nil {
			t.Fatal(err)
		}
		// The base is one that differs in every rule it can, so that nothing is left out.
		base := "strict"
		if name == "strict" {
			base = "vn-2026"
		}
		p, err := readPolicy("a.yaml", []byte(strings.Replace(string(f[1]), "name: "+name, "name: own\nbase: "+base, 1)))
		want.Name = "own"
		if err != nil || !reflect.DeepEqual(p, want) {
			t.Errorf("%s: %+v, want %+v: %v", name, p, want, err)
		}
	}
}

func TestPolicyFileIsStrict(t *testing.T) {
	t.Parallel()
	const head = "name: x\nversion: '1'\n"
	for name, c := range map[string]struct{ yaml, says string }{
		"no name": {"version: '1'\n", "name"}, "no version": {"name: x\n", "version"}, "nothing": {"", "name"},
		"an unknown key": {head + "ocsp: 1h\n", "ocsp"}, "an unknown rule": {head + "not_long_term: warn\n", "not_long_term"},
		"a built-in name": {"name: strict\nversion: '1'\n", "strict"}, "an unknown base": {head + "base: eu\n", "eu"},
		"a number as age": {head + "ocsp_max_age: 5\n", "ocsp_max_age"}, "a negative age": {head + "crl_max_age: -5h\n", "crl_max_age"},
		"no YAML": {head + "  - [", "dòng 3"}, "twice": {head + "name: y\n", "name"},
		"an unknown domain": {head + "domains:\n  seal: [eu]\n", "eu"}, "an unknown kind": {head + "domains:\n  robot: [own]\n", "robot"},
		"half a fingerprint": {head + "seals: [abcd]\n", "abcd"}, "an unknown hash": {head + "algorithms:\n  - hash: SHA-9\n    until: open\n", "dòng 4"},
		"no end":               {head + "algorithms:\n  - hash: SHA-1\n", "dòng 4"},
		"a hash and algorithm": {head + "algorithms:\n  - hash: SHA-1\n    algorithm: ECDSA\n    until: open\n", "dòng 4"},
	} {
		_, err := readPolicy("a.yaml", []byte(c.yaml))
		if text.CodeOf(err) != text.ConfigInvalid || !strings.Contains(text.As(err).Message().VI, c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPolicyFileDecidesTheVerdict(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.out("ky.pdf")
	if code, out, msg := invoke(t, b.sign("lanh-dao", b.pdf, signed)...); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, msg)
	}
	verify := func(policy string) (int, string) {
		code, out, msg := invoke(t, "verify", signed, "--json", "--trust", b.pki+"/root.pem", "--allow-host", b.allow, "--policy", policy)
		return code, out + msg
	}
	if code, out := verify("vn-2026"); code != 0 || !strings.Contains(out, `"verdict":"valid"`) {
		t.Errorf("vn-2026: exit %d: %s", code, out)
	}
	own := b.write(t, "rieng.yaml", []byte("name: rieng\nversion: '7'\nno_timestamp: inconclusive\n"))
	if code, out := verify(own); code != 4 || !strings.Contains(out, `"policy":{"name":"rieng","version":"7"}`) {
		t.Errorf("own policy: exit %d: %s", code, out)
	}
	if code, out := verify(b.out("khong-co.yaml")); code != 2 || !strings.Contains(out, "khong-co.yaml") {
		t.Errorf("a file that is not there: exit %d: %s", code, out)
	}
}
