-- +goose Up
-- turn says which of several processes on one database is at a job, until when, and
-- with which number: what an older number writes is refused. A row goes when the job is
-- done. until is in microseconds since 1970 UTC.
CREATE TABLE turn (
    kind  TEXT NOT NULL,
    key   TEXT NOT NULL,
    owner TEXT NOT NULL,
    until INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
);

-- fence holds the number given out last.
CREATE TABLE fence (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    n   INTEGER NOT NULL
);
INSERT INTO fence (one, n) VALUES (1, 0);

-- +goose Down
DROP TABLE fence;
DROP TABLE turn;
