-- +goose Up
-- mark keeps single facts of the installation, or of one agency, by name: the newest
-- directory that was accepted, that it was restored from a backup, the wrapped keys of
-- its files.
CREATE TABLE mark (
    agency TEXT COLLATE "C" NOT NULL,
    name   TEXT COLLATE "C" NOT NULL,
    body   BYTEA NOT NULL,
    PRIMARY KEY (agency, name)
);

-- evidence_seal is a root over a run of events with its time-stamp; seals are only added.
CREATE TABLE evidence_seal (
    agency  TEXT COLLATE "C" NOT NULL,
    last    BIGINT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (agency, last)
);

-- +goose Down
DROP TABLE evidence_seal;
DROP TABLE mark;
