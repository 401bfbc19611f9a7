//! The statements that are written for SQLite.

/// Nothing else of its person runs of which this is true.
macro_rules! not_beside {
    ($which:literal) => {
        concat!(
            "AND NOT EXISTS (SELECT 1 FROM jobs AS other WHERE other.owner = job.owner AND other.state = 'running' AND ",
            $which,
            ") "
        )
    };
}

/// Its time has come.
macro_rules! is_due {
    () => {
        "AND job.retry_at <= ?1 AND job.give_up_at > ?1 "
    };
}

/// Jobs of a campaign that are queued again, that wait, and that are new: each by its own index, of which one row is read, however many
/// there are. (The planner has no statistics, and would take that of all jobs of the campaign.)
macro_rules! begun {
    ($campaign:literal) => {
        concat!(
            "FROM jobs AS job INDEXED BY jobs_begun_of_campaign WHERE job.campaign IS NOT NULL AND job.campaign = ",
            $campaign,
            " AND job.state = 'queued' AND job.began IS NOT NULL ",
            not_beside!("true")
        )
    };
}
macro_rules! waiting {
    ($campaign:literal) => {
        concat!(
            "FROM jobs AS job INDEXED BY jobs_waiting_of_campaign WHERE job.campaign IS NOT NULL AND job.campaign = ",
            $campaign,
            " AND job.state = 'waiting' ",
            is_due!(),
            not_beside!("true")
        )
    };
}
macro_rules! fresh {
    ($campaign:literal) => {
        concat!(
            "FROM jobs AS job INDEXED BY jobs_new_of_campaign WHERE job.campaign IS NOT NULL AND job.campaign = ",
            $campaign,
            " AND job.state = 'queued' AND job.began IS NULL ",
            not_beside!("true")
        )
    };
}

/// First the jobs whose lease ran out; then those whose turn it is that people asked for themselves, where nothing else of theirs
/// runs and fewer than ?5 of their archives are kept: the owner who was served the longest ago, what is to be given up, what was
/// asked for first. Then what is to be given up of campaigns; then, where ?6, a job of the campaign with the fewest running ones:
/// one that was begun, and a new one where it is neither paused nor given up. All of it is one statement: nobody can come in between.
pub(super) const CLAIM: &str = concat!(
    "WITH next AS (SELECT campaign.id, campaign.state FROM campaigns AS campaign WHERE ?6 AND (EXISTS (SELECT 1 ",
    begun!("campaign.id"),
    ") OR EXISTS (SELECT 1 ",
    waiting!("campaign.id"),
    ") OR (campaign.state = 'running' AND EXISTS (SELECT 1 ",
    fresh!("campaign.id"),
    "))) ORDER BY (SELECT count(*) FROM jobs AS other INDEXED BY jobs_running_of_campaign WHERE other.campaign IS NOT NULL AND other.campaign = campaign.id \
        AND other.state = 'running'), campaign.requested, campaign.id LIMIT 1) \
    UPDATE jobs SET state = 'running', deaths = deaths + (state = 'running'), began = coalesce(began, ?1), \
    token = ?2, worker = ?3, lease_until = ?4, version = version + 1, waiting_for = NULL, retry_at = NULL, give_up_at = NULL, \
    claimed = (SELECT max(claimed) + 1 FROM jobs) \
    WHERE id = coalesce( \
        (SELECT id FROM jobs AS job WHERE state = 'running' AND lease_until <= ?1 \
            ORDER BY (SELECT max(claimed) FROM jobs AS other WHERE other.owner = job.owner), wish IS NULL, requested, id LIMIT 1), \
        (SELECT id FROM jobs AS job WHERE campaign IS NULL AND state IN ('queued', 'running', 'waiting') \
                AND (state = 'queued' OR (state = 'waiting' AND retry_at <= ?1 AND give_up_at > ?1)) ",
    not_beside!("other.campaign IS NULL"),
    "AND (wish IS NOT NULL OR (SELECT count(*) FROM jobs AS kept WHERE kept.owner = job.owner \
                    AND kept.campaign IS NULL AND kept.state = 'ready' AND kept.expires_at > ?1) < ?5) \
            ORDER BY (SELECT max(claimed) FROM jobs AS other WHERE other.owner = job.owner AND other.campaign IS NULL), \
                wish IS NULL, requested, id LIMIT 1), \
        (SELECT id FROM jobs AS job WHERE campaign IS NOT NULL AND wish IS NOT NULL AND state = 'queued' ",
    not_beside!("other.campaign IS NOT NULL"),
    "ORDER BY requested, id LIMIT 1), \
        (SELECT job.id ",
    begun!("(SELECT id FROM next)"),
    "ORDER BY job.requested, job.id LIMIT 1), \
        (SELECT job.id ",
    waiting!("(SELECT id FROM next)"),
    "ORDER BY job.retry_at LIMIT 1), \
        (SELECT job.id ",
    fresh!("(SELECT id FROM next WHERE state = 'running')"),
    "ORDER BY job.requested, job.id LIMIT 1)) \
    RETURNING *"
);

/// A job whose lease ran out, the first one first.
pub(super) const TAKE_OVER: &str = "UPDATE jobs SET deaths = deaths + 1, token = ?2, worker = ?3, lease_until = ?4, \
    version = version + 1, claimed = (SELECT max(claimed) + 1 FROM jobs) \
    WHERE id = (SELECT id FROM jobs WHERE state = 'running' AND lease_until <= ?1 ORDER BY lease_until LIMIT 1) \
    RETURNING *";

pub(super) const RENEW: &str = "UPDATE jobs SET lease_until = ?1 WHERE state = 'running' \
    AND (id, token) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?2)) RETURNING id, token, wish";

/// The row of a run makes progress when it has more bytes than ever.
pub(super) const PROGRESS: &str = "UPDATE jobs SET progress = ?1, progress_serial = progress_serial + 1, \
    deaths = CASE WHEN ?2 > most_bytes THEN 0 ELSE deaths END, \
    paused_since = CASE WHEN ?2 > most_bytes THEN NULL ELSE paused_since END, \
    most_bytes = max(most_bytes, ?2) WHERE id = ?3 AND token = ?4";
