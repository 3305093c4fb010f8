package pdf_test

import (
	"os"
	"path/filepath"
	"testing"

	"antin/internal/text"
	"antin/signer/pdf"
)

func TestEncryptedFilesOpenAndSayWhatTheyNeed(t *testing.T) {
	root := os.Getenv("ANTIN_CORPUS")
	if root == "" {
		t.Skip("ANTIN_CORPUS is not set: no corpus to read")
	}
	for name, want := range map[string]text.Code{
		"pyhanko/minimal-rc4.pdf":               text.PasswordRequired,
		"pyhanko/minimal-aes256.pdf":            text.PasswordRequired,
		"pyhanko/minimal-pubkey-aes256.pdf":     text.EncryptionUnsupported,
		"qpdf/enc-R2,V1.pdf":                    text.EncryptionUnsupported,
		"qpdf/enc-R2,V1,U=view,O=view.pdf":      text.PasswordRequired,
		"qpdf/enc-R3,V2.pdf":                    text.EncryptionUnsupported,
		"qpdf/enc-R3,V2,U=view,O=view.pdf":      text.PasswordRequired,
		"qpdf/enc-XI-R6,V5,O=master.pdf":        text.EncryptionUnsupported,
		"qpdf/enc-XI-R6,V5,U=view,O=master.pdf": text.PasswordRequired,
		"qpdf/V4-aes.pdf":                       text.EncryptionUnsupported,
		"qpdf/V4-aes-clearmeta.pdf":             text.EncryptionUnsupported,
		"pyhanko/minimal.pdf":                   "",
	} {
		data, err := os.ReadFile(filepath.Join(root, "pdf", filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
			continue
		}
		f := mustOpen(t, data)
		err = f.EncryptionError()
		if got := text.CodeOf(err); got != want || f.Encrypted() != (want != "") {
			t.Errorf("%s: encrypted %v, error %v, want %q", name, f.Encrypted(), err, want)
		}
		if want != "" {
			u := f.NewUpdate()
			u.Add(pdf.Null{})
			_, err = u.Build()
			wantCode(t, err, want)
		}
	}
}

func TestDamagedEncryptionIsNotReadAsNone(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"<<>>", "12", "99 0 R", "4 0 R", "<</Filter/Standard/R 3/O(x)/U(y)/P 1>>", "<</Filter/Standard/R 6/O()/U()/P 0>>"} {
		d := newDraft()
		d.pages("")
		d.obj(4, "[]")
		d.table("/Size 5/Root 1 0 R/Encrypt "+value, 1, 2, 3, 4)
		f := mustOpen(t, d.Bytes())
		wantCode(t, f.EncryptionError(), text.EncryptionUnsupported)
	}
}
