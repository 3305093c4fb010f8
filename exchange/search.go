package exchange

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"antin/internal/text"
)

// HitKind says what a Hit is.
type HitKind string

// The kinds of hit.
const (
	HitDocument HitKind = "document"
	HitInbox    HitKind = "inbox"
	HitResult   HitKind = "result"
	HitDelivery HitKind = "delivery"
	HitLane     HitKind = "lane" // everything that goes to an agency
)

// Hit is one thing that a search of those who look after the exchange found: that it
// is there and how it stands, never its subject or content.
type Hit struct {
	Kind HitKind
	// ID is what has the timeline; for a lane the code of the agency.
	ID     ID
	Number string // số, ký hiệu; empty when it has none
	Peers  string // the other side, by name where it is known
	// State is a Stage, InboxState or DeliveryState by Kind; empty for a lane.
	State string
	At    time.Time // when it was made or came in; zero for a lane
}

// Hits is what a search found; the zero value found nothing.
type Hits struct {
	Hits []Hit
	// ByID reports that what was looked for is the id of an object, transfer or trace.
	ByID bool
	// Transfers came in under the id asked for and left no more than their answer.
	Transfers []Transfer
	// Trouble is the failure that was shown under the id; told to operators only.
	Trouble *Trouble
}

// IsZero reports whether nothing was found.
func (h Hits) IsZero() bool { return len(h.Hits) == 0 && len(h.Transfers) == 0 && h.Trouble == nil }

const (
	// maxHits bounds what a search tells of each kind; who finds more narrows it.
	maxHits = 30
	// maxSearch bounds what is looked for, in bytes.
	maxSearch = 1000
)

// Search looks among documents, incoming items, results and agencies for the number,
// organisation (name or code, without diacritics) or person that query names, and for
// the id of an object, transfer or trace. Finding nothing is no error. Errors:
// not-allowed.
func (f *Finder) Search(ctx context.Context, actor Actor, query string) (Hits, error) {
	if actor.Agency == "" || !slices.Contains(operators, actor.Role) {
		return Hits{}, text.Errorf(text.NotAllowed, nil)
	}
	query = strings.TrimSpace(query)
	if query == "" || len(query) > maxSearch || !utf8.ValidString(query) || strings.ContainsRune(query, 0) {
		return Hits{}, nil
	}
	var out Hits
	if !strings.ContainsAny(query, " \t\n") {
		if err := f.searchID(ctx, actor, query, &out); err != nil {
			return Hits{}, err
		}
	}
	err := f.Store.View(ctx, func(tx Tx) error {
		found, err := searchLists(ctx, tx, actor.Agency, query)
		for _, h := range found {
			out.add(h)
		}
		return err
	})
	if err == nil && f.Directory != nil {
		err = f.searchAgencies(ctx, actor.Agency, query, &out)
	}
	return out, err
}

func (h *Hits) add(x Hit) {
	if !slices.ContainsFunc(h.Hits, func(o Hit) bool { return o.ID == x.ID }) {
		h.Hits = append(h.Hits, x)
	}
}

// searchID adds what query is the id of.
func (f *Finder) searchID(ctx context.Context, actor Actor, query string, out *Hits) error {
	asOperator := actor
	asOperator.Role = RoleOperator
	found, err := f.Find(ctx, asOperator, query)
	if err != nil {
		return err
	}
	if actor.Role == RoleOperator { // the program's own words are for who looks after it
		out.Trouble = found.Trouble
	}
	for _, t := range found.Transfers {
		if t.Item == "" {
			out.Transfers = append(out.Transfers, t)
		}
	}
	return f.Store.View(ctx, func(tx Tx) error {
		for _, id := range append([]ID{ID(query)}, found.Subjects...) {
			h, ok, err := hitOf(ctx, tx, actor.Agency, id)
			if err != nil {
				return err
			}
			if ok {
				out.ByID = true
				out.add(h)
			}
		}
		return nil
	})
}

// hitOf is what id names, if that is the agency's.
func hitOf(ctx context.Context, tx Tx, agency AgencyCode, id ID) (h Hit, ok bool, err error) {
	var owner AgencyCode
	switch {
	case id.Has(PrefixDocument):
		d, failed := tx.Document(ctx, id)
		h, owner, err = documentHit(d), d.Agency, failed
	case id.Has(PrefixInbox):
		i, failed := tx.InboxItem(ctx, id)
		h, owner, err = itemHit(i), i.Agency, failed
	case id.Has(PrefixResult):
		r, failed := tx.Result(ctx, id)
		h, owner, err = resultHit(r), r.Agency, failed
	case id.Has(PrefixDelivery):
		d, failed := tx.Delivery(ctx, id)
		h, owner, err = Hit{Kind: HitDelivery, ID: d.ID, Peers: string(d.To), State: string(d.State), At: d.CreatedAt}, d.Agency, failed
	default:
		return Hit{}, false, nil
	}
	if text.CodeOf(err) == text.NotFound {
		return Hit{}, false, nil
	}
	return h, err == nil && owner == agency, err
}

func documentHit(d Document) Hit {
	return Hit{Kind: HitDocument, ID: d.ID, Number: d.Issuance.Number.String(), Peers: d.Receivers, State: string(d.Issuance.Stage()), At: d.CreatedAt}
}

func itemHit(i InboxItem) Hit {
	from := i.FromName
	if from == "" {
		from = string(i.From)
	}
	return Hit{Kind: HitInbox, ID: i.ID, Number: i.Header.FullNumber(), Peers: from, State: string(i.State), At: i.ReceivedAt}
}

func resultHit(r Result) Hit {
	return Hit{Kind: HitResult, ID: r.ID, Number: r.Issuance.Number.String(), State: string(r.Issuance.Stage()), At: r.CreatedAt}
}

// searchLists finds query among the lists, by the words that each is found by.
func searchLists(ctx context.Context, tx Tx, agency AgencyCode, query string) (out []Hit, err error) {
	page := Page{Limit: maxHits}
	docs, err := tx.DocumentList(ctx, agency, DocumentFilter{Page: page, Text: query})
	if err != nil {
		return nil, err
	}
	for _, d := range docs {
		out = append(out, documentHit(d))
	}
	items, err := tx.InboxItems(ctx, agency, InboxFilter{Page: page, Text: query})
	if err != nil {
		return nil, err
	}
	for _, i := range items {
		out = append(out, itemHit(i))
	}
	results, err := tx.ResultList(ctx, agency, ResultFilter{Page: page, Text: query})
	for _, r := range results {
		out = append(out, resultHit(r))
	}
	return out, err
}

// searchAgencies adds the ways to the agencies that hold every word of query in name
// or code.
func (f *Finder) searchAgencies(ctx context.Context, own AgencyCode, query string, out *Hits) error {
	all, err := f.Directory.Agencies(ctx)
	if err != nil {
		return err
	}
	words, n := Words(query), 0
	for _, a := range all {
		if a.Code == own || len(words) == 0 {
			continue
		}
		held := Words(a.Name, string(a.Code))
		if slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(held, w) }) {
			continue
		}
		if n++; n > maxHits {
			break
		}
		out.add(Hit{Kind: HitLane, ID: ID(a.Code), Peers: a.Name})
	}
	return nil
}
