-- +goose Up
-- lane_place is the last place that a sender of ours gave in a lane: epoch and seq count
-- up. lane_order is how far a receiver of ours has come in a sender's lane.
CREATE TABLE lane_place (
    agency   TEXT NOT NULL,
    receiver TEXT NOT NULL,
    class    TEXT NOT NULL,
    epoch    INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    PRIMARY KEY (agency, receiver, class)
);
CREATE TABLE lane_order (
    recipient TEXT NOT NULL,
    sender    TEXT NOT NULL,
    class     TEXT NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (recipient, sender, class)
);

-- What a lane sends next, without reading all that waits in it.
CREATE INDEX delivery_order ON delivery (agency, receiver, priority DESC, id, next_at) WHERE state IN ('READY', 'UNKNOWN_EXPIRED');

-- +goose Down
DROP INDEX delivery_order;
DROP TABLE lane_order;
DROP TABLE lane_place;
