-- +goose Up
-- stage is what lists are filtered by; words are what rows are found by.
ALTER TABLE document ADD COLUMN stage TEXT NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN words TEXT NOT NULL DEFAULT '';
ALTER TABLE result ADD COLUMN stage TEXT NOT NULL DEFAULT '';
ALTER TABLE result ADD COLUMN words TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN words TEXT NOT NULL DEFAULT '';
CREATE INDEX document_stage ON document (agency, stage, id);
CREATE INDEX result_stage ON result (agency, stage, id);
CREATE INDEX inbox_list_state ON inbox (agency, kind, state, id);
CREATE INDEX delivery_state ON delivery (agency, state, receiver, id);

-- word finds the rows of a list (document, result, inbox) that hold a word.
CREATE TABLE word (
    agency TEXT NOT NULL,
    list   TEXT NOT NULL,
    word   TEXT NOT NULL,
    id     TEXT NOT NULL,
    PRIMARY KEY (agency, list, word, id)
) WITHOUT ROWID;

-- A document whose number was voided may take another: a subject may hold several
-- lines, all but one of them void.
DROP TRIGGER register_no_update;
DROP TRIGGER register_no_delete;
CREATE TABLE register_lines (
    agency  TEXT NOT NULL,
    book    TEXT NOT NULL,
    year    INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    subject TEXT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (agency, book, year, seq)
);
INSERT INTO register_lines (agency, book, year, seq, subject, body) SELECT agency, book, year, seq, subject, body FROM register;
DROP TABLE register;
ALTER TABLE register_lines RENAME TO register;
CREATE INDEX register_subject ON register (agency, book, subject);

CREATE TABLE register_start (
    agency TEXT NOT NULL,
    book   TEXT NOT NULL,
    year   INTEGER NOT NULL,
    first  INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (agency, book, year)
);
CREATE TABLE register_void (
    agency TEXT NOT NULL,
    book   TEXT NOT NULL,
    year   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (agency, book, year, seq)
);

CREATE TABLE operation (
    id     TEXT PRIMARY KEY,
    agency TEXT NOT NULL,
    body   TEXT NOT NULL
);
CREATE TABLE verification (
    id     TEXT PRIMARY KEY,
    agency TEXT NOT NULL,
    body   TEXT NOT NULL
);

-- +goose StatementBegin
CREATE TRIGGER register_no_update BEFORE UPDATE ON register BEGIN SELECT RAISE(ABORT, 'register is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER register_no_delete BEFORE DELETE ON register BEGIN SELECT RAISE(ABORT, 'register is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER register_start_no_update BEFORE UPDATE ON register_start BEGIN SELECT RAISE(ABORT, 'register_start is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER register_start_no_delete BEFORE DELETE ON register_start BEGIN SELECT RAISE(ABORT, 'register_start is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER register_void_no_update BEFORE UPDATE ON register_void BEGIN SELECT RAISE(ABORT, 'register_void is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER register_void_no_delete BEFORE DELETE ON register_void BEGIN SELECT RAISE(ABORT, 'register_void is append-only'); END;
-- +goose StatementEnd

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
