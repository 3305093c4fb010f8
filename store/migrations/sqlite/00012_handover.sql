-- +goose Up
-- webhook is an address that facts are handed to, webhook_parked a fact that one of them
-- did not take. handover is how far a taker of the evidence log has come.
CREATE TABLE webhook (
    id      TEXT PRIMARY KEY,
    agency  TEXT NOT NULL,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
);
CREATE INDEX webhook_list ON webhook (agency, id);

CREATE TABLE webhook_parked (
    webhook TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (webhook, seq)
);

CREATE TABLE handover (
    agency TEXT NOT NULL,
    name   TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (agency, name)
);

-- trace_id is the one under which a request was made, on whichever gateway: 32
-- hexadecimal digits, or nothing.
ALTER TABLE delivery ADD COLUMN trace_id TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN trace_id TEXT NOT NULL DEFAULT '';
CREATE INDEX delivery_trace ON delivery (trace_id, id) WHERE trace_id <> '';
CREATE INDEX inbox_trace ON inbox (trace_id, id) WHERE trace_id <> '';

-- +goose Down
DROP INDEX inbox_trace;
DROP INDEX delivery_trace;
ALTER TABLE inbox DROP COLUMN trace_id;
ALTER TABLE delivery DROP COLUMN trace_id;
DROP TABLE handover;
DROP TABLE webhook_parked;
DROP TABLE webhook;
