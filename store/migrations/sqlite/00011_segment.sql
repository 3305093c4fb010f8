-- +goose Up
-- blob_segment says where in the segment files of this place a blob lies, once it is
-- durable there: segment is the file's number, at and size are bytes. stored_at is when
-- it was last stored, in microseconds since 1970 UTC.
CREATE TABLE blob_segment (
    segment   INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    digest    TEXT NOT NULL,
    size      INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    PRIMARY KEY (segment, at)
) WITHOUT ROWID;
CREATE UNIQUE INDEX blob_segment_digest ON blob_segment (digest);

-- +goose Down
DROP TABLE blob_segment;
