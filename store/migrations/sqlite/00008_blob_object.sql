-- +goose Up
-- blob_object says which blobs are objects of the S3 bucket, once they are durable
-- there. stored_at is when they were last stored, in microseconds since 1970 UTC.
CREATE TABLE blob_object (
    digest    TEXT PRIMARY KEY,
    size      INTEGER NOT NULL,
    stored_at INTEGER NOT NULL
);

-- +goose Down
DROP TABLE blob_object;
