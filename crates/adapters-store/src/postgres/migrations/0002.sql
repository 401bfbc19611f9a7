-- Campaigns: many exports, one for each person, that an administrator ordered.

CREATE TABLE campaigns (
    id           text   NOT NULL PRIMARY KEY,
    requested_by text   NOT NULL,
    requested    bigint NOT NULL,
    ordered      text   NOT NULL,
    state        text   NOT NULL CHECK (state IN ('running', 'paused', 'cancelled')),
    total        bigint NOT NULL
);

CREATE INDEX campaigns_in_order ON campaigns (requested, id);

-- The campaign that a job belongs to, and who ordered that; its owner is then the person whose data it is.
ALTER TABLE jobs ADD COLUMN campaign text, ADD COLUMN ordered_by text;

-- Who wants of a job what is wanted of it.
ALTER TABLE jobs ADD COLUMN wished_by text;

-- Jobs that people asked for themselves and that want a slot of the platform: until then, those of campaigns take none.
CREATE TABLE slots_wanted (
    job   text   NOT NULL PRIMARY KEY,
    until bigint NOT NULL
);

-- A person's own export may run beside one of a campaign.
DROP INDEX jobs_running;
CREATE UNIQUE INDEX jobs_running ON jobs (owner, (campaign IS NULL)) WHERE state = 'running';

-- What people ask for themselves is found among itself, however many jobs campaigns have.
DROP INDEX jobs_next;
CREATE INDEX jobs_next ON jobs (turn, (wish IS NULL), requested, id) WHERE campaign IS NULL AND state IN ('queued', 'waiting');
CREATE INDEX jobs_own ON jobs (owner) WHERE campaign IS NULL AND state IN ('queued', 'running', 'waiting');

-- The next job of a campaign: one that was begun, one whose time has come, or a new one.
CREATE INDEX jobs_begun_of_campaign ON jobs (campaign, requested, id) WHERE campaign IS NOT NULL AND state = 'queued' AND began IS NOT NULL;
CREATE INDEX jobs_waiting_of_campaign ON jobs (campaign, retry_at) WHERE campaign IS NOT NULL AND state = 'waiting';
CREATE INDEX jobs_new_of_campaign ON jobs (campaign, requested, id) WHERE campaign IS NOT NULL AND state = 'queued' AND began IS NULL;
CREATE INDEX jobs_running_of_campaign ON jobs (campaign) WHERE campaign IS NOT NULL AND state = 'running';
CREATE INDEX jobs_wished_of_campaigns ON jobs (requested, id) WHERE campaign IS NOT NULL AND state = 'queued' AND wish IS NOT NULL;
CREATE INDEX jobs_unfinished_of_campaign ON jobs (campaign) WHERE campaign IS NOT NULL AND state IN ('queued', 'running', 'waiting');
CREATE INDEX jobs_of_campaign ON jobs (campaign, id) WHERE campaign IS NOT NULL;
CREATE INDEX jobs_waiting_for_whoever_ordered ON jobs (ordered_by) WHERE campaign IS NOT NULL AND state = 'waiting';
