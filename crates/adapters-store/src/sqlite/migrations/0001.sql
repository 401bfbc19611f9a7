-- Moments are nanoseconds since 1970 in UTC. Versions of rows only grow.

CREATE TABLE jobs (
    id              TEXT    NOT NULL PRIMARY KEY,
    owner           TEXT    NOT NULL,
    request         TEXT    NOT NULL,
    requested       INTEGER NOT NULL,
    began           INTEGER,
    state           TEXT    NOT NULL CHECK (state IN
        ('queued', 'running', 'waiting', 'ready', 'failed', 'cancelled', 'expired', 'deleted')),
    waiting_for     TEXT,
    retry_at        INTEGER,
    give_up_at      INTEGER,
    ended_at        INTEGER,
    failure         TEXT,
    resumable_until INTEGER,
    ready_at        INTEGER,
    expires_at      INTEGER,
    bag             TEXT,
    completeness    TEXT,
    paused_since    INTEGER,
    deaths          INTEGER NOT NULL DEFAULT 0,
    notes           TEXT    NOT NULL DEFAULT '[]',
    downloads       TEXT    NOT NULL DEFAULT '[]',
    downloads_total INTEGER NOT NULL DEFAULT 0,
    version         INTEGER NOT NULL DEFAULT 1,
    -- Who runs it, and until when.
    token           TEXT,
    worker          TEXT,
    lease_until     INTEGER,
    wish            TEXT,
    -- The number of its latest claim, over all jobs: the owner with the lowest is next.
    claimed         INTEGER NOT NULL DEFAULT 0,
    progress        TEXT,
    progress_serial INTEGER NOT NULL DEFAULT 0,
    most_bytes      INTEGER NOT NULL DEFAULT 0,
    CHECK ((state = 'running') = (token IS NOT NULL)),
    CHECK ((state = 'running') = (lease_until IS NOT NULL))
) STRICT;

-- Of one person at most one job runs, whatever a statement says.
CREATE UNIQUE INDEX jobs_running ON jobs (owner) WHERE state = 'running';
CREATE INDEX jobs_unfinished ON jobs (state, requested) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX jobs_of_owner ON jobs (owner, requested, id);
CREATE INDEX jobs_in_order ON jobs (requested, id);
CREATE INDEX jobs_served ON jobs (owner, claimed);
CREATE INDEX jobs_claimed ON jobs (claimed);
CREATE INDEX jobs_expire ON jobs (expires_at) WHERE state = 'ready';
CREATE INDEX jobs_resumable ON jobs (resumable_until) WHERE state = 'failed';

-- `export.json` of a delivered job, apart: it may have megabytes, and most readers of jobs do not want it.
CREATE TABLE reports (
    job    TEXT NOT NULL PRIMARY KEY,
    report BLOB NOT NULL
) STRICT;

CREATE TABLE audit (
    number  INTEGER NOT NULL PRIMARY KEY,
    at      INTEGER NOT NULL,
    action  TEXT    NOT NULL,
    actor   TEXT,
    subject TEXT,
    source  TEXT,
    export  TEXT,
    sha256  TEXT,
    bytes   INTEGER,
    detail  TEXT
) STRICT;

CREATE INDEX audit_downloads ON audit (export, actor, source) WHERE action = 'downloaded';

-- The transfers of a download: its entry's bytes are their sum.
CREATE TABLE audit_transfers (
    id     INTEGER NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL REFERENCES audit (number),
    at     INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    bytes  INTEGER NOT NULL
) STRICT;

CREATE INDEX audit_transfers_of ON audit_transfers (number, at);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the audit trail is only added to'); END;
-- `INSERT OR REPLACE` deletes without asking the trigger above.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit)
BEGIN SELECT raise(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER audit_transfers_are_not_changed BEFORE UPDATE ON audit_transfers
BEGIN SELECT raise(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER audit_transfers_are_not_deleted BEFORE DELETE ON audit_transfers
BEGIN SELECT raise(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER audit_transfers_are_not_replaced BEFORE INSERT ON audit_transfers
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM audit_transfers)
BEGIN SELECT raise(ABORT, 'the audit trail is only added to'); END;

CREATE TABLE idempotency_keys (
    owner    TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    request  TEXT    NOT NULL,
    export   TEXT    NOT NULL,
    reserved INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_reserved ON idempotency_keys (reserved);

CREATE TABLE sealed_credentials (
    job    TEXT NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;
