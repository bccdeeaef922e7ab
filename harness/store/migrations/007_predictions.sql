-- +goose Up
-- Where the sealed predictions of each run are: a blob under the data key of its set.
CREATE TABLE predictions (
    run     TEXT PRIMARY KEY,
    holdout TEXT NOT NULL,                -- digest of the commitment
    blob    TEXT NOT NULL,                -- digest of the sealed bytes
    at      TEXT NOT NULL
);
CREATE INDEX predictions_of ON predictions (holdout);

-- +goose Down
DROP TABLE predictions;
