package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"antin/exchange"
)

const (
	// shownReceivers bounds the agencies that one search shows.
	shownReceivers = 40
	// allReceivers is how many agencies are shown without a search.
	allReceivers = 12
)

// fold is s as searches compare it, words apart by one space.
func fold(s string) string { return strings.Join(strings.Fields(exchange.Fold(s)), " ") }

// receiverChoice is an agency that a document may be sent to.
type receiverChoice struct {
	Code    string
	Name    string
	Channel bool // whether it is reached from here
}

// receiversView is the third step: whom the document goes to. All of it is in the
// address, so that searching, pasting and going back lose nothing.
type receiversView struct {
	Query   string
	Chosen  []receiverChoice
	Found   []receiverChoice // without those chosen
	More    int              // found beyond those shown
	Paste   string           // lines that named nobody
	Total   int              // agencies that it may still go to
	Manual  int              // chosen without a channel
	Already int              // agencies that have it or are getting it
}

// receivers reads whom the form or address names, and what the search finds.
func (h *desk) receivers(ctx context.Context, d exchange.DocumentView, form url.Values) (receiversView, error) {
	v := receiversView{Query: strings.TrimSpace(form.Get("q"))}
	agencies, err := h.Outbox.Directory.Agencies(ctx)
	if err != nil {
		return v, err
	}
	taken := map[exchange.AgencyCode]bool{d.Agency: true}
	for _, dl := range d.Deliveries {
		if h.holds(dl) {
			taken[dl.To] = true
			v.Already++
		}
	}
	open := slices.DeleteFunc(slices.Clone(agencies), func(a exchange.Agency) bool { return taken[a.Code] })
	v.Total = len(open)
	chosen := map[exchange.AgencyCode]bool{}
	for _, code := range form["to"] {
		chosen[exchange.AgencyCode(code)] = true
	}
	named, unknown := named(open, form.Get("paste"))
	for _, code := range named {
		chosen[code] = true
	}
	v.Paste = strings.Join(unknown, "\n")
	words := strings.Fields(fold(v.Query))
	limit := shownReceivers
	if len(words) == 0 && len(open) > allReceivers {
		limit = 0 // a province has hundreds: searched, not scrolled
	}
	for _, a := range open {
		c := receiverChoice{Code: string(a.Code), Name: a.Name, Channel: h.reached(a)}
		switch {
		case chosen[a.Code]:
			v.Chosen = append(v.Chosen, c)
			if !c.Channel {
				v.Manual++
			}
		case !matches(a, words):
		case len(v.Found) < limit:
			v.Found = append(v.Found, c)
		default:
			v.More++
		}
	}
	return v, nil
}

// matches reports whether every word stands in the agency's name or code.
func matches(a exchange.Agency, words []string) bool {
	in := fold(a.Name + " " + string(a.Code))
	for _, w := range words {
		if !strings.Contains(in, w) {
			return false
		}
	}
	return true
}

// named finds the agencies that the lines of a pasted list name by code or by full
// name; a list from a spreadsheet holds both on a line.
func named(agencies []exchange.Agency, pasted string) (codes []exchange.AgencyCode, unknown []string) {
	by := map[string]exchange.AgencyCode{}
	for _, a := range agencies {
		by[fold(a.Name)] = a.Code
		by[fold(string(a.Code))] = a.Code
	}
	split := func(r rune) bool { return r == '\t' || r == ';' || r == '|' }
	for _, l := range (filled{values: url.Values{"p": {pasted}}}).lines("p") {
		found := exchange.AgencyCode("")
		for _, part := range append([]string{l}, strings.FieldsFunc(l, split)...) {
			if code, ok := by[fold(part)]; ok {
				found = code
				break
			}
		}
		if found == "" {
			unknown = append(unknown, l)
			continue
		}
		codes = append(codes, found)
	}
	return codes, unknown
}

// chosenReceivers are the agencies that a send form names, pasted ones included.
func (h *desk) chosenReceivers(r *http.Request, f filled) ([]exchange.AgencyCode, []string, error) {
	agencies, err := h.Outbox.Directory.Agencies(r.Context())
	if err != nil {
		return nil, nil, err
	}
	pasted, unknown := named(agencies, f.V("paste"))
	var out []exchange.AgencyCode
	for _, code := range f.values["to"] {
		out = append(out, exchange.AgencyCode(code))
	}
	out = append(out, pasted...)
	slices.Sort(out)
	return slices.Compact(out), unknown, nil
}
