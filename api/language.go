package api

import (
	"strconv"
	"strings"

	"antin/internal/text"
)

// maxAcceptLanguage is the length in bytes beyond which an Accept-Language header
// is not read: no browser sends as much.
const maxAcceptLanguage = 1000

// language returns the language of the catalogue that an Accept-Language header
// prefers (RFC 9110, 12.5.4); Vietnamese when it names neither.
func language(header string) text.Lang {
	best, weight := text.VI, 0.0
	if len(header) > maxAcceptLanguage {
		return best
	}
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		lang, ok := text.ParseLang(primary)
		if !ok {
			continue
		}
		q := 1.0
		if v, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); found {
			parsed, err := strconv.ParseFloat(v, 64)
			if err != nil || !(parsed >= 0 && parsed <= 1) {
				continue
			}
			q = parsed
		}
		if q > weight {
			best, weight = lang, q
		}
	}
	return best
}
