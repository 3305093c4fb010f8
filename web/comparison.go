package web

import (
	"slices"
	"strconv"
	"strings"

	"antin/internal/text"
	"antin/signer/validation"
)

// comparison is a document as it is beside one of its signed versions.
type comparison struct {
	Versions []versionLink
	Who      string // whose signed version
	Say      string // what came of it, plainly
	Class    string
	Slider   bool // some page is shown in both versions

	length                     int64 // of the signed version; 0: there is none
	pages                      []int // to be drawn twice
	compared, differs, missing []int
	pending                    bool
	reason                     string // why nothing is compared
}

// versionLink leads to the comparison with another signed version.
type versionLink struct {
	Label   string
	URL     string
	Current bool
}

// wants reports whether page n is to be compared.
func (c *comparison) wants(n int) bool { return c.length > 0 && slices.Contains(c.pages, n) }

// compare chooses the signed version and the pages to be looked at in both.
func (x exhibit) compare(p *page) *comparison {
	c := &comparison{Class: "none"}
	if x.report == nil {
		return c
	}
	versions := signedVersions(x.report)
	if len(versions) == 0 {
		c.reason = p.say(noVersion(x.report))
		return c
	}
	at := chosenVersion(x.report, versions)
	if asked, err := strconv.ParseInt(p.query.Get("signed"), 10, 64); x.paged && err == nil {
		for i, v := range versions {
			if v.Covers.Bytes == asked {
				at = i
			}
		}
	}
	c.length, c.Who = versions[at].Covers.Bytes, x.who(p, versions[at])
	for i, v := range versions {
		if x.paged && len(versions) > 1 {
			url := withLang(addressOf(*p, "signed", strconv.FormatInt(v.Covers.Bytes, 10)), p.Lang)
			c.Versions = append(c.Versions, versionLink{Label: p.say("web.compare.by", x.who(p, v)), URL: url, Current: i == at})
		}
	}
	c.pages = differing(x.report, versions[at], x.compared)
	return c
}

func (x exhibit) who(p *page, s validation.Signature) string {
	return viewSignature(p.Lang, s, x.from).Who
}

// signedVersions are the signatures whose bytes are what was signed, and after
// which the file went on; each version once, oldest first.
func signedVersions(r *validation.Report) (out []validation.Signature) {
	for _, s := range r.Signatures {
		if s.Integrity != validation.IntegrityOK || s.Covers.Bytes <= 0 || s.Covers.WholeFile {
			continue
		}
		if !slices.ContainsFunc(out, func(o validation.Signature) bool { return o.Covers.Bytes == s.Covers.Bytes }) {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b validation.Signature) int { return a.Covers.Revision - b.Covers.Revision })
	return out
}

// noVersion says why there is nothing to compare with.
func noVersion(r *validation.Report) text.Key {
	switch {
	case len(r.Signatures) == 0:
		return "web.compare.unsigned"
	case slices.ContainsFunc(r.Signatures, func(s validation.Signature) bool { return s.Integrity == validation.IntegrityOK && s.Covers.WholeFile }):
		return "web.compare.same"
	}
	return "web.compare.lost"
}

// chosenVersion is the version a reader most likely asks for: the newest one after
// which something happened that is not permitted, else the oldest after which
// anything was to be seen, else the newest.
func chosenVersion(r *validation.Report, versions []validation.Signature) int {
	for i := len(versions) - 1; i >= 0; i-- {
		if slices.ContainsFunc(after(r, versions[i]), func(c validation.Change) bool { return !c.Allowed }) {
			return i
		}
	}
	for i, v := range versions {
		if slices.ContainsFunc(after(r, v), func(c validation.Change) bool { return c.Kind != validation.ChangeEvidence && c.Page > 0 }) {
			return i
		}
	}
	return len(versions) - 1
}

// after are the changes made after the version that s covers.
func after(r *validation.Report, s validation.Signature) (out []validation.Change) {
	for _, c := range r.Changes {
		if c.AfterRevision >= s.Covers.Revision {
			out = append(out, c)
		}
	}
	return out
}

// differing are the pages worth drawing twice: those that the report names, and,
// where a change without a page was not permitted, the first ones as well.
func differing(r *validation.Report, s validation.Signature, limit int) (out []int) {
	anywhere := false
	for _, c := range after(r, s) {
		if c.Kind == validation.ChangeEvidence && c.Allowed {
			continue
		}
		anywhere = anywhere || c.Page == 0 && !c.Allowed
		for _, n := range append([]int{c.Page}, pagesOf(c.Words)...) {
			if n > 0 && !slices.Contains(out, n) && len(out) < limit {
				out = append(out, n)
			}
		}
	}
	for n := 1; anywhere && len(out) < limit && n <= limit; n++ {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

func pagesOf(words []validation.Wording) (out []int) {
	for _, w := range words {
		out = append(out, w.Page)
	}
	return out
}

// conclude says in a sentence what the comparison came to.
func (c *comparison) conclude(p *page, sheets []paperPage) {
	for _, s := range sheets {
		c.Slider = c.Slider || s.Was != ""
	}
	switch {
	case c.reason != "":
		c.Say = c.reason
	case c.length == 0:
	case c.pending:
		c.Say = p.say("web.compare.pending")
	case len(c.differs) > 0:
		c.Class, c.Say = "warn", p.say("web.compare.differs", c.Who, numbers(c.differs))
	case len(c.missing) > 0:
		c.Class, c.Say = "warn", p.say("web.compare.missing", c.Who, numbers(c.missing))
	case len(c.compared) > 0:
		c.Say = p.say("web.compare.equal", c.Who, numbers(c.compared))
	case len(c.pages) > 0:
		c.Say = p.say("web.compare.elsewhere", c.Who, numbers(c.pages))
	default:
		c.Say = p.say("web.compare.nothing", c.Who)
	}
}

func numbers(of []int) string {
	out := make([]string, len(of))
	for i, n := range of {
		out[i] = strconv.Itoa(n)
	}
	return strings.Join(out, ", ")
}
