package signer_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// encryptedKinds is every way in which qpdf encrypts, by its arguments.
var encryptedKinds = map[string][]string{
	"RC4-40":               {"40"},
	"RC4-128":              {"128", "--use-aes=n"},
	"RC4-128 plain":        {"128", "--use-aes=n", "--cleartext-metadata"},
	"AES-128":              {"128", "--use-aes=y"},
	"AES-128 plain":        {"128", "--use-aes=y", "--cleartext-metadata"},
	"AES-256":              {"256"},
	"AES-256 plain":        {"256", "--cleartext-metadata"},
	"AES-256 R5":           {"256", "--force-R5"},
	"AES-256 no signing":   {"256", "--modify=none"},
	"RC4-128 no new field": {"128", "--use-aes=n", "--modify=form"},
}

// encryptWith has qpdf encrypt data with the passwords user and owner.
func encryptWith(t *testing.T, data []byte, arguments []string, more ...string) []byte {
	t.Helper()
	qpdf, err := exec.LookPath("qpdf")
	if err != nil {
		t.Skip("qpdf is not installed: nobody encrypts")
	}
	dir := t.TempDir()
	plain, out := filepath.Join(dir, "plain.pdf"), filepath.Join(dir, "out.pdf")
	if err := os.WriteFile(plain, data, 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--allow-weak-crypto", "--static-id"}, more...)
	args = append(append(args, "--encrypt", "user", "owner"), arguments...)
	if said, err := exec.Command(qpdf, append(args, "--", plain, out)...).CombinedOutput(); err != nil {
		t.Fatalf("qpdf %v: %v\n%s", args, err, said)
	}
	data, err = os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// judgedByPDFSig asks pdfsig, where it is installed.
func judgedByPDFSig(t *testing.T, data []byte, password string) {
	t.Helper()
	pdfsig, err := exec.LookPath("pdfsig")
	if err != nil {
		t.Log("pdfsig is not installed: it was not asked")
		return
	}
	file := filepath.Join(t.TempDir(), "signed.pdf")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	said, _ := exec.Command(pdfsig, "-nocert", "-upw", password, file).CombinedOutput() // its exit code says nothing
	if !strings.Contains(string(said), "Signature is Valid") || strings.Contains(string(said), "Digest Mismatch") {
		t.Errorf("pdfsig: %s", said)
	}
}

func TestEncryptedFilesAreSignedWithEitherPassword(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	s := a.signer()
	for name, arguments := range encryptedKinds {
		for _, streams := range []string{"--object-streams=disable", "--object-streams=generate"} {
			doc := padestest.Simple(padestest.Classic, "1.7")
			data := encryptWith(t, doc.Bytes(), arguments, streams)
			for _, password := range []string{"user", "owner"} {
				in := input(data)
				in.Password = password
				var out bytes.Buffer
				_, err := s.Sign(context.Background(), in, &out, signer.Request{Key: certstest.RoleLeader, Level: ades.BLT, Reason: "Phê duyệt"})
				if strings.Contains(name, " no ") && password == "user" {
					if text.CodeOf(err) != text.PermissionDenied {
						t.Errorf("%s: error is %v", name, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s %s with %s's: %v", name, streams, password, err)
					continue
				}
				judgedByPDFSig(t, out.Bytes(), "user")
				validatesWith(t, s, out.Bytes(), "user", "owner")
			}
		}
	}
}

// validatesWith validates data with each of the passwords.
func validatesWith(t *testing.T, s *signer.Signer, data []byte, passwords ...string) {
	t.Helper()
	v := validation.Validator{Trust: s.Trust, AllowSandbox: true}
	for _, password := range passwords {
		in := validation.Input{Reader: bytes.NewReader(data), Size: int64(len(data)), Password: password}
		report, err := v.Validate(context.Background(), in, time.Now())
		if err != nil || len(report.Signatures) != 1 || report.Signatures[0].Integrity != validation.IntegrityOK || report.Signatures[0].Modifications == validation.ModificationForbidden {
			t.Errorf("with %q: %+v, %v", password, report, err)
		}
	}
	_, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(data), Size: int64(len(data))}, time.Now())
	if text.CodeOf(err) != text.PasswordRequired {
		t.Errorf("without a password: %v", err)
	}
}

func TestEncryptedFilesAreSignedSeveralTimes(t *testing.T) {
	t.Parallel()
	s := newAuthorities(t).signer()
	data := encryptWith(t, padestest.Simple(padestest.Stream, "1.7").Bytes(), []string{"256"})
	for range 3 {
		in := input(data)
		in.Password = "user"
		var out bytes.Buffer
		if _, err := s.Sign(context.Background(), in, &out, signer.Request{Key: certstest.RoleLeader, Level: ades.BT}); err != nil {
			t.Fatal(err)
		}
		data = bytes.Clone(out.Bytes())
	}
	judgedByPDFSig(t, data, "user")
}
