-- Campaigns: many exports, one for each person, that an administrator ordered.

CREATE TABLE campaigns (
    id           TEXT    NOT NULL PRIMARY KEY,
    requested_by TEXT    NOT NULL,
    requested    INTEGER NOT NULL,
    ordered      TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('running', 'paused', 'cancelled')),
    total        INTEGER NOT NULL
) STRICT;

CREATE INDEX campaigns_in_order ON campaigns (requested, id);

-- The campaign that a job belongs to, and who ordered that; its owner is then the person whose data it is.
ALTER TABLE jobs ADD COLUMN campaign TEXT;
ALTER TABLE jobs ADD COLUMN ordered_by TEXT;

-- Who wants of a job what is wanted of it.
ALTER TABLE jobs ADD COLUMN wished_by TEXT;

-- A person's own export may run beside one of a campaign.
DROP INDEX jobs_running;
CREATE UNIQUE INDEX jobs_running ON jobs (owner, (campaign IS NULL)) WHERE state = 'running';
CREATE INDEX jobs_own ON jobs (state, requested) WHERE campaign IS NULL AND state IN ('queued', 'running', 'waiting');

-- The next job of a campaign: one that was begun, one whose time has come, or a new one.
CREATE INDEX jobs_begun_of_campaign ON jobs (campaign, requested, id) WHERE campaign IS NOT NULL AND state = 'queued' AND began IS NOT NULL;
CREATE INDEX jobs_waiting_of_campaign ON jobs (campaign, retry_at) WHERE campaign IS NOT NULL AND state = 'waiting';
CREATE INDEX jobs_new_of_campaign ON jobs (campaign, requested, id) WHERE campaign IS NOT NULL AND state = 'queued' AND began IS NULL;
CREATE INDEX jobs_running_of_campaign ON jobs (campaign) WHERE campaign IS NOT NULL AND state = 'running';
CREATE INDEX jobs_unfinished_of_campaign ON jobs (campaign) WHERE campaign IS NOT NULL AND state IN ('queued', 'running', 'waiting');
CREATE INDEX jobs_of_campaign ON jobs (campaign, id) WHERE campaign IS NOT NULL;
CREATE INDEX jobs_wished ON jobs (state) WHERE wish IS NOT NULL;
