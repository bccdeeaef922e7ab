-- +goose Up
-- Rows of the run's set were sent to a model that runs elsewhere, and are burnt.
ALTER TABLE exposures ADD COLUMN elsewhere INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE exposures DROP COLUMN elsewhere;
