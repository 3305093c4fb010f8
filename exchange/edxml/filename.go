package edxml

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxFileName is what every file system in use takes with room for a suffix, in bytes.
const maxFileName = 150

// emptyName stands for a name of which nothing safe was left.
const emptyName = "tep-dinh-kem"

// SafeName returns a sender's file name made fit for showing and for a suggested
// name on export: composed letters, no path, no control or direction characters,
// no name that a device owns, at most 150 bytes with the extension kept. It is
// still no name to store under; storage goes by digest.
func SafeName(name string) string {
	name = strings.Map(safeRune, norm.NFC.String(strings.ToValidUTF8(name, "_")))
	name = strings.TrimLeft(name, ". ")
	name = strings.TrimRight(name, ". ")
	if reservedName(name) {
		name = "_" + name
	}
	if len(name) > maxFileName {
		ext := path.Ext(name)
		if len(ext) > 16 { // no extension, only a dot in a long name
			ext = ""
		}
		name = strings.TrimRight(cut(name, maxFileName-len(ext)), ". ") + ext
	}
	if name == "" {
		return emptyName
	}
	return name
}

func safeRune(r rune) rune {
	switch {
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
		return -1
	case strings.ContainsRune(`/\:*?"<>|`, r), r == 0x2044, r == 0x2215, r == 0xFF0F, r == 0xFF3C:
		return '_'
	case unicode.IsSpace(r):
		return ' '
	}
	return r
}

func cut(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// reservedName knows the device names of Windows, which no extension frees.
func reservedName(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	stem = strings.TrimRight(stem, " ")
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	device := strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")
	return device && len(stem) == 4 && stem[3] >= '0' && stem[3] <= '9'
}
