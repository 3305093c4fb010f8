package pdf_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"antin/internal/text"
	"antin/signer/pdf"
)

// encryptedFile is a file of the corpus with its passwords, by its authors' word.
type encryptedFile struct {
	name        string
	user, owner string
}

// encryptedFiles lists every kind of the standard security handler.
var encryptedFiles = []encryptedFile{
	{"pyhanko/minimal-rc4.pdf", "usersecret", "ownersecret"},
	{"pyhanko/minimal-aes256.pdf", "usersecret", "ownersecret"},
	{"qpdf/enc-R2,V1.pdf", "", ""},
	{"qpdf/enc-R2,V1,O=master.pdf", "", "master"},
	{"qpdf/enc-R2,V1,U=view,O=view.pdf", "view", "view"},
	{"qpdf/enc-R2,V1,U=view,O=master.pdf", "view", "master"},
	{"qpdf/enc-R3,V2.pdf", "", ""},
	{"qpdf/enc-R3,V2,O=master.pdf", "", "master"},
	{"qpdf/enc-R3,V2,U=view,O=view.pdf", "view", "view"},
	{"qpdf/enc-R3,V2,U=view,O=master.pdf", "view", "master"},
	{"qpdf/enc-XI-R6,V5,O=master.pdf", "", "master"},
	{"qpdf/enc-XI-R6,V5,U=view,O=master.pdf", "view", "master"},
	{"qpdf/enc-XI-R6,V5,U=wwwww,O=wwwww.pdf", "wwwww", "wwwww"},
	{"qpdf/V4-aes.pdf", "", ""},
	{"qpdf/V4-aes-clearmeta.pdf", "", ""},
	{"qpdf/V4.pdf", "", ""},
	{"qpdf/V4-clearmeta.pdf", "", ""},
	{"qpdf/encrypted-40-bit-R3.pdf", "623", "623"},
	{"qpdf/encrypted-positive-P.pdf", "", ""},
	{"qpdf/encrypted-with-images.pdf", "", ""},
}

func corpusFile(t *testing.T, name string) []byte {
	t.Helper()
	root := os.Getenv("ANTIN_CORPUS")
	if root == "" {
		t.Skip("ANTIN_CORPUS is not set: no corpus to read")
	}
	data, err := os.ReadFile(filepath.Join(root, "pdf", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func openWith(t testing.TB, data []byte, password string) *pdf.File {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestCorpusFilesOpenWithEitherPassword(t *testing.T) {
	t.Parallel()
	for _, c := range encryptedFiles {
		data := corpusFile(t, c.name)
		for _, password := range []string{c.user, c.owner} {
			f := openWith(t, data, password)
			if err := f.EncryptionError(); err != nil {
				t.Errorf("%s with %q: %v", c.name, password, err)
				continue
			}
			if n, bad := walk(f); bad > 0 {
				t.Errorf("%s with %q: %d of %d objects cannot be read", c.name, password, bad, n)
			}
		}
		if c.user != "" {
			wantCode(t, openWith(t, data, "").EncryptionError(), text.PasswordRequired)
			wantCode(t, openWith(t, data, "neither").EncryptionError(), text.PasswordWrong)
		}
	}
}
