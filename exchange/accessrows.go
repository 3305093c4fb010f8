package exchange

import (
	"context"
	"time"
)

// AccessRows holds accounts, sessions, tickets and API keys. The Save methods fail
// with state-conflict unless the stored version is the one that was read.
type AccessRows interface {
	// CreateAccount adds a; ErrExists when its agency has that login, or another
	// account the same certificate.
	CreateAccount(ctx context.Context, a Account) error
	// SaveAccount changes a; ErrExists when another account has its certificate.
	SaveAccount(ctx context.Context, a Account) error
	// Account returns the account id; not-found.
	Account(ctx context.Context, id ID) (Account, error)
	// AccountByLogin returns agency's account of that login, as kept; not-found.
	AccountByLogin(ctx context.Context, agency AgencyCode, login string) (Account, error)
	// Accounts returns agency's accounts of one role, or of all when role is empty,
	// sorted by login.
	Accounts(ctx context.Context, agency AgencyCode, role Role) ([]Account, error)

	// CreateSession adds s; its Account need not exist for the row's sake.
	CreateSession(ctx context.Context, s SessionRow) error
	// SaveSession records when s was last seen; not-found when it has ended.
	SaveSession(ctx context.Context, s SessionRow) error
	// Session returns the session whose token has that hash; not-found.
	Session(ctx context.Context, hash Digest) (SessionRow, error)
	// EndSession forgets one session; one that is gone is no error.
	EndSession(ctx context.Context, hash Digest) error
	// EndSessions forgets every session and ticket of account but the session keep.
	EndSessions(ctx context.Context, account ID, keep Digest) error
	// DropSessions forgets sessions and tickets that have ended by now.
	DropSessions(ctx context.Context, now time.Time) error

	CreateTicket(ctx context.Context, t TicketRow) error
	// TakeTicket returns the ticket of that hash and forgets it; not-found.
	TakeTicket(ctx context.Context, hash Digest) (TicketRow, error)

	CreateKey(ctx context.Context, k APIKey) error
	SaveKey(ctx context.Context, k APIKey) error
	// Key returns the API key id; not-found.
	Key(ctx context.Context, id ID) (APIKey, error)
	// KeyByHash returns the API key one of whose secrets has that hash; not-found.
	KeyByHash(ctx context.Context, hash Digest) (APIKey, error)
	// Keys returns agency's API keys, newest first.
	Keys(ctx context.Context, agency AgencyCode) ([]APIKey, error)
}

// SessionRow is a session as kept: the hash of its token, never the token.
type SessionRow struct {
	Hash      Digest     `json:"-"` // SHA-256 of the token
	Account   ID         `json:"account"`
	Agency    AgencyCode `json:"agency"`
	CreatedAt time.Time  `json:"created_at"`
	SeenAt    time.Time  `json:"seen_at"` // true to a minute
	ExpiresAt time.Time  `json:"expires_at"`
}

// TicketRow is a ticket as kept: the hash, never the ticket.
type TicketRow struct {
	Hash      Digest    `json:"-"`
	Account   ID        `json:"account"`
	ExpiresAt time.Time `json:"expires_at"`
}
