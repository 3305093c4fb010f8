package store

import (
	"context"
	"time"

	"antin/exchange"
)

// CreateAccount implements exchange.AccessRows.
func (t *tx) CreateAccount(ctx context.Context, a exchange.Account) error {
	body, err := encode(a)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO account (id, agency, login, role, certificate, version, body) VALUES ($1, $2, $3, $4, $5, 1, $6)`,
		a.ID, a.Agency, a.Login, a.Role, a.CertificateKey(), body)
}

// SaveAccount implements exchange.AccessRows.
func (t *tx) SaveAccount(ctx context.Context, a exchange.Account) error {
	body, err := encode(a)
	if err != nil {
		return err
	}
	key := a.CertificateKey()
	if key != "" {
		// Asked for rather than left to the index: a statement that fails there would end
		// the transaction on PostgreSQL.
		var taken int
		if err := t.QueryRowContext(ctx, `SELECT count(*) FROM account WHERE certificate = $1 AND certificate <> '' AND id <> $2`, key, a.ID).Scan(&taken); err != nil {
			return err
		}
		if taken > 0 {
			return exchange.ErrExists
		}
	}
	return t.save(ctx, a.ID, `UPDATE account SET role = $1, certificate = $2, body = $3, version = version + 1 WHERE id = $4 AND version = $5`,
		a.Role, key, body, a.ID, a.Version)
}

func account(r row[exchange.Account]) exchange.Account {
	r.body.Version = r.version
	return r.body
}

// Account implements exchange.AccessRows.
func (t *tx) Account(ctx context.Context, id exchange.ID) (exchange.Account, error) {
	r, err := one[exchange.Account](ctx, t, `SELECT body, version FROM account WHERE id = $1`, id)
	return account(r), err
}

// AccountByLogin implements exchange.AccessRows.
func (t *tx) AccountByLogin(ctx context.Context, agency exchange.AgencyCode, login string) (exchange.Account, error) {
	r, err := one[exchange.Account](ctx, t, `SELECT body, version FROM account WHERE agency = $1 AND login = $2`, agency, login)
	return account(r), err
}

// Accounts implements exchange.AccessRows.
func (t *tx) Accounts(ctx context.Context, agency exchange.AgencyCode, role exchange.Role) ([]exchange.Account, error) {
	if role == "" {
		rows, err := many[exchange.Account](ctx, t, `SELECT body, version FROM account WHERE agency = $1 ORDER BY login`, agency)
		return each(rows, account), err
	}
	rows, err := many[exchange.Account](ctx, t, `SELECT body, version FROM account WHERE agency = $1 AND role = $2 ORDER BY login`, agency, role)
	return each(rows, account), err
}

// CreateSession implements exchange.AccessRows.
func (t *tx) CreateSession(ctx context.Context, s exchange.SessionRow) error {
	body, err := encode(s)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO session (hash, account, expires_at, body) VALUES ($1, $2, $3, $4)`, s.Hash, s.Account, micros(s.ExpiresAt), body)
}

// SaveSession implements exchange.AccessRows.
func (t *tx) SaveSession(ctx context.Context, s exchange.SessionRow) error {
	body, err := encode(s)
	if err != nil {
		return err
	}
	_, err = one[exchange.SessionRow](ctx, t, `UPDATE session SET body = $1 WHERE hash = $2 RETURNING body, 0`, body, s.Hash)
	return err
}

// Session implements exchange.AccessRows.
func (t *tx) Session(ctx context.Context, hash exchange.Digest) (exchange.SessionRow, error) {
	r, err := one[exchange.SessionRow](ctx, t, `SELECT body, 0 FROM session WHERE hash = $1`, hash)
	r.body.Hash = hash
	return r.body, err
}

// EndSession implements exchange.AccessRows.
func (t *tx) EndSession(ctx context.Context, hash exchange.Digest) error {
	_, err := t.ExecContext(ctx, `DELETE FROM session WHERE hash = $1`, hash)
	return err
}

// EndSessions implements exchange.AccessRows.
func (t *tx) EndSessions(ctx context.Context, account exchange.ID, keep exchange.Digest) error {
	if _, err := t.ExecContext(ctx, `DELETE FROM ticket WHERE account = $1`, account); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `DELETE FROM session WHERE account = $1 AND hash <> $2`, account, keep)
	return err
}

// DropSessions implements exchange.AccessRows.
func (t *tx) DropSessions(ctx context.Context, now time.Time) error {
	if _, err := t.ExecContext(ctx, `DELETE FROM ticket WHERE expires_at <= $1`, micros(now)); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `DELETE FROM session WHERE expires_at <= $1`, micros(now))
	return err
}

// CreateTicket implements exchange.AccessRows.
func (t *tx) CreateTicket(ctx context.Context, k exchange.TicketRow) error {
	body, err := encode(k)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO ticket (hash, account, expires_at, body) VALUES ($1, $2, $3, $4)`, k.Hash, k.Account, micros(k.ExpiresAt), body)
}

// TakeTicket implements exchange.AccessRows.
func (t *tx) TakeTicket(ctx context.Context, hash exchange.Digest) (exchange.TicketRow, error) {
	r, err := one[exchange.TicketRow](ctx, t, `DELETE FROM ticket WHERE hash = $1 RETURNING body, 0`, hash)
	r.body.Hash = hash
	return r.body, err
}

// CreateKey implements exchange.AccessRows.
func (t *tx) CreateKey(ctx context.Context, k exchange.APIKey) error {
	body, err := encode(k)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO api_key (id, agency, hash, old_hash, version, body) VALUES ($1, $2, $3, $4, 1, $5)`,
		k.ID, k.Agency, k.Hash, k.OldHash, body)
}

// SaveKey implements exchange.AccessRows.
func (t *tx) SaveKey(ctx context.Context, k exchange.APIKey) error {
	body, err := encode(k)
	if err != nil {
		return err
	}
	return t.save(ctx, k.ID, `UPDATE api_key SET hash = $1, old_hash = $2, body = $3, version = version + 1 WHERE id = $4 AND version = $5`,
		k.Hash, k.OldHash, body, k.ID, k.Version)
}

func apiKey(r row[exchange.APIKey]) exchange.APIKey {
	r.body.Version = r.version
	return r.body
}

// Key implements exchange.AccessRows.
func (t *tx) Key(ctx context.Context, id exchange.ID) (exchange.APIKey, error) {
	r, err := one[exchange.APIKey](ctx, t, `SELECT body, version FROM api_key WHERE id = $1`, id)
	return apiKey(r), err
}

// KeyByHash implements exchange.AccessRows.
func (t *tx) KeyByHash(ctx context.Context, hash exchange.Digest) (exchange.APIKey, error) {
	r, err := one[exchange.APIKey](ctx, t,
		`SELECT body, version FROM api_key WHERE hash = $1 OR (old_hash = $1 AND old_hash <> '')`, hash)
	return apiKey(r), err
}

// Keys implements exchange.AccessRows.
func (t *tx) Keys(ctx context.Context, agency exchange.AgencyCode) ([]exchange.APIKey, error) {
	rows, err := many[exchange.APIKey](ctx, t, `SELECT body, version FROM api_key WHERE agency = $1 ORDER BY id DESC`, agency)
	return each(rows, apiKey), err
}
