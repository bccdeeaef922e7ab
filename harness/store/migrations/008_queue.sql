-- +goose Up
-- Who was served when, and what waits, without reading all runs.
CREATE INDEX runs_person ON runs (submitted_person, state, ended);
CREATE INDEX runs_waiting ON runs (state, submitted);

-- +goose Down
DROP INDEX runs_waiting;
DROP INDEX runs_person;
