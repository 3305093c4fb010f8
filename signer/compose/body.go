package compose

import (
	"regexp"
	"strings"
	"unicode"

	"antin/signer/pdf/font"
)

// article matches the opening of an article, which is set in bold.
var article = regexp.MustCompile(`^(Điều \d+[a-zđ]?\.)\s*(.*)$`)

// Text makes a body of plain text: every line is a paragraph, empty lines are
// dropped. A line that opens an article ("Điều 1.") gets its lead in bold, the
// legal grounds of a decision ("Căn cứ …", "Theo đề nghị …", "Xét …") are in italics as far
// as they stand before anything else, and a short line in capitals with a colon
// ("QUYẾT ĐỊNH:") is a heading.
func Text(s string) []Block {
	var blocks []Block
	grounds := true
	for _, line := range strings.Split(s, "\n") {
		line = strings.TrimSpace(font.Normalise(line))
		switch m := article.FindStringSubmatch(line); {
		case line == "":
		case isHeading(line):
			blocks = append(blocks, Heading{line})
			grounds = false
		case m != nil:
			blocks = append(blocks, Paragraph{Lead: m[1], Text: m[2]})
			grounds = false
		case grounds && isGround(line):
			blocks = append(blocks, Paragraph{Text: line, Italic: true})
		default:
			blocks = append(blocks, Paragraph{Text: line})
		}
	}
	return blocks
}

func isGround(line string) bool {
	for _, opening := range []string{"Căn cứ ", "Theo đề nghị ", "Xét "} {
		if strings.HasPrefix(line, opening) {
			return true
		}
	}
	return false
}

// headingLimit is the longest heading in bytes; longer lines in capitals are text.
const headingLimit = 80

func isHeading(line string) bool {
	return len(line) <= headingLimit && strings.HasSuffix(line, ":") && strings.ContainsFunc(line, unicode.IsUpper) &&
		!strings.ContainsFunc(line, unicode.IsLower)
}
