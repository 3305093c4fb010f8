package exchange

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"antin/internal/text"
)

// FindRows holds what an operator looks for by an id that somebody reads out.
type FindRows interface {
	// DeliveriesByTransfer returns agency's outgoing deliveries under a transfer id.
	DeliveriesByTransfer(ctx context.Context, agency AgencyCode, id TransferID) ([]Delivery, error)
	// TransfersByID returns the incoming transfers of that id, of whichever sender.
	TransfersByID(ctx context.Context, recipient AgencyCode, id TransferID) ([]Transfer, error)
	// SubjectsByTrace returns at most limit of agency's deliveries, and of its inbox items,
	// that belong to a trace, by its 32 hexadecimal digits, oldest first.
	SubjectsByTrace(ctx context.Context, agency AgencyCode, trace string, limit int) ([]Delivery, []ID, error)
	// AddTrouble keeps x; ErrExists when its trace is taken. Of an agency's, about the
	// newest keep stay.
	AddTrouble(ctx context.Context, x Trouble, keep int) error
	// Trouble returns the failure shown under trace; not-found.
	Trouble(ctx context.Context, agency AgencyCode, trace string) (Trouble, error)
}

// Trouble is a failure of our own side, as whoever met it saw no more of than an id.
type Trouble struct {
	Agency AgencyCode `json:"agency"`
	Trace  string     `json:"trace"` // as it was shown, in lower case
	At     time.Time  `json:"at"`
	Where  string     `json:"where"` // "page", or the method and path of the API
	// What is the program's own word on it, in no language of the catalogue: it is for
	// the operator and the program's authors, never for the page that showed the id.
	What string `json:"what"`
}

// Finder finds what an id stands for that somebody reads out on the telephone. Its
// fields are set once, before use; its methods are safe for concurrent use.
type Finder struct {
	Store Store
	// Directory names agencies for Search; nil: it finds none by name.
	Directory Directory
	Now       func() time.Time
}

// Found is what an id stands for; the zero value found nothing.
type Found struct {
	// Subjects are documents, results and inbox items, whose timelines tell the rest.
	Subjects []ID
	// Transfers are those that came in under the id, also when they were refused and
	// nothing was made of them.
	Transfers []Transfer
	// Trouble is the failure that was shown under the id; nil when none was.
	Trouble *Trouble
}

// IsZero reports whether nothing was found.
func (f Found) IsZero() bool {
	return len(f.Subjects) == 0 && len(f.Transfers) == 0 && f.Trouble == nil
}

const (
	// maxTroubles is how many failures are remembered for one agency: weeks of a
	// gateway that works, and a bound for one that does not.
	maxTroubles = 10_000
	// maxTrouble bounds the words kept on one failure, in bytes.
	maxTrouble = 2000
	// maxTraced bounds what is told of one trace: the receivers of one document, and more
	// would say nothing new.
	maxTraced = 1000
	// maxTrace bounds an id that is looked for, in bytes: longer than any that was shown.
	maxTrace = 64
)

// Find looks for the transfer or the failure that id names; spaces around it and
// capitals do not matter. Finding nothing is no error. Errors: not-allowed.
func (f *Finder) Find(ctx context.Context, operator Actor, id string) (out Found, err error) {
	if err := operator.may(RoleOperator); err != nil {
		return Found{}, err
	}
	id = strings.ToLower(strings.TrimSpace(id))
	if id == "" || len(id) > maxTrace || !utf8.ValidString(id) || strings.ContainsRune(id, 0) { // no id holds those, nor can every engine be asked
		return Found{}, nil
	}
	err = f.Store.View(ctx, func(tx Tx) error {
		out = Found{}
		deliveries, err := tx.DeliveriesByTransfer(ctx, operator.Agency, TransferID(id))
		if err != nil {
			return err
		}
		for _, d := range deliveries {
			out.add(d.timeline())
		}
		if out.Transfers, err = tx.TransfersByID(ctx, operator.Agency, TransferID(id)); err != nil {
			return err
		}
		for _, t := range out.Transfers {
			out.add(t.Item)
		}
		traced, items, err := tx.SubjectsByTrace(ctx, operator.Agency, id, maxTraced)
		if err != nil {
			return err
		}
		for _, d := range traced {
			out.add(d.timeline())
		}
		for _, i := range items {
			out.add(i)
		}
		trouble, err := tx.Trouble(ctx, operator.Agency, id)
		if text.CodeOf(err) == text.NotFound {
			return nil
		}
		out.Trouble = &trouble
		return err
	})
	return out, err
}

func (f *Found) add(id ID) {
	if id != "" && !slices.Contains(f.Subjects, id) {
		f.Subjects = append(f.Subjects, id)
	}
}

// Note remembers a failure of our own side that was shown under trace, so that Find
// can tell of it. Errors: storage-full, or the engine's; the failure then stands in
// the program's log alone.
func (f *Finder) Note(ctx context.Context, agency AgencyCode, trace, where string, failure error) error {
	trace = strings.ToLower(trace)
	if trace == "" || len(trace) > maxTrace || failure == nil {
		return nil
	}
	x := Trouble{Agency: agency, Trace: trace, At: f.Now().UTC(), Where: clipBytes(where, maxTrace*2), What: clipBytes(failure.Error(), maxTrouble)}
	err := f.Store.Update(ctx, func(tx Tx) error { return tx.AddTrouble(ctx, x, maxTroubles) })
	if errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// clipBytes cuts s to at most n bytes, between characters.
func clipBytes(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "�")
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return strings.ToValidUTF8(s[:n], "�")
}
