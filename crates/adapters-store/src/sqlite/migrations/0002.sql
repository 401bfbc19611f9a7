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

-- A person's own export may run beside one of a campaign.
DROP INDEX jobs_running;
CREATE UNIQUE INDEX jobs_running ON jobs (owner, (campaign IS NULL)) WHERE state = 'running';
CREATE INDEX jobs_own ON jobs (state, requested) WHERE campaign IS NULL AND state IN ('queued', 'running', 'waiting');
CREATE INDEX jobs_of_campaign ON jobs (campaign, state, id) WHERE campaign IS NOT NULL;
CREATE INDEX jobs_listed_in_campaign ON jobs (campaign, id) WHERE campaign IS NOT NULL;
CREATE INDEX jobs_wished ON jobs (state) WHERE wish IS NOT NULL;
