-- +goose Up
-- upload is a transfer of which the bytes are still coming, upload_piece a run of them
-- that has come. touched is in microseconds since 1970 UTC.
CREATE TABLE upload (
    sender      TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    size        INTEGER NOT NULL,
    touched     INTEGER NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (sender, transfer_id)
);
CREATE INDEX upload_touched ON upload (touched);

CREATE TABLE upload_piece (
    sender      TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    at_byte     INTEGER NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (sender, transfer_id, at_byte)
);

-- settled is the ledger of ended transfers that two gateways compare. at is the
-- receipt's time, in microseconds since 1970 UTC; outgoing is 0 or 1.
CREATE TABLE settled (
    agency      TEXT NOT NULL,
    peer        TEXT NOT NULL,
    outgoing    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    transfer_id TEXT NOT NULL,
    receipt     TEXT NOT NULL,
    PRIMARY KEY (agency, peer, outgoing, at, transfer_id)
) WITHOUT ROWID;

CREATE INDEX delivery_waiting ON delivery (receiver, id) WHERE state IN ('READY', 'UNKNOWN_EXPIRED');

-- +goose Down
DROP INDEX delivery_waiting;
DROP TABLE settled;
DROP TABLE upload_piece;
DROP TABLE upload;
