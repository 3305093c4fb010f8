package docs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/pdf"
)

// fitting are the codes with which a file that qpdf finds clean may be refused.
var fitting = []text.Code{
	text.PDFRepairNeeded, text.PasswordRequired, text.PermissionDenied, text.EncryptionUnsupported,
	text.DocMDPForbids, text.FieldLocked, text.SeedValueUnmet,
}

// refused is a file of the corpus that is not signed.
type refused struct {
	name  string
	err   *text.Error
	clean bool // qpdf --check has nothing to say about it
}

// oneKey is a signer.KeyProvider of a single key.
type oneKey struct{ key signer.Key }

func (k oneKey) Key(context.Context, string) (signer.Key, error) { return k.key, nil }

func TestCorpusIsSignedOrRefusedAsThePageSays(t *testing.T) {
	corpus := os.Getenv("ANTIN_CORPUS")
	if corpus == "" {
		t.Skip("ANTIN_CORPUS is not set: the corpus was not signed")
	}
	qpdf, err := exec.LookPath("qpdf")
	if err != nil {
		t.Skip("qpdf is not installed: nobody says which files are clean")
	}
	pki, err := certstest.New(certstest.Options{BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	entity, err := pki.Issue(certstest.Spec{CommonName: "corpus", KeyType: certstest.P256})
	if err != nil {
		t.Fatal(err)
	}
	s := &signer.Signer{Keys: oneKey{key: signer.Key{Signer: entity.Key, Chain: entity.Chain}}, Now: time.Now, AllowSandbox: true}
	signed := 0
	var list []refused
	corpus = filepath.Join(corpus, "pdf")
	err = filepath.WalkDir(corpus, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.EqualFold(filepath.Ext(path), ".pdf") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(corpus, path)
		if err != nil {
			return err
		}
		var e *text.Error
		result := signFile(s, data)
		switch {
		case result == nil:
			signed++
		case errors.As(result, &e):
			r := refused{name: filepath.ToSlash(name), err: e, clean: exec.Command(qpdf, "--check", path).Run() == nil}
			if r.clean && !slices.Contains(fitting, e.Code) {
				t.Errorf("%s is clean but refused: %v", name, result)
			}
			list = append(list, r)
		default:
			t.Errorf("%s: %v", name, result)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	section(t, "docs/reference/corpus.md", "refusals", refusalTable(signed, list))
}

// signFile signs data and checks what must hold of every signed file.
func signFile(s *signer.Signer, data []byte) error {
	var out bytes.Buffer
	res, err := s.Sign(context.Background(), signer.Input{Reader: bytes.NewReader(data), Size: int64(len(data))}, &out,
		signer.Request{Key: "corpus", Level: ades.BB, Offline: true})
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(out.Bytes(), data) || int64(out.Len()) != res.Bytes {
		return errors.New("the original is no prefix of the signed file")
	}
	f, err := pdf.Open(bytes.NewReader(out.Bytes()), int64(out.Len()), pdf.Options{})
	if err != nil {
		return fmt.Errorf("opening the signed file: %w", err)
	}
	found, err := pades.Signatures(f)
	if err != nil {
		return fmt.Errorf("finding the signature: %w", err)
	}
	i := slices.IndexFunc(found, func(sig pades.Signature) bool { return sig.Field == res.Field })
	if i < 0 {
		return errors.New("the signature is not found again")
	}
	start, end, direct, err := f.SignatureSpan(found[i].ValueRef, "Contents")
	r := found[i].ByteRange
	if err != nil {
		return fmt.Errorf("finding /Contents: %w", err)
	}
	if !direct || r[0] != 0 || r[1] != start || r[2] != end || r[2]+r[3] != res.Bytes {
		return fmt.Errorf("the gap of %v is not the hex string at %d to %d", r, start, end)
	}
	return nil
}

// refusalTable is the generated part of the page.
func refusalTable(signed int, list []refused) string {
	counts := map[text.Code]int{}
	for _, r := range list {
		counts[r.err.Code]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Signed: %d of %d.\n\n| code | files |\n|---|---|\n", signed, signed+len(list))
	for _, c := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "| `%s` | %d |\n", c, counts[c])
	}
	b.WriteString("\n| file | code | cause | qpdf |\n|---|---|---|---|\n")
	for _, r := range list {
		clean := ""
		if r.clean {
			clean = "clean"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", cell(r.name), r.err.Code, cell(cause(r.err)), clean)
	}
	return b.String()
}

// cause is what the log says beyond the code.
func cause(e *text.Error) string {
	if e.Err == nil {
		return e.Detail.EN
	}
	return strings.ReplaceAll(e.Err.Error(), string(text.PDFRepairNeeded)+": ", "")
}

func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", "`", "'", "[", "\\[", "_", "\\_").Replace(strings.ToValidUTF8(s, "?"))
}
