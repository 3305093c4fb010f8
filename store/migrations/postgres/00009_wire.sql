-- +goose Up
-- upload is a transfer of which the bytes are still coming, upload_piece a run of them
-- that has come. touched is in microseconds since 1970 UTC.
CREATE TABLE upload (
    sender      TEXT COLLATE "C" NOT NULL,
    transfer_id TEXT COLLATE "C" NOT NULL,
    size        BIGINT NOT NULL,
    touched     BIGINT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (sender, transfer_id)
);
CREATE INDEX upload_touched ON upload (touched);

CREATE TABLE upload_piece (
    sender      TEXT COLLATE "C" NOT NULL,
    transfer_id TEXT COLLATE "C" NOT NULL,
    at_byte     BIGINT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (sender, transfer_id, at_byte)
);

-- settled is the ledger of ended transfers that two gateways compare. at is the
-- receipt's time, in microseconds since 1970 UTC; outgoing is 0 or 1.
CREATE TABLE settled (
    agency      TEXT COLLATE "C" NOT NULL,
    peer        TEXT COLLATE "C" NOT NULL,
    outgoing    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    transfer_id TEXT COLLATE "C" NOT NULL,
    receipt     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (agency, peer, outgoing, at, transfer_id)
);

CREATE INDEX delivery_waiting ON delivery (receiver, id) WHERE state IN ('READY', 'UNKNOWN_EXPIRED');

-- +goose Down
DROP INDEX delivery_waiting;
DROP TABLE settled;
DROP TABLE upload_piece;
DROP TABLE upload;
