-- +goose Up
-- updated is when what is seen of a row changed last, its deliveries and histories
-- included, in microseconds since 1970 UTC; 0 until the program has filled it in, and
-- with it the words of rows that were there before lists could be searched.
ALTER TABLE document ADD COLUMN updated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE result ADD COLUMN updated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN updated INTEGER NOT NULL DEFAULT 0;
CREATE INDEX document_updated ON document (agency, updated, id);
CREATE INDEX result_updated ON result (agency, updated, id);
CREATE INDEX inbox_updated ON inbox (agency, updated, id);
CREATE INDEX document_unfilled ON document (id) WHERE updated = 0;
CREATE INDEX result_unfilled ON result (id) WHERE updated = 0;
CREATE INDEX inbox_unfilled ON inbox (id) WHERE updated = 0;

-- A transfer is looked for by its id alone when somebody reads one out.
CREATE INDEX delivery_transfer ON delivery (transfer_id);
CREATE INDEX transfer_id ON transfer (transfer_id);

-- trouble holds the newest failures of our own side by the id that was shown for them.
CREATE TABLE trouble (
    agency TEXT NOT NULL,
    trace  TEXT NOT NULL,
    at     INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (agency, trace)
);
CREATE INDEX trouble_age ON trouble (agency, at);

-- +goose Down
DROP TABLE trouble;
DROP INDEX transfer_id;
DROP INDEX delivery_transfer;
DROP INDEX inbox_unfilled;
DROP INDEX result_unfilled;
DROP INDEX document_unfilled;
DROP INDEX inbox_updated;
DROP INDEX result_updated;
DROP INDEX document_updated;
ALTER TABLE inbox DROP COLUMN updated;
ALTER TABLE result DROP COLUMN updated;
ALTER TABLE document DROP COLUMN updated;
