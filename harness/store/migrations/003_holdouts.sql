-- +goose Up
-- The wrapped data key of a sealed set, apart from its signed manifest: wrapped anew
-- when the key-encryption key rotates, deleted when the set is destroyed.
CREATE TABLE holdout_keys (
    holdout TEXT PRIMARY KEY,             -- digest of the commitment
    wrapped BLOB NOT NULL,
    at      TEXT NOT NULL
);
-- Rows that a person has seen, by their place in the set.
CREATE TABLE burnt_rows (
    holdout TEXT NOT NULL,
    line    BIGINT NOT NULL,              -- from 1
    run     TEXT NOT NULL,                -- run in whose review, '' outside of one
    person  TEXT NOT NULL,
    at      TEXT NOT NULL,
    PRIMARY KEY (holdout, line, person)
);

-- +goose Down
DROP TABLE burnt_rows;
DROP TABLE holdout_keys;
