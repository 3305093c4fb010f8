package main

import (
	"os"
	"path/filepath"
	"strings"

	"antin/certs"
	"antin/internal/text"
)

// maxTrustFiles bounds how many files of a folder given with --trust are read.
const maxTrustFiles = 10_000

// loadTrust reads the anchors that --trust names: files of certificates (PEM, DER,
// .p7b) or folders of them. Without any, nothing is trusted. sandbox tells whether
// one of them carries the mark of test data.
func loadTrust(paths []string) (anchors certs.Anchors, sandbox bool, err error) {
	for _, p := range paths {
		files, err := trustFiles(p)
		if err != nil {
			return nil, false, err
		}
		for _, f := range files {
			data, err := readKeyFile(f)
			if err != nil {
				return nil, false, err
			}
			list, err := certs.ParseBundle(data)
			if err != nil {
				return nil, false, text.Detailed(text.InvalidInput, err, "cli.trust_unreadable", f)
			}
			anchors = append(anchors, list...)
		}
	}
	for _, a := range anchors {
		sandbox = sandbox || a.Sandbox
	}
	return anchors, sandbox, nil
}

// trustFiles lists what p names; in a folder only files that look like certificates.
func trustFiles(p string) ([]string, error) {
	st, err := os.Stat(p)
	if err != nil {
		return nil, inputError(p, err)
	}
	if !st.IsDir() {
		return []string{p}, nil
	}
	entries, err := os.ReadDir(p)
	if err != nil {
		return nil, inputError(p, err)
	}
	var files []string
	for _, entry := range entries {
		switch strings.ToLower(filepath.Ext(entry.Name())) {
		case ".pem", ".crt", ".cer", ".der", ".p7b", ".p7c":
			files = append(files, filepath.Join(p, entry.Name()))
		}
		if len(files) > maxTrustFiles {
			return nil, text.Detailed(text.LimitExceeded, nil, "cli.path", p)
		}
	}
	if len(files) == 0 {
		return nil, text.Detailed(text.InvalidInput, nil, "cli.trust_empty", p)
	}
	return files, nil
}
