-- +goose Up
-- How far each receiver of events was told of the log.
CREATE TABLE cursors (
    name TEXT PRIMARY KEY,                -- digest of the receiver's address, which may hold a secret
    next BIGINT NOT NULL                  -- first entry that it was not told of
);

-- +goose Down
DROP TABLE cursors;
