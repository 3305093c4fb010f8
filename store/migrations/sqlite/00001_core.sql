-- +goose Up
-- Aggregates keep their body as JSON beside the columns that identity, order and
-- queries need. version grows with each save. Times are microseconds since 1970 UTC.

CREATE TABLE document (
    id          TEXT PRIMARY KEY,
    agency      TEXT NOT NULL,
    document_id TEXT NOT NULL,
    version     INTEGER NOT NULL,
    body        TEXT NOT NULL
);
CREATE INDEX document_list ON document (agency, id);
CREATE UNIQUE INDEX document_number ON document (agency, document_id) WHERE document_id <> '';

CREATE TABLE result (
    id      TEXT PRIMARY KEY,
    agency  TEXT NOT NULL,
    token   TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
);
CREATE INDEX result_list ON result (agency, id);

CREATE TABLE delivery (
    id          TEXT PRIMARY KEY,
    agency      TEXT NOT NULL,
    receiver    TEXT NOT NULL,
    subject     TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    state       TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    body        TEXT NOT NULL,
    UNIQUE (receiver, agency, transfer_id)
);
CREATE INDEX delivery_subject ON delivery (subject, id);
CREATE INDEX delivery_due ON delivery (agency, receiver, next_at) WHERE state IN ('READY', 'UNKNOWN_EXPIRED');

CREATE TABLE lane (
    agency   TEXT NOT NULL,
    receiver TEXT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (agency, receiver)
);

CREATE TABLE transfer (
    recipient   TEXT NOT NULL,
    sender      TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (recipient, sender, transfer_id)
);

CREATE TABLE inbox (
    id          TEXT PRIMARY KEY,
    agency      TEXT NOT NULL,
    sender      TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    kind        TEXT NOT NULL,
    state       TEXT NOT NULL,
    header_from TEXT NOT NULL,
    document_id TEXT NOT NULL,
    version     INTEGER NOT NULL,
    body        TEXT NOT NULL,
    UNIQUE (agency, sender, transfer_id)
);
CREATE INDEX inbox_list ON inbox (agency, kind, id);
CREATE INDEX inbox_state ON inbox (state, id);
CREATE INDEX inbox_document ON inbox (agency, header_from, document_id) WHERE document_id <> '';

CREATE TABLE status (
    n       INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,
    body    TEXT NOT NULL
);
CREATE INDEX status_subject ON status (subject, n);

CREATE TABLE register (
    agency  TEXT NOT NULL,
    book    TEXT NOT NULL,
    year    INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    subject TEXT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (agency, book, year, seq),
    UNIQUE (agency, book, subject)
);

CREATE TABLE event (
    agency  TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    subject TEXT NOT NULL,
    parent  TEXT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (agency, seq)
);
CREATE INDEX event_subject ON event (subject, seq);
CREATE INDEX event_parent ON event (parent, seq) WHERE parent <> '';

CREATE TABLE answer (
    agency TEXT NOT NULL,
    key    TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (agency, key)
);

-- wake holds what is queued and not started yet; it only saves needless jobs.
CREATE TABLE wake (
    kind TEXT NOT NULL,
    key  TEXT NOT NULL,
    at   INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
);

-- blob holds the bytes of small blobs; greater ones are files. blob_ref says which
-- blobs of either sort a row names: the sweeper spares them.
CREATE TABLE blob (
    digest    TEXT PRIMARY KEY,
    stored_at INTEGER NOT NULL,
    data      BLOB NOT NULL
);
CREATE TABLE blob_ref (
    digest TEXT NOT NULL,
    owner  TEXT NOT NULL,
    PRIMARY KEY (digest, owner)
) WITHOUT ROWID;

-- What is evidence can be added to and never changed.
-- +goose StatementBegin
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER status_no_update BEFORE UPDATE ON status BEGIN SELECT RAISE(ABORT, 'status is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER status_no_delete BEFORE DELETE ON status BEGIN SELECT RAISE(ABORT, 'status is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER register_no_update BEFORE UPDATE ON register BEGIN SELECT RAISE(ABORT, 'register is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER register_no_delete BEFORE DELETE ON register BEGIN SELECT RAISE(ABORT, 'register is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER transfer_no_update BEFORE UPDATE ON transfer BEGIN SELECT RAISE(ABORT, 'transfer is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER transfer_no_delete BEFORE DELETE ON transfer BEGIN SELECT RAISE(ABORT, 'transfer is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE blob_ref;
DROP TABLE blob;
DROP TABLE wake;
DROP TABLE answer;
DROP TABLE event;
DROP TABLE register;
DROP TABLE status;
DROP TABLE inbox;
DROP TABLE transfer;
DROP TABLE lane;
DROP TABLE delivery;
DROP TABLE result;
DROP TABLE document;
