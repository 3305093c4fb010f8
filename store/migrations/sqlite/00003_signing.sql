-- +goose Up
-- A signing is a document prepared for a signature that a person, or the agency's
-- seal, has yet to give. done is 0 until it was given, in microseconds since 1970 UTC.

CREATE TABLE signing (
    id      TEXT PRIMARY KEY,
    agency  TEXT NOT NULL,
    subject TEXT NOT NULL,
    kind    TEXT NOT NULL,
    done    INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
);
CREATE INDEX signing_open ON signing (subject, kind, id) WHERE done = 0;
