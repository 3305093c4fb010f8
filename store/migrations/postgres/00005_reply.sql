-- +goose Up

-- reply holds the answers to requests that carried an idempotency key, for a while.
CREATE TABLE reply (
    agency TEXT COLLATE "C" NOT NULL,
    key    TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (agency, key)
);
CREATE INDEX reply_age ON reply (at);

-- +goose Down
DROP TABLE reply;
