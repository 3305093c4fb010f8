//go:build !windows

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDoctorLooksForTheTokenHelper is not parallel: the helper is found by PATH. That
// one that works is found too is shown with SoftHSM2, in interop.
func TestDoctorLooksForTheTokenHelper(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	d := probing(t, func(*Config) {})
	wantFindings(t, "no helper", looked(t, d.tokens), [2]string{findingOK, "doctor.tokens.none"})
	if err := os.WriteFile(filepath.Join(folder, "antin-pkcs11"), []byte("#!/bin/sh\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, "a helper that ends at once", looked(t, d.tokens), [2]string{findingWarn, "doctor.tokens.bad"})
}
