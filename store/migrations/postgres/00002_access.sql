-- +goose Up
-- Who may come in. Secrets are kept as hashes only.

CREATE TABLE account (
    id          TEXT COLLATE "C" PRIMARY KEY,
    agency      TEXT COLLATE "C" NOT NULL,
    login       TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    certificate TEXT COLLATE "C" NOT NULL, -- SHA-256 of the bound certificate's public key, '' without one
    version     BIGINT NOT NULL,
    body        TEXT NOT NULL,
    UNIQUE (agency, login)
);
CREATE INDEX account_role ON account (agency, role, login);
CREATE UNIQUE INDEX account_certificate ON account (certificate) WHERE certificate <> '';

CREATE TABLE session (
    hash       TEXT COLLATE "C" PRIMARY KEY,
    account    TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    body       TEXT NOT NULL
);
CREATE INDEX session_account ON session (account);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE ticket (
    hash       TEXT COLLATE "C" PRIMARY KEY,
    account    TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    body       TEXT NOT NULL
);
CREATE INDEX ticket_account ON ticket (account);
CREATE INDEX ticket_expires ON ticket (expires_at);

CREATE TABLE api_key (
    id       TEXT COLLATE "C" PRIMARY KEY,
    agency   TEXT COLLATE "C" NOT NULL,
    hash     TEXT COLLATE "C" NOT NULL UNIQUE,
    old_hash TEXT COLLATE "C" NOT NULL, -- of the secret before, '' without one
    version  BIGINT NOT NULL,
    body     TEXT NOT NULL
);
CREATE INDEX api_key_list ON api_key (agency, id);
CREATE UNIQUE INDEX api_key_old ON api_key (old_hash) WHERE old_hash <> '';

-- +goose Down
DROP TABLE api_key;
DROP TABLE ticket;
DROP TABLE session;
DROP TABLE account;
