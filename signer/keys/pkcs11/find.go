package pkcs11

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"antin/internal/text"
)

// program is the helper's file name.
const program = "antin-pkcs11"

// FindHelper returns the path of the program antin-pkcs11: beside the running program,
// else in PATH. The error, key-unavailable, says how to build it.
func FindHelper() (string, error) {
	name := program
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		beside := filepath.Join(filepath.Dir(self), name)
		if st, err := os.Stat(beside); err == nil && st.Mode().IsRegular() {
			return beside, nil
		}
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", text.Detailed(text.KeyUnavailable, err, "token.no_helper")
	}
	return found, nil
}

// moduleFolders are where packages of vendors and distributions put their libraries.
var moduleFolders = []string{
	"/usr/lib/x86_64-linux-gnu/pkcs11", "/usr/lib/aarch64-linux-gnu/pkcs11", "/usr/lib64/pkcs11", "/usr/lib/pkcs11", "/usr/local/lib/pkcs11",
	"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib",
	"/usr/lib/x86_64-linux-gnu/softhsm", "/usr/lib/aarch64-linux-gnu/softhsm", "/usr/lib64/softhsm", "/usr/lib/softhsm",
}

// module returns the path of the library that u names: module-path, else module-name
// in the usual folders, else fallback.
func (u URI) module(fallback string) (string, error) {
	path := u.ModulePath
	if path == "" && u.ModuleName == "" {
		path = fallback
	}
	if path != "" {
		if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() {
			return "", text.Detailed(text.KeyUnavailable, err, "token.module_missing", path)
		}
		return path, nil
	}
	if u.ModuleName == "" {
		return "", text.Detailed(text.InvalidInput, nil, "token.module_unnamed")
	}
	for _, dir := range moduleFolders {
		for _, name := range []string{u.ModuleName + ".so", "lib" + u.ModuleName + ".so"} {
			path := filepath.Join(dir, name)
			if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
				return path, nil
			}
		}
	}
	return "", text.Detailed(text.KeyUnavailable, nil, "token.module_missing", u.ModuleName)
}
