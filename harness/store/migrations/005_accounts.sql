-- +goose Up
-- Accounts and their tokens are documents that the log puts in force; what is left here are sessions.
DROP TABLE tokens;
DROP TABLE principals;
CREATE TABLE sessions (
    hash    TEXT PRIMARY KEY,             -- SHA-256 of the secret; the secret is in the cookie and kept nowhere
    account TEXT NOT NULL,
    expires TEXT NOT NULL,
    seal    TEXT NOT NULL                 -- HMAC of the three by a key outside the database
);
CREATE INDEX log_leaves_kind ON log_leaves (kind, idx);

-- +goose Down
DROP INDEX log_leaves_kind;
DROP TABLE sessions;
CREATE TABLE principals (id TEXT PRIMARY KEY, person TEXT NOT NULL, robot BIGINT NOT NULL, roles TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE tokens (hash TEXT PRIMARY KEY, principal TEXT NOT NULL REFERENCES principals(id), kind TEXT NOT NULL, expires TEXT NOT NULL);
