-- +goose Up
-- turn says which of several processes on one database is at a job, until when, and
-- with which number: what an older number writes is refused. A row goes when the job is
-- done. until is in microseconds since 1970 UTC.
CREATE TABLE turn (
    kind  TEXT COLLATE "C" NOT NULL,
    key   TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    until BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
);

-- fence holds the number given out last.
CREATE TABLE fence (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    n   BIGINT NOT NULL
);
INSERT INTO fence (one, n) VALUES (1, 0);

-- +goose Down
DROP TABLE fence;
DROP TABLE turn;
