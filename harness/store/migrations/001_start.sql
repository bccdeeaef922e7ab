-- One text for SQLite and PostgreSQL: BIGINT everywhere, times as RFC 3339 text in UTC,
-- bytes in BLOB (PostgreSQL: a domain of that name over bytea).

-- +goose Up
CREATE TABLE principals (
    id      TEXT PRIMARY KEY,
    person  TEXT NOT NULL,
    robot   BIGINT NOT NULL,
    roles   TEXT NOT NULL,                -- JSON array
    created TEXT NOT NULL
);
CREATE TABLE tokens (
    hash      TEXT PRIMARY KEY,           -- SHA-256 of the secret; the secret is shown once and kept nowhere
    principal TEXT NOT NULL REFERENCES principals(id),
    kind      TEXT NOT NULL,              -- api or session
    expires   TEXT NOT NULL
);
-- What a PASS means: immutable documents named by digest.
CREATE TABLE documents (
    digest  TEXT PRIMARY KEY,
    kind    TEXT NOT NULL,                -- holdout, suite, policy
    name    TEXT NOT NULL,
    version BIGINT NOT NULL,
    body    BLOB NOT NULL,                -- commitment, suite, policy as the digest names them
    extra   BLOB NOT NULL,                -- holdout: signed manifest; policy: the resolved policy
    created TEXT NOT NULL,
    UNIQUE (kind, name, version)
);
-- Who changed what PASS means: proposed by one person, activated by another.
CREATE TABLE changes (
    id              TEXT PRIMARY KEY,
    kind            TEXT NOT NULL,
    name            TEXT NOT NULL,        -- for a baseline: the lineage
    digest          TEXT NOT NULL,
    note            TEXT NOT NULL,
    state           TEXT NOT NULL,        -- proposed, active, refused
    proposed_by     TEXT NOT NULL,
    proposed_person TEXT NOT NULL,
    proposed        TEXT NOT NULL,
    decided_by      TEXT NOT NULL,
    decided_person  TEXT NOT NULL,
    decided         TEXT NOT NULL
);
CREATE TABLE active (
    kind    TEXT NOT NULL,
    name    TEXT NOT NULL,
    digest  TEXT NOT NULL,
    version BIGINT NOT NULL,
    change  TEXT NOT NULL REFERENCES changes(id),
    PRIMARY KEY (kind, name)
);
CREATE TABLE lineages (
    name        TEXT PRIMARY KEY,
    policy      TEXT NOT NULL,            -- digest of the policy in force
    baseline    TEXT NOT NULL,            -- run that brought the deployed model, '' before the first
    anchor      TEXT NOT NULL             -- run of the best model ever deployed
);
CREATE TABLE runs (
    id               TEXT PRIMARY KEY,
    dedupe           TEXT NOT NULL,       -- lineage, package digest, policy, baseline: the same question
    lineage          TEXT NOT NULL,
    package          TEXT NOT NULL,       -- package digest
    package_name     TEXT NOT NULL,
    package_kind     TEXT NOT NULL,
    package_blob     TEXT NOT NULL,       -- archive as received
    submitted_by     TEXT NOT NULL,
    submitted_person TEXT NOT NULL,
    submitted        TEXT NOT NULL,
    state            TEXT NOT NULL,       -- queued, planned, done, aborted
    epoch            BIGINT NOT NULL,     -- raised by whoever takes the run up; older holders change nothing
    stage            TEXT NOT NULL,       -- what it is doing, for people
    plan             BLOB NOT NULL,
    seed             TEXT NOT NULL,       -- hex; public only through the evidence
    attempt          BIGINT NOT NULL,
    charged          BIGINT NOT NULL,
    result           TEXT NOT NULL,
    reason           TEXT NOT NULL,       -- the one coarse reason that a submitter sees
    sentence         TEXT NOT NULL,       -- reviewers
    report           TEXT NOT NULL,       -- digest
    evidence         BIGINT NOT NULL,     -- index in the log, -1 before
    approval         BIGINT NOT NULL,
    ended            TEXT NOT NULL
);
CREATE UNIQUE INDEX runs_dedupe ON runs (dedupe) WHERE state <> 'aborted';
CREATE INDEX runs_lineage ON runs (lineage, submitted);
CREATE TABLE reviews (
    run      TEXT NOT NULL REFERENCES runs(id),
    person   TEXT NOT NULL,
    by_id    TEXT NOT NULL,
    decision TEXT NOT NULL,               -- approve, refuse
    reason   TEXT NOT NULL,
    report   TEXT NOT NULL,
    at       TEXT NOT NULL,
    PRIMARY KEY (run, person)
);
-- What a holdout has revealed. One row a run and set that it was given rows of.
CREATE TABLE exposures (
    run     TEXT NOT NULL REFERENCES runs(id),
    lineage TEXT NOT NULL,
    holdout TEXT NOT NULL,
    at      TEXT NOT NULL,
    PRIMARY KEY (run, holdout)
);
-- The transparency log. What keeps its rows as they are is the engine's own, see its adapter.
CREATE TABLE log_leaves (
    idx       BIGINT PRIMARY KEY,
    leaf      BLOB NOT NULL,
    kind      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    envelope  BLOB NOT NULL,
    at        TEXT NOT NULL
);
CREATE TABLE log_hashes (
    idx  BIGINT PRIMARY KEY,
    hash BLOB NOT NULL
);

-- +goose Down
DROP TABLE log_hashes; DROP TABLE log_leaves; DROP TABLE exposures; DROP TABLE reviews; DROP TABLE runs;
DROP TABLE lineages; DROP TABLE active; DROP TABLE changes; DROP TABLE documents; DROP TABLE tokens; DROP TABLE principals;
