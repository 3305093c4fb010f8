package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"antin/internal/text"
)

// configEnv is an env whose configuration is yaml, in a folder of its own.
func configEnv(t *testing.T, yaml string) *env {
	t.Helper()
	file := filepath.Join(t.TempDir(), "antin.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	e := testEnv(&bytes.Buffer{})
	e.config = file
	return e
}

func TestConfigurationIsRefusedByNameAndLine(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		yaml string
		want []string // words of the message
	}{
		"unknown key":        {"agency:\n  code: H98.21\n  kode: x\n", []string{"dòng 3", "agency.kode", "in_charge"}},
		"unknown section":    {"agent:\n  code: x\n", []string{"dòng 1", "agent"}},
		"key twice":          {"data_dir: a\nagency:\n  code: b\ndata_dir: c\n", []string{"dòng 4"}},
		"words for a number": {"limits:\n  max_payload_mb: viele\n", []string{"dòng 2", "limits.max_payload_mb", "số nguyên"}},
		"span of no host":    {"tsa:\n  urls: [https://a/]\n  timeouts: [a]\n", []string{"tsa.timeouts", "MÁY=KHOẢNG"}},
		"span too long":      {"tsa:\n  urls: [https://a/]\n  timeouts: [a=11m]\n", []string{"tsa.timeouts", "10m0s"}},
		"number for a span":  {"tsa:\n  timeout: 30\n", []string{"dòng 2", "tsa.timeout", "khoảng thời gian"}},
		"text for a list":    {"trust:\n  anchors: root.pem\n", []string{"dòng 2", "trust.anchors", "danh sách"}},
		"text for a section": {"listen: 8080\n", []string{"dòng 1", "listen"}},
		"word not allowed":   {"\nlog:\n  level: loud\n", []string{"dòng 3", "log.level", "debug"}},
		"not YAML":           {"agency: [\n", []string{"antin.yaml"}},
		"two documents":      {"log:\n  level: info\n---\nlog:\n  level: info\n", []string{"một tài liệu"}},
		"out of bounds":      {"limits:\n  requests_per_minute: 0\n", []string{"dòng 2", "limits.requests_per_minute"}},
		"no address":         {"listen:\n  desk: localhost\n", []string{"dòng 2", "listen.desk"}},
		"path in a URL":      {"desk:\n  url: https://a/b\n", []string{"dòng 2", "desk.url"}},
		"one of a pair":      {"desk:\n  tls:\n    certificate: a.pem\n", []string{"desk.tls.certificate"}},
		"no CIDR":            {"desk:\n  trusted_proxies: [10.0.0.300]\n", []string{"desk.trusted_proxies", "10.0.0.300"}},
		"bad code":           {"agency:\n  code: \"cơ quan\"\n", []string{"dòng 2", "agency.code"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadConfig(configEnv(t, tc.yaml))
			if text.CodeOf(err) != text.ConfigInvalid {
				t.Fatalf("got %v", err)
			}
			for _, w := range tc.want {
				if m := text.As(err).Message().VI; !strings.Contains(m, w) {
					t.Errorf("%q does not say %q", m, w)
				}
			}
		})
	}
}

func TestScalarsKeepHowTheyWereWritten(t *testing.T) {
	t.Parallel()
	cfg, err := loadConfig(configEnv(t, "agency:\n  code: 000.00.11.H98\n  telephone: 0241234567\n  seal_diameter_mm: 35.5\n"+
		"tsa:\n  urls:\n    - https://tsa.example/\nsessions:\n  idle: 15m\npeer:\n"))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Agency.Telephone != "0241234567" || cfg.Agency.Code != "000.00.11.H98" || cfg.Agency.SealDiameterMM != 35.5 ||
		cfg.Sessions.Idle != 15*time.Minute || len(cfg.TSA.URLs) != 1 {
		t.Errorf("%+v", cfg)
	}
	if cfg.Sessions.Absolute != defaultConfig().Sessions.Absolute {
		t.Error("a neighbour lost its default")
	}
}

func TestTheEnvironmentWinsAndOriginsAreTold(t *testing.T) {
	t.Parallel()
	e := configEnv(t, "listen:\n  desk: 127.0.0.1:1\n  public: 127.0.0.1:2\ndirectory: peers.yaml\n")
	cfg := defaultConfig()
	data, err := os.ReadFile(e.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.read(e.config, data); err != nil {
		t.Fatal(err)
	}
	err = cfg.fromEnvironment([]string{"ANTIN_LISTEN_DESK=127.0.0.1:7", "ANTIN_TSA_URLS=https://a/,https://b/", "ANTIN_LISTEN_DEKS=x", "ANTIN_LANG=en", "HOME=/"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen.Desk != "127.0.0.1:7" || cfg.Listen.Public != "127.0.0.1:2" || len(cfg.TSA.URLs) != 2 {
		t.Errorf("%+v %+v", cfg.Listen, cfg.TSA)
	}
	if cfg.Directory != filepath.Join(filepath.Dir(e.config), "peers.yaml") {
		t.Errorf("a relative path is not relative to its file: %s", cfg.Directory)
	}
	for path, want := range map[string]origin{"listen.desk": {Env: "ANTIN_LISTEN_DESK"}, "listen.public": {File: e.config, Line: 3}, "listen.peer": {}} {
		if got := cfg.origins[path]; got != want {
			t.Errorf("%s comes from %+v", path, got)
		}
	}
	if len(cfg.strange) != 1 || cfg.strange[0] != "ANTIN_LISTEN_DEKS" {
		t.Errorf("strange variables: %v", cfg.strange)
	}
	err = cfg.fromEnvironment([]string{"ANTIN_LIMITS_MAX_PAYLOAD_MB=much"})
	if m := text.As(err).Message().VI; text.CodeOf(err) != text.ConfigInvalid || !strings.Contains(m, "ANTIN_LIMITS_MAX_PAYLOAD_MB") {
		t.Errorf("got %v", err)
	}
}

func TestConfigShowMasksSecrets(t *testing.T) {
	t.Parallel()
	e := configEnv(t, "tsa:\n  urls: [\"https://user:geheim@tsa.example/x\"]\n")
	var out bytes.Buffer
	e.out = &out
	if err := (&configShowCmd{JSON: true}).Run(e); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(out.String()) {
		var s shownSetting
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		if seen++; s.Setting == "tsa.urls" && (s.Origin != "file" || s.Line != 2 || s.Env != "ANTIN_TSA_URLS") {
			t.Errorf("%+v", s)
		}
	}
	if strings.Contains(out.String(), "geheim") || !strings.Contains(out.String(), "tsa.example") {
		t.Errorf("secret shown: %s", out.String())
	}
	if want := len(defaultConfig().settings()); seen != want {
		t.Errorf("%d of %d settings are shown", seen, want)
	}
}

func TestTheCommentedConfigurationLoadsAsItIs(t *testing.T) {
	t.Parallel()
	for _, lang := range []text.Lang{text.VI, text.EN} {
		full := defaultConfig()
		full.Agency.Name, full.Agency.Code = "Sở \"X\": # Y", "H98.21"
		full.Trust.AllowHosts = []string{"10.0.0.0/8:8080"}
		cfg, err := loadConfig(configEnv(t, full.commented(lang, "")))
		if err != nil {
			t.Fatal(err)
		}
		if cfg.Agency.Name != full.Agency.Name || len(cfg.Trust.AllowHosts) != 1 || len(cfg.origins) != 3 {
			t.Errorf("%+v from %v", cfg.Agency, cfg.origins)
		}
		// Every line that is commented out can be put in.
		in := uncommented(full.commented(lang, ""))
		if _, err := loadConfig(configEnv(t, in)); err != nil {
			t.Errorf("with every line in: %v\n%s", err, in)
		}
	}
}

// uncommented puts in every setting that stands commented out.
func uncommented(yaml string) string {
	var b strings.Builder
	for line := range strings.Lines(yaml) {
		body := strings.TrimLeft(line, " ")
		if rest, ok := strings.CutPrefix(body, "# "); ok {
			key, _, _ := strings.Cut(rest, ":")
			for _, s := range defaultConfig().settings() {
				if s.Path[strings.LastIndex(s.Path, ".")+1:] == key {
					line = line[:len(line)-len(body)] + rest
					break
				}
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

func TestEverySettingIsExplained(t *testing.T) {
	t.Parallel()
	for _, s := range defaultConfig().settings() {
		for key := s.Path; key != ""; {
			if !text.Known(text.Key("setting." + key)) {
				t.Errorf("setting.%s has no words", key)
			}
			i := strings.LastIndex(key, ".")
			key = key[:max(i, 0)]
		}
	}
}

var update = flag.Bool("update", false, "write the reference page of the configuration anew")

func TestConfigurationPageIsTheConfigurations(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "..", "docs", "reference", "configuration.md")
	want := configurationPage()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the program says (%v); run go test ./cmd/antin -run TestConfigurationPage -update", page, err)
	}
}

// configurationPage is the reference page.
func configurationPage() string {
	var b strings.Builder
	b.WriteString("# Configuration\n\n" + configurationIntro + "\n")
	section := ""
	for _, s := range defaultConfig().settings() {
		head, _, nested := strings.Cut(s.Path, ".")
		if !nested {
			head = "top"
		}
		if head != section {
			section = head
			if title := "setting." + head; text.Known(text.Key(title)) {
				fmt.Fprintf(&b, "\n## %s\n\n%s<br>\n*%s*\n", head, text.Get(text.Key(title)).VI, text.Get(text.Key(title)).EN)
			} else {
				b.WriteString("\n## Top level\n")
			}
			b.WriteString("\n| setting | takes | default | meaning |\n|---|---|---|---|\n")
		}
		def := fmt.Sprint(shownValue(s.Value))
		if def == "" || def == "[]" {
			def = "—"
		} else {
			def = "`" + def + "`"
		}
		m := text.Get(text.Key("setting." + s.Path))
		fmt.Fprintf(&b, "| `%s`<br>`%s` | %s | %s | %s<br>*%s* |\n", s.Path, s.Env, wanted(s.Value.Type(), s.Enum).EN, def, m.VI, m.EN)
	}
	return b.String()
}

const configurationIntro = "`antin serve` and its like read one YAML file: the one that `--config` or `ANTIN_CONFIG` names, else `/etc/antin/antin.yaml` when it is\n" +
	"there. `antin init` writes one with every setting explained. A key that does not exist, a key given twice and a value of another type\n" +
	"are refused by name and line (`config-invalid`, exit 2).\n\n" +
	"Each setting can be set by the variable below it instead, which wins over the file; lists are separated by commas there. Relative\n" +
	"names of files are relative to the configuration file, or for a variable to the current folder. `antin config show` prints every\n" +
	"setting with where its value comes from, `antin config show --json` the same for programs."
