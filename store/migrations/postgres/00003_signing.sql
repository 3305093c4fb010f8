-- +goose Up
-- A signing is a document prepared for a signature that a person, or the agency's
-- seal, has yet to give. done is 0 until it was given, in microseconds since 1970 UTC.

CREATE TABLE signing (
    id      TEXT COLLATE "C" PRIMARY KEY,
    agency  TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL,
    done    BIGINT NOT NULL,
    version BIGINT NOT NULL,
    body    TEXT NOT NULL
);
CREATE INDEX signing_open ON signing (subject, kind, id) WHERE done = 0;
