-- Moments are nanoseconds since 1970 in UTC, by the clock of this database. Versions of rows only grow.

CREATE FUNCTION uforge_export_now() RETURNS bigint LANGUAGE sql VOLATILE AS
    $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000 $$;

-- What all processes of one service agree on.
CREATE TABLE agreed (
    key   text NOT NULL PRIMARY KEY,
    value text NOT NULL
);

CREATE SEQUENCE claims;

CREATE TABLE jobs (
    id              text   NOT NULL PRIMARY KEY,
    owner           text   NOT NULL,
    request         text   NOT NULL,
    requested       bigint NOT NULL,
    began           bigint,
    state           text   NOT NULL CHECK (state IN
        ('queued', 'running', 'waiting', 'ready', 'failed', 'cancelled', 'expired', 'deleted')),
    waiting_for     text,
    retry_at        bigint,
    give_up_at      bigint,
    ended_at        bigint,
    failure         text,
    resumable_until bigint,
    ready_at        bigint,
    expires_at      bigint,
    bag             text,
    completeness    text,
    paused_since    bigint,
    deaths          bigint NOT NULL DEFAULT 0,
    notes           text   NOT NULL DEFAULT '[]',
    downloads       text   NOT NULL DEFAULT '[]',
    downloads_total bigint NOT NULL DEFAULT 0,
    version         bigint NOT NULL DEFAULT 1,
    -- Who runs it, and until when.
    token           text,
    worker          text,
    lease_until     bigint,
    wish            text,
    -- The number of its latest claim, and the latest of its owner: the owner with the lowest is next.
    claimed         bigint NOT NULL DEFAULT 0,
    turn            bigint NOT NULL DEFAULT 0,
    -- The format of the records of its runs: only a worker that can read it claims the job.
    format          bigint,
    -- The last record when it was claimed: a run that wrote others has made progress.
    recorded        bigint NOT NULL DEFAULT 0,
    most_bytes      bigint NOT NULL DEFAULT 0,
    CHECK ((state = 'running') = (token IS NOT NULL)),
    CHECK ((state = 'running') = (lease_until IS NOT NULL))
);

-- Of one person at most one job runs, whatever a statement says.
CREATE UNIQUE INDEX jobs_running ON jobs (owner) WHERE state = 'running';
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_next ON jobs (turn, (wish IS NULL), requested, id) WHERE state IN ('queued', 'waiting');
CREATE INDEX jobs_of_owner ON jobs (owner, requested, id);
CREATE INDEX jobs_in_order ON jobs (requested, id);
CREATE INDEX jobs_unfinished ON jobs (owner) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX jobs_kept ON jobs (owner, expires_at) WHERE state = 'ready';
CREATE INDEX jobs_expire ON jobs (expires_at) WHERE state = 'ready';
CREATE INDEX jobs_give_up ON jobs (give_up_at) WHERE state = 'waiting';
CREATE INDEX jobs_resumable ON jobs (resumable_until) WHERE state = 'failed';

-- `export.json` of a delivered job, apart: it may have megabytes, and most readers of jobs do not want it.
CREATE TABLE reports (
    job    text  NOT NULL PRIMARY KEY,
    report bytea NOT NULL
);

-- How far runs are: a hint for those who watch, which a crash of the database may lose.
CREATE UNLOGGED TABLE progress (
    job      text   NOT NULL PRIMARY KEY,
    progress text   NOT NULL,
    serial   bigint NOT NULL
);

-- What runs recorded. A batch is written once, however often its statement is sent.
CREATE TABLE run_records (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job     text   NOT NULL,
    batch   text   NOT NULL,
    place   bigint NOT NULL,
    content bytea  NOT NULL,
    UNIQUE (batch, place)
);

CREATE INDEX run_records_of_job ON run_records (job, number);

-- The platform's slots. One belongs to an item's export, whoever runs the job.
CREATE TABLE slots (
    number bigint NOT NULL PRIMARY KEY,
    job    text,
    item   text,
    CHECK ((job IS NULL) = (item IS NULL))
);

CREATE UNIQUE INDEX slots_of_item ON slots (job, item) WHERE job IS NOT NULL;

-- Processes that are alive: they agree on settings, and those that run jobs share the requests a second.
CREATE TABLE processes (
    name     text    NOT NULL PRIMARY KEY,
    runs     boolean NOT NULL,
    until    bigint  NOT NULL
);

CREATE TABLE audit_numbers (last bigint NOT NULL);
INSERT INTO audit_numbers (last) VALUES (0);

CREATE TABLE audit (
    number  bigint NOT NULL PRIMARY KEY,
    at      bigint NOT NULL,
    action  text   NOT NULL,
    actor   text,
    subject text,
    source  text,
    export  text,
    sha256  text,
    bytes   bigint,
    detail  text
);

CREATE INDEX audit_downloads ON audit (export, actor, source) WHERE action = 'downloaded';

-- The transfers of a download: its entry's bytes are their sum.
CREATE TABLE audit_transfers (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number bigint NOT NULL REFERENCES audit (number),
    at     bigint NOT NULL,
    start  bigint NOT NULL,
    bytes  bigint NOT NULL
);

CREATE INDEX audit_transfers_of ON audit_transfers (number, at);

CREATE FUNCTION uforge_export_only_added_to() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit trail is only added to'; END $$;

CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION uforge_export_only_added_to();
CREATE TRIGGER audit_transfers_are_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION uforge_export_only_added_to();

CREATE TABLE idempotency_keys (
    owner    text   NOT NULL,
    key      text   NOT NULL,
    request  text   NOT NULL,
    export   text   NOT NULL,
    reserved bigint NOT NULL,
    PRIMARY KEY (owner, key)
);

CREATE INDEX idempotency_keys_reserved ON idempotency_keys (reserved);

CREATE TABLE sealed_credentials (
    job    text  NOT NULL PRIMARY KEY,
    sealed bytea NOT NULL
);

-- People who signed in with the form: what they signed in with is sealed to their own token, which is not here.
CREATE TABLE sessions (
    key    bytea  NOT NULL PRIMARY KEY,
    owner  text   NOT NULL,
    sealed bytea  NOT NULL,
    begun  bigint NOT NULL,
    used   bigint NOT NULL
);

CREATE INDEX sessions_of_owner ON sessions (owner, used);
CREATE INDEX sessions_used ON sessions (used);
