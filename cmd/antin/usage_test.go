package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestUsageErrorsAreSaidInVietnameseWithTheHelpThatTellsMore(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][2]string{
		"":                           {"cần một trong các lệnh", "→ antin --help"},
		"sing":                       {"không hiểu “sing”; có phải là \"sign\"?", "→ antin --help"},
		"xyzzy-9":                    {"không hiểu “xyzzy-9”", "→ antin --help"},
		"user add --name An":         {"thiếu --login=LOGIN, --role=STRING", "→ antin user add --help"},
		"sign a.pdf --levl B-T":      {"không có tùy chọn --levl; có phải là \"--level\"?", "→ antin sign --help"},
		"verify":                     {"thiếu \"<file> ...\"", "→ antin verify --help"},
		"verify a.pdf --qqqqqqqqqqq": {"không có tùy chọn --qqqqqqqqqqq", "→ antin verify --help"},
		"backup -o":                  {"-o", "→ antin backup --help"},
		"bench serve --clerks many":  {"--clerks", "→ antin bench serve --help"},
		"verify a.pdf --lang fr":     {"--lang phải là một trong", "→ antin verify --help"},
	} {
		var out, said bytes.Buffer
		rc := run(t.Context(), strings.Fields(line), streams{out: &out, err: &said})
		problem, _, _ := strings.Cut(said.String(), "\n")
		if rc != 2 || !strings.HasPrefix(problem, "✗ Lệnh chưa đúng: ") || !strings.Contains(problem, want[0]) ||
			!strings.HasSuffix(strings.TrimSpace(said.String()), want[1]) || strings.Contains(problem, "expected") {
			t.Errorf("%q: exit %d: %s", line, rc, said.String())
		}
	}
}
