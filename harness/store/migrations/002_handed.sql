-- +goose Up
-- Whether rows may have been given to the candidate: from then on the charge stands.
ALTER TABLE runs ADD COLUMN handed BIGINT NOT NULL DEFAULT 0;
-- A run's reviews are found in the log, by the digest of its package.
CREATE INDEX log_leaves_subject ON log_leaves (subject, kind);

-- +goose Down
DROP INDEX log_leaves_subject;
ALTER TABLE runs DROP COLUMN handed;
