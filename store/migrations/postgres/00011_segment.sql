-- +goose Up
-- blob_segment says where in the segment files of this place a blob lies, once it is
-- durable there: segment is the file's number, at and size are bytes. stored_at is when
-- it was last stored, in microseconds since 1970 UTC.
CREATE TABLE blob_segment (
    segment   BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    digest    TEXT COLLATE "C" NOT NULL,
    size      BIGINT NOT NULL,
    stored_at BIGINT NOT NULL,
    PRIMARY KEY (segment, at)
);
CREATE UNIQUE INDEX blob_segment_digest ON blob_segment (digest);

-- +goose Down
DROP TABLE blob_segment;
