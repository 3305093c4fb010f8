-- +goose Up
-- stage is what lists are filtered by; words are what rows are found by.
ALTER TABLE document ADD COLUMN stage TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN words TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE result ADD COLUMN stage TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE result ADD COLUMN words TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN words TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX document_stage ON document (agency, stage, id);
CREATE INDEX result_stage ON result (agency, stage, id);
CREATE INDEX inbox_list_state ON inbox (agency, kind, state, id);
CREATE INDEX delivery_state ON delivery (agency, state, receiver, id);

-- word finds the rows of a list (document, result, inbox) that hold a word.
CREATE TABLE word (
    agency TEXT COLLATE "C" NOT NULL,
    list   TEXT COLLATE "C" NOT NULL,
    word   TEXT COLLATE "C" NOT NULL,
    id     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (agency, list, word, id)
);

-- A document whose number was voided may take another: a subject may hold several
-- lines, all but one of them void.
ALTER TABLE register DROP CONSTRAINT register_agency_book_subject_key;
CREATE INDEX register_subject ON register (agency, book, subject);

CREATE TABLE register_start (
    agency TEXT COLLATE "C" NOT NULL,
    book   TEXT COLLATE "C" NOT NULL,
    year   BIGINT NOT NULL,
    first  BIGINT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (agency, book, year)
);
CREATE TABLE register_void (
    agency TEXT COLLATE "C" NOT NULL,
    book   TEXT COLLATE "C" NOT NULL,
    year   BIGINT NOT NULL,
    seq    BIGINT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (agency, book, year, seq)
);

CREATE TABLE operation (
    id     TEXT COLLATE "C" PRIMARY KEY,
    agency TEXT COLLATE "C" NOT NULL,
    body   TEXT NOT NULL
);
CREATE TABLE verification (
    id     TEXT COLLATE "C" PRIMARY KEY,
    agency TEXT COLLATE "C" NOT NULL,
    body   TEXT NOT NULL
);

CREATE TRIGGER register_start_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON register_start EXECUTE FUNCTION antin_append_only();
CREATE TRIGGER register_void_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON register_void EXECUTE FUNCTION antin_append_only();

-- +goose Down
DROP TABLE verification;
DROP TABLE operation;
DROP TABLE register_void;
DROP TABLE register_start;
DROP TABLE word;
DROP INDEX delivery_state;
DROP INDEX inbox_list_state;
DROP INDEX result_stage;
DROP INDEX document_stage;
ALTER TABLE inbox DROP COLUMN words;
ALTER TABLE result DROP COLUMN words;
ALTER TABLE result DROP COLUMN stage;
ALTER TABLE document DROP COLUMN words;
ALTER TABLE document DROP COLUMN stage;
