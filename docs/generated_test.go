package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/validation"
)

// verb is a formatting verb of a catalogue entry; readers see a value there.
var verb = regexp.MustCompile(`%(\[\d+\])?[+#]?[a-zA-Z]`)

func said(m text.Message, l text.Lang) string { return verb.ReplaceAllString(m.In(l), "…") }

func TestErrorCodesPageIsTheClosedList(t *testing.T) {
	var b strings.Builder
	for _, c := range text.Codes() {
		e := text.Errorf(c, nil)
		fmt.Fprintf(&b, "### %s\n\nExit %d. %s → %s<br>\n*%s → %s*\n\n", c, c.Exit(),
			e.Message().VI, e.Fix().VI, e.Message().EN, e.Fix().EN)
	}
	section(t, "docs/reference/error-codes.md", "codes", b.String())
}

func TestVerdictsPageIsTheValidators(t *testing.T) {
	var b strings.Builder
	b.WriteString("| verdict | what people read | in English | exit | what it means |\n|---|---|---|---|---|\n")
	for _, v := range []validation.Verdict{validation.Valid, validation.ValidWithNotes, validation.Unsigned, validation.Inconclusive, validation.Invalid} {
		m, explain := text.Get(text.Key("verdict."+string(v))), text.Get(text.Key("verdict."+string(v)+".explain"))
		r := validation.Report{Verdict: v}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %d | %s |\n", v, m.VI, m.EN, r.Exit(), explain.EN)
	}
	section(t, "docs/reference/verdicts.md", "verdicts", b.String())
	section(t, "docs/reference/verdicts.md", "reasons", reasons(t))
	section(t, "docs/reference/verdicts.md", "policies", policies(t))
}

// reasons lists the reason codes in the groups in which the validator declares them.
func reasons(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "signer", "validation", "reason.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	groups := 0
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST || g.Doc == nil || !strings.HasPrefix(g.Doc.Text(), "The reasons") {
			continue
		}
		groups++
		fmt.Fprintf(&b, "**%s**\n\n| code | what it says |\n|---|---|\n", strings.TrimSuffix(strings.TrimSpace(g.Doc.Text()), "."))
		for _, s := range g.Specs {
			code, err := strconv.Unquote(s.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
			key := text.Key("validation." + code)
			if err != nil || !text.Known(key) {
				t.Errorf("reason %s has no words: %v", code, err)
			}
			fmt.Fprintf(&b, "| `%s` | %s<br>*%s* |\n", code, said(text.Get(key), text.VI), said(text.Get(key), text.EN))
		}
		b.WriteString("\n")
	}
	if groups != 3 {
		t.Errorf("%d groups of reasons instead of invalid, inconclusive and notes", groups)
	}
	return b.String()
}

// policies shows the fields of each policy side by side.
func policies(t *testing.T) string {
	t.Helper()
	names := []string{"vn-2026", "eidas-like", "strict", "archive"}
	var all []reflect.Value
	for _, n := range names {
		p, err := validation.PolicyByName(n)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, reflect.ValueOf(p))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| | `%s` |\n|---|---|---|---|---|\n", strings.Join(names, "` | `"))
	rows := map[string]string{
		"OCSPMaxAge": "an OCSP answer on the signer may be this old", "CRLMaxAge": "a CRL on the signer may be this old",
		"EarlierRevocationData": "revocation data from before a proven signing time", "UncoveredChange": "a visible change that nothing permits or protects",
		"BelowBaseline": "an attribute missing, or one that PAdES forbids", "MissingTimestamp": "no proof of the time of signing",
		"RequireCARevocation": "a CA that names no place to ask needs revocation data too", "RequireLongTerm": "a level below B-LT",
		"AgingAlgorithm":           "an algorithm strong enough then, no longer now",
		"ExpiredRevocationIssuer":  "revocation data whose maker's certificate ended before anything proves that they existed",
		"UncheckedSignaturePolicy": "a signature policy whose document is not known here",
		"OldPractice":              "what older national tools do otherwise (`old_practice_…`, `claimed_time_late`)",
	}
	kind := all[0].Type()
	for i := range kind.NumField() {
		name := kind.Field(i).Name
		if name == "Name" || name == "Version" || name == "SignaturePolicies" || name == "Algorithms" || name == "Domains" || name == "Seals" {
			continue
		}
		if rows[name] == "" {
			t.Errorf("policies have a field %s that the page does not explain", name)
		}
		fmt.Fprintf(&b, "| %s |", rows[name])
		for _, p := range all {
			fmt.Fprintf(&b, " %s |", choice(p.Field(i).Interface()))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestPoliciesPageWritesTheBuiltInOnes writes each policy as the file that would make it.
func TestPoliciesPageWritesTheBuiltInOnes(t *testing.T) {
	var b strings.Builder
	for _, name := range []string{"vn-2026", "eidas-like", "strict", "archive"} {
		p, err := validation.PolicyByName(name)
		if err != nil {
			t.Fatal(err)
		}
		crl := p.CRLMaxAge.String()
		if p.CRLMaxAge < 0 {
			crl = "next-update"
		}
		fmt.Fprintf(&b, "```yaml\nname: %s\nversion: %q\nocsp_max_age: %s\ncrl_max_age: %s\n", p.Name, p.Version, p.OCSPMaxAge, crl)
		for _, rule := range []struct {
			key  string
			rule validation.Rule
		}{
			{"revocation_before_signing", p.EarlierRevocationData}, {"changed_uncovered", p.UncoveredChange}, {"below_baseline", p.BelowBaseline},
			{"no_timestamp", p.MissingTimestamp}, {"not_long_term", p.RequireLongTerm}, {"algorithm_aging", p.AgingAlgorithm},
			{"revocation_issuer_expired", p.ExpiredRevocationIssuer}, {"signature_policy_unchecked", p.UncheckedSignaturePolicy}, {"old_practice", p.OldPractice},
		} {
			word := string(rule.rule)
			if word == "" {
				word = "fail"
			}
			fmt.Fprintf(&b, "%s: %s\n", rule.key, word)
		}
		fmt.Fprintf(&b, "require_ca_revocation: %t\n```\n\n", p.RequireCARevocation)
	}
	section(t, "docs/reference/policies.md", "built-in", b.String())
}

// TestPoliciesPageListsTheAlgorithms writes the table that holds where a policy says nothing.
func TestPoliciesPageListsTheAlgorithms(t *testing.T) {
	table := certs.TS119312()
	var b strings.Builder
	fmt.Fprintf(&b, "The table of %s %s:\n\n| hash or algorithm | bits | until |\n|---|---|---|\n", table.Name, table.Version)
	for _, l := range table.Lines() {
		bits, until := "", "open"
		if l.Bits > 0 {
			bits = fmt.Sprint(l.Bits)
		}
		if !l.Until.IsZero() {
			until = l.Until.Format(time.DateOnly)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", l.Hash+l.Algorithm, bits, until)
	}
	section(t, "docs/reference/policies.md", "algorithms", b.String())
}

func choice(v any) string {
	switch v := v.(type) {
	case time.Duration:
		switch {
		case v < 0:
			return "until its own next update"
		case v == 0:
			return "not older than the proven time"
		}
		return fmt.Sprintf("%d h", int(v.Hours()))
	case validation.Rule:
		if v == validation.RuleFail {
			return "invalid"
		}
		return map[validation.Rule]string{validation.RuleInconclusive: "inconclusive", validation.RuleNote: "note", validation.RuleSilent: "—"}[v]
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	}
	return fmt.Sprint(v)
}

// Every member of the report has a row in verify-json.md, and every row a member.
func TestVerifyJSONPageNamesEveryMember(t *testing.T) {
	t.Parallel()
	members := map[string]bool{}
	walk("", reflect.TypeFor[validation.Report](), members)
	rows := regexp.MustCompile("(?m)^\\| `([a-z_0-9.\\[\\]]+)` \\|").FindAllStringSubmatch(read(t, "docs/reference/verify-json.md"), -1)
	told := map[string]bool{}
	for _, r := range rows {
		told[r[1]] = true
		if !members[r[1]] {
			t.Errorf("verify-json.md explains %q, which reports do not have", r[1])
		}
	}
	for m := range members {
		if !told[m] {
			t.Errorf("verify-json.md does not explain %q", m)
		}
	}
}

func walk(prefix string, k reflect.Type, out map[string]bool) {
	for i := range k.NumField() {
		f := k.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		path, inner := prefix+name, f.Type
		if inner.Kind() == reflect.Slice {
			path, inner = path+"[]", inner.Elem()
		}
		leaf := inner.Kind() != reflect.Struct || inner == reflect.TypeFor[validation.Time]() || inner == reflect.TypeFor[text.Message]()
		if leaf {
			out[path] = true
			continue
		}
		walk(path+".", inner, out)
	}
}

// The report shown in verify-json.md is one that this program can read again.
func TestVerifyJSONExampleIsAReport(t *testing.T) {
	t.Parallel()
	_, fences := split(read(t, "docs/reference/verify-json.md"))
	i := slices.IndexFunc(fences, func(f fence) bool { return f.language == "json" })
	if i < 0 {
		t.Fatal("verify-json.md shows no report")
	}
	d := json.NewDecoder(strings.NewReader(strings.Join(fences[i].lines, "\n")))
	d.DisallowUnknownFields()
	var r validation.Report
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r.Verdict != validation.Valid || len(r.Signatures) == 0 {
		t.Errorf("the example is %q with %d signatures", r.Verdict, len(r.Signatures))
	}
}

func TestChangelogIsFoldedFromChanges(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip(".ci/changelog is a shell script; the changelog was not compared")
	}
	cmd := exec.CommandContext(t.Context(), "sh", ".ci/changelog")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	want, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	path := filepath.Join(root, "CHANGELOG.md")
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, want) {
		t.Errorf("CHANGELOG.md is not what docs/changes holds (%v); run go test ./docs -update", err)
	}
}
