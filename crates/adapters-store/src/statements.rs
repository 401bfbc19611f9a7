//! The statements that all engines understand, about jobs and campaigns.

pub(crate) const JOB_OF: &str = "SELECT * FROM jobs WHERE id = $1 AND owner = $2";

pub(crate) const JOB: &str = "SELECT * FROM jobs WHERE id = $1";

/// Jobs of the owner, or of everybody, after the one that a page begins after, newest first.
pub(crate) const JOBS: &str = "SELECT * FROM jobs WHERE (CAST($1 AS text) IS NULL OR owner = $1) \
    AND (CAST($2 AS text) IS NULL OR (requested, id) < (SELECT requested, id FROM jobs WHERE id = $2)) \
    ORDER BY requested DESC, id DESC LIMIT $3";

pub(crate) const UNFINISHED: &str = "SELECT id, owner FROM jobs WHERE campaign IS NULL AND state IN ('queued', 'running', 'waiting')";

pub(crate) const COUNT: &str = "SELECT state, count(*) AS jobs FROM jobs GROUP BY state";

pub(crate) const REPORT: &str =
    "SELECT report FROM jobs LEFT JOIN reports ON reports.job = jobs.id WHERE jobs.id = $1";

pub(crate) const WRITE_REPORT: &str = "INSERT INTO reports (job, report) VALUES ($1, $2) \
    ON CONFLICT (job) DO UPDATE SET report = excluded.report";

pub(crate) const WRITE_DOWNLOADS: &str =
    "UPDATE jobs SET downloads = $1, downloads_total = $2 WHERE id = $3";

pub(crate) const GIVE_BACK: &str = "UPDATE jobs SET state = 'queued', token = NULL, worker = NULL, lease_until = NULL, \
    version = version + 1 WHERE id = $1 AND token = $2 RETURNING id";

pub(crate) const VOID: &str = "UPDATE jobs SET state = 'queued', token = NULL, worker = NULL, lease_until = NULL, \
    deaths = deaths + 1, version = version + 1 WHERE state = 'running' RETURNING id";

macro_rules! signed_in {
    ($whose:literal) => {
        concat!(
            "UPDATE jobs SET state = 'queued', waiting_for = NULL, retry_at = NULL, give_up_at = NULL, version = version + 1 \
            WHERE state = 'waiting' AND waiting_for = 'sign-in'",
            $whose,
            " RETURNING id"
        )
    };
}

pub(crate) const SIGNED_IN: &str = signed_in!(" AND (owner = $1 OR ordered_by = $1)");

pub(crate) const ALL_SIGNED_IN: &str = signed_in!("");

/// What a wish changes: whoever waits is queued, so that what is wanted is done.
macro_rules! wished {
    ($wish:literal, $by:literal) => {
        concat!(
            "UPDATE jobs SET wish = ",
            $wish,
            ", wished_by = ",
            $by,
            ", version = version + (CASE state WHEN 'running' THEN 0 ELSE 1 END), \
            state = CASE state WHEN 'running' THEN 'running' ELSE 'queued' END, waiting_for = NULL, retry_at = NULL, give_up_at = NULL "
        )
    };
}
pub(crate) use wished;

pub(crate) const WISH: &str = concat!(
    wished!("$3", "$4"),
    "WHERE id = $1 AND owner = $2 AND state IN ('queued', 'running', 'waiting') RETURNING id"
);

/// Orders of a person's own that are under way.
pub(crate) const UNDER_WAY: &str = "SELECT * FROM jobs WHERE owner = $1 AND campaign IS NULL \
    AND state IN ('queued', 'running', 'waiting') AND wish IS NULL ORDER BY requested, id";

/// How many orders are under way, and how many of them are this owner's.
pub(crate) const STANDING: &str = "SELECT count(*) AS everybodys, count(*) FILTER (WHERE owner = $1) AS theirs FROM jobs \
    WHERE campaign IS NULL AND state IN ('queued', 'running', 'waiting')";

pub(crate) const ORDERS_SINCE: &str = "SELECT requested FROM jobs WHERE owner = $1 AND campaign IS NULL AND requested > $2 ORDER BY requested";

pub(crate) const ARCHIVES: &str = "SELECT id FROM jobs WHERE owner = $1 AND campaign IS NULL AND state = 'ready' AND expires_at > $2 \
    ORDER BY requested, id";

macro_rules! replaced {
    ($more:literal) => {
        concat!(
            "UPDATE jobs SET owner = $2, request = $3, requested = $4, began = $5, state = $6, \
            waiting_for = $7, retry_at = $8, give_up_at = $9, ended_at = $10, failure = $11, resumable_until = $12, ready_at = $13, \
            expires_at = $14, bag = $15, completeness = $16, paused_since = $17, deaths = $18, notes = $19, \
            version = version + 1, wish = CASE WHEN $6 IN ('queued', 'waiting') THEN wish END",
            $more
        )
    };
}

/// Replaces a job that nobody runs.
pub(crate) const REPLACE: &str =
    replaced!(" WHERE id = $1 AND version = $20 AND state <> 'running' RETURNING *");

/// Ends or interrupts a run, by whoever holds the lease.
pub(crate) const REPLACE_HELD: &str = replaced!(
    ", token = NULL, worker = NULL, lease_until = NULL WHERE id = $1 AND token = $20 RETURNING *"
);

pub(crate) const INSERT_CAMPAIGN: &str = "INSERT INTO campaigns (id, requested_by, requested, ordered, state, total) \
    VALUES ($1, $2, $3, $4, 'running', $5) ON CONFLICT DO NOTHING RETURNING *";

pub(crate) const CAMPAIGN: &str = "SELECT * FROM campaigns WHERE id = $1";

pub(crate) const CAMPAIGNS: &str = "SELECT * FROM campaigns \
    WHERE (CAST($1 AS text) IS NULL OR (requested, id) < (SELECT requested, id FROM campaigns WHERE id = $1)) \
    ORDER BY requested DESC, id DESC LIMIT $2";

pub(crate) const CAMPAIGN_STANDING: &str = "SELECT CASE WHEN state = 'ready' AND expires_at <= $2 THEN 'expired' ELSE state END AS name, \
    count(*) AS jobs, min(began) AS first_began FROM jobs WHERE campaign = $1 GROUP BY name";

pub(crate) const CAMPAIGN_EXPORTS: &str = "SELECT * FROM jobs WHERE campaign = $1 AND (CAST($2 AS text) IS NULL OR id > $2) \
    ORDER BY id LIMIT $3";

pub(crate) const WRITE_CAMPAIGN_STATE: &str =
    "UPDATE campaigns SET state = $2 WHERE id = $1 RETURNING *";

/// Gives the job, where something was sealed for it.
pub(crate) const DELETE_CREDENTIALS: &str =
    "DELETE FROM sealed_credentials WHERE job = $1 RETURNING job";

pub(crate) const OVERDUE: &str = "SELECT * FROM jobs WHERE state = 'ready' AND expires_at <= $1 ORDER BY requested, id LIMIT 100";

pub(crate) const GIVEN_UP: &str = "SELECT * FROM jobs WHERE (state = 'waiting' AND give_up_at <= $1) \
    OR (state = 'failed' AND resumable_until <= $1) ORDER BY requested, id LIMIT 100";
