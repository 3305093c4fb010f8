package main

import (
	"os"
	"strings"

	"antin/internal/text"
)

// pdfPassword reads the password of encrypted PDF files from file, its end of line
// not counted. Without a file it is that of ANTIN_PDF_PASSWORD, else empty, with
// which most encrypted files open. It is for all files of the command: those that
// are not encrypted do not ask for it.
func pdfPassword(file string) (string, error) {
	if file == "" {
		return os.Getenv("ANTIN_PDF_PASSWORD"), nil
	}
	data, err := readKeyFile(file)
	if err != nil {
		return "", text.Detailed(text.FileUnreadable, err, "cli.path", file)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}
