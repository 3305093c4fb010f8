-- +goose Up
-- mark keeps single facts of the installation, or of one agency, by name: the newest
-- directory that was accepted, that it was restored from a backup, the wrapped keys of
-- its files.
CREATE TABLE mark (
    agency TEXT NOT NULL,
    name   TEXT NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (agency, name)
);

-- evidence_seal is a root over a run of events with its time-stamp; seals are only added.
CREATE TABLE evidence_seal (
    agency  TEXT NOT NULL,
    last    INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (agency, last)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE evidence_seal;
DROP TABLE mark;
