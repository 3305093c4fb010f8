package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"antin/internal/text"
	"antin/signer"
)

func TestEveryTextTheCommandLineNamesIsInTheCatalogue(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`"((?:cli|once|demo|sandbox|verify|serve|config|init|doctor|backup|restore|health|directory)\.[a-z_.-]+[a-z])"`)
	help := regexp.MustCompile(`\$\{help_([a-z_]+)\}`)
	words := helpWords(text.VI)
	seen := 0
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range key.FindAllStringSubmatch(string(src), -1) {
			if name := m[1]; strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".tar") {
				continue // a file, not a text
			}
			if seen++; !text.Known(text.Key(m[1])) {
				t.Errorf("%s names %q, which the catalogue lacks", f, m[1])
			}
		}
		for _, m := range help.FindAllStringSubmatch(string(src), -1) {
			if seen++; words[m[0]] == "" {
				t.Errorf("%s names the help text %q, which the catalogue lacks", f, m[1])
			}
		}
	}
	for _, w := range []signer.Warning{signer.WarnRevocationUnknown, signer.WarnNotTrusted, signer.WarnEarlierInvalid, signer.WarnXFA,
		signer.WarnUsageRights, signer.WarnJavaScript, signer.WarnOptionalContent, signer.WarnNeedAppearances,
		signer.WarnNewFieldAfterCertify, signer.WarnNotTagged, signer.WarnNormalised} {
		if !text.Known(text.Key("cli.warning." + string(w))) {
			t.Errorf("warning %s has no words", w)
		}
	}
	if seen < 60 {
		t.Fatalf("only %d names were found: the search does not see the sources", seen)
	}
}
