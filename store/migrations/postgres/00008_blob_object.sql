-- +goose Up
-- blob_object says which blobs are objects of the S3 bucket, once they are durable
-- there. stored_at is when they were last stored, in microseconds since 1970 UTC.
CREATE TABLE blob_object (
    digest    TEXT COLLATE "C" PRIMARY KEY,
    size      BIGINT NOT NULL,
    stored_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE blob_object;
