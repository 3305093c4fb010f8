//go:build interop

package interop_test

import (
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"antin/signer/pades"
	"antin/signer/pdf"
)

// found is one signature as it lies in a file, for the judges that look at a part
// of it only. It is cut out here by /ByteRange alone.
type found struct {
	field   string
	ranges  []byte // the bytes signed
	cms     []byte // DER without the padding
	isStamp bool
}

// signaturesIn finds the signatures of the file at path.
func signaturesIn(path string) ([]found, error) { return signaturesOf(document{path: path}) }

// signaturesOf finds the signatures of the file of d.
func signaturesOf(d document) ([]found, error) {
	path := d.path
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := pdf.Open(strings.NewReader(string(data)), int64(len(data)), pdf.Options{Password: d.password()})
	if err != nil {
		return nil, err
	}
	all, err := pades.Signatures(f)
	if err != nil {
		return nil, err
	}
	var out []found
	for _, s := range all {
		if !s.Signed() {
			continue
		}
		one, err := cut(data, s.ByteRange)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", s.Field, err)
		}
		one.field, one.isStamp = s.Field, s.DocumentTimestamp()
		out = append(out, one)
	}
	return out, nil
}

// cut takes the signed ranges and the CMS between them out of data.
func cut(data []byte, r [4]int64) (found, error) {
	end := int64(len(data))
	if r[0] != 0 || r[1] <= 0 || r[2] <= r[1]+2 || r[3] < 0 || r[2]+r[3] > end {
		return found{}, fmt.Errorf("odd byte range %v", r)
	}
	gap := data[r[1]:r[2]]
	if gap[0] != '<' || gap[len(gap)-1] != '>' {
		return found{}, errors.New("the gap is no hexadecimal string")
	}
	value, err := hex.DecodeString(string(gap[1 : len(gap)-1]))
	if err != nil {
		return found{}, err
	}
	var whole asn1.RawValue
	if _, err := asn1.Unmarshal(value, &whole); err != nil {
		return found{}, err
	}
	signed := append(append([]byte{}, data[:r[1]]...), data[r[2]:r[2]+r[3]]...)
	return found{ranges: signed, cms: whole.FullBytes}, nil
}

var (
	pdfsigEntry = regexp.MustCompile(`(?m)^Signature #\d+:$`)
	pdfsigName  = regexp.MustCompile(`(?m)^  - Signature Field Name: (.*)$`)
)

// pdfsigVerdicts is what pdfsig says of each signature, by field. Its exit code
// means nothing. The password opens an encrypted file; "" for others.
func pdfsigVerdicts(path, password string) (map[string]string, error) {
	_, out, err := runWithin(judgeTimeout, "pdfsig", "-nocert", "-upw", password, path)
	if err != nil {
		return nil, err
	}
	verdicts := map[string]string{}
	for i, entry := range pdfsigEntry.Split(out, -1) {
		if i == 0 {
			continue
		}
		field := fmt.Sprintf("#%d", i)
		if m := pdfsigName.FindStringSubmatch(entry); m != nil {
			field = strings.TrimSpace(m[1])
		}
		verdict := "no verdict"
		for line := range strings.Lines(entry) {
			if _, v, ok := strings.Cut(line, "- Signature Validation:"); ok {
				verdict = strings.TrimSpace(v)
			}
		}
		if strings.Contains(entry, "not yet implemented") {
			verdict = "not implemented"
		}
		verdicts[field] = verdict
	}
	return verdicts, nil
}

// judgeTimeout bounds a judge that takes milliseconds where it takes an end.
const judgeTimeout = 15 * time.Second

const pdfsigValid = "Signature is Valid."

// pdfsigJudge wants "Signature is Valid" of every field named.
func pdfsigJudge(path string, fields []string, password string) error {
	verdicts, err := pdfsigVerdicts(path, password)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if v := verdicts[f]; v != pdfsigValid {
			return fmt.Errorf("pdfsig on %s: %q (all: %v)", f, v, verdicts)
		}
	}
	return nil
}

// What mutool says of a signature that holds. Later signatures and evidence are
// "edits" to it.
const (
	mutoolUnchanged = "The document is unchanged since signing."
	mutoolEdited    = "The signature is valid but there have been edits since signing."
)

// mutoolJudge wants every signature valid to mutool, which sees document time-stamps
// too but cannot verify them. It knows no trusted roots, so its word on certificates
// is not looked at.
func mutoolJudge(path string, signatures, stamps int, password string) error {
	args := []string{"sign", "-v", path}
	if password != "" {
		args = []string{"sign", "-p", password, "-v", path}
	}
	_, out, err := run("mutool", args...)
	if err != nil {
		return err
	}
	seen, good := 0, 0
	for line := range strings.Lines(out) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "Verifying signature "):
			seen++
		case line == mutoolUnchanged, line == mutoolEdited:
			good++
		}
	}
	if seen != signatures+stamps || good != signatures {
		return fmt.Errorf("mutool saw %d of %d signatures and accepted %d:\n%s", seen, signatures, good, out)
	}
	return nil
}

// opensslJudge lets OpenSSL verify the CMS of s over the signed bytes with the
// CAdES attributes, and its path to root.
func opensslJudge(dir string, s found, root string) error {
	cms, content := filepath.Join(dir, "sig.der"), filepath.Join(dir, "ranges.bin")
	if err := errors.Join(os.WriteFile(cms, s.cms, 0o600), os.WriteFile(content, s.ranges, 0o600)); err != nil {
		return err
	}
	code, out, err := run("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", cms,
		"-content", content, "-CAfile", root, "-purpose", "any", "-out", os.DevNull)
	if err == nil && (code != 0 || !strings.Contains(out, "CAdES Verification successful")) {
		err = fmt.Errorf("openssl exited with %d: %s", code, out)
	}
	return err
}

// qpdfWords are what qpdf says of path, without the file's name and version.
func qpdfWords(path, password string) (code int, words []string, err error) {
	code, out, err := run("qpdf", "--check", "--password="+password, path)
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(strings.ReplaceAll(line, path, "FILE"))
		if !strings.HasPrefix(line, "PDF Version:") { // the extension level may rise
			words = append(words, line)
		}
	}
	return code, words, err
}

// qpdfNotLinear is what qpdf says of every file that was updated: the first part of
// a linearised one stays as it is, and a reader has to look at the end.
const qpdfNotLinear = "File is not linearized"

// qpdfNoErrors is how it ends when there is not even a warning.
const qpdfNoErrors = "No syntax or stream encoding errors found; the file may still contain"

// qpdfHidden is its next line.
const qpdfHidden = "errors that qpdf cannot detect"

// qpdfJudge wants qpdf to say no more about after than about before.
func qpdfJudge(before, after, password string) error {
	was, old, err := qpdfWords(before, password)
	if err != nil {
		return err
	}
	is, words, err := qpdfWords(after, password)
	if err != nil {
		return err
	}
	if is > was {
		return fmt.Errorf("qpdf exited with %d, before with %d: %q", is, was, words)
	}
	for _, w := range words {
		if w != qpdfNotLinear && w != qpdfNoErrors && w != qpdfHidden && !slices.Contains(old, w) {
			return fmt.Errorf("qpdf says anew: %s", w)
		}
	}
	return nil
}
