//! The statements about jobs that stand for themselves. Each begins with `$1`: the moment it is where a clock was given, else nothing, and
//! the database's own clock decides.

/// The first part of a statement: the moment it is, given by the first parameter or by another one, else the database's own.
macro_rules! now {
    () => {
        "WITH clock AS MATERIALIZED (SELECT coalesce($1, uforge_export_now()) AS now), "
    };
    ($given:literal) => {
        concat!(
            "WITH clock AS MATERIALIZED (SELECT coalesce(",
            $given,
            ", uforge_export_now()) AS now), "
        )
    };
}
pub(super) use now;

/// What a claim writes: a run that recorded something since it was claimed has made progress, and its deaths begin anew.
macro_rules! claimed {
    () => {
        "UPDATE jobs SET state = 'running', began = coalesce(began, (SELECT now FROM clock)), \
            deaths = CASE WHEN jobs.state <> 'running' THEN deaths WHEN last.number > recorded THEN 0 ELSE deaths + 1 END, \
            taken_over = (jobs.state = 'running'), \
            paused_since = CASE WHEN last.number > recorded THEN NULL ELSE paused_since END, recorded = last.number, \
            token = $2, worker = $3, lease_until = (SELECT now FROM clock) + $4, version = version + 1, \
            waiting_for = NULL, retry_at = NULL, give_up_at = NULL, format = coalesce(format, $5), claimed = nextval('claims') \
        FROM next, LATERAL (SELECT coalesce(max(number), 0) AS number FROM run_records WHERE job = next.id) AS last \
        WHERE jobs.id = next.id RETURNING jobs.*"
    };
}

/// Its time has come, and its format is known here.
macro_rules! is_due {
    () => {
        "AND coalesce(format, $5) <= $5 \
            AND (state = 'queued' OR (retry_at <= (SELECT now FROM clock) AND give_up_at > (SELECT now FROM clock))) "
    };
}

/// No job of its owner runs of which this is true.
macro_rules! not_beside {
    ($which:literal) => {
        concat!(
            "AND NOT EXISTS (SELECT 1 FROM jobs AS other WHERE other.owner = job.owner AND other.state = 'running' AND ",
            $which,
            ")"
        )
    };
}

/// Jobs that nobody runs although they have to go on before all others: `expired`, whose lease ran out, and `holding`, which were given back
/// and whose exports still have slots of the platform.
macro_rules! urgent {
    () => {
        concat!(
            "expired AS (SELECT id FROM jobs WHERE state = 'running' AND lease_until <= (SELECT now FROM clock) \
                AND coalesce(format, $5) <= $5 ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED), \
            holding AS (SELECT id FROM jobs AS job WHERE id IN (SELECT job FROM slots WHERE job IS NOT NULL) \
                AND state IN ('queued', 'waiting') AND NOT EXISTS (SELECT 1 FROM expired) ",
            is_due!(),
            not_beside!("(other.campaign IS NULL) = (job.campaign IS NULL)"),
            " ORDER BY requested, id LIMIT 1 FOR UPDATE SKIP LOCKED), "
        )
    };
}

/// A job of this kind of the campaign whose turn it is, unless another kind has one.
macro_rules! of_campaign {
    ($name:literal, $unless:literal, $which:expr, $order:literal) => {
        concat!(
            $name,
            " AS (SELECT id FROM jobs AS job WHERE campaign IS NOT NULL AND campaign = (SELECT id FROM campaign) ",
            $which,
            " ",
            $unless,
            not_beside!("true"),
            " ORDER BY ",
            $order,
            " LIMIT 1 FOR UPDATE SKIP LOCKED), "
        )
    };
}

/// Whether a campaign has a job of this kind. The order is that of the kind's index: one row is read, however many there are.
macro_rules! has {
    ($which:expr, $order:literal) => {
        concat!(
            "(SELECT 1 FROM jobs AS job WHERE job.campaign IS NOT NULL AND job.campaign = campaign.id ",
            $which,
            not_beside!("true"),
            " ORDER BY ",
            $order,
            " LIMIT 1) IS NOT NULL"
        )
    };
}

/// Jobs of campaigns that are queued again, that waited long enough, and that are new.
macro_rules! begun {
    () => {
        "AND job.state = 'queued' AND job.began IS NOT NULL AND coalesce(job.format, $5) <= $5 "
    };
}
macro_rules! waited {
    () => {
        "AND job.state = 'waiting' AND coalesce(job.format, $5) <= $5 \
            AND job.retry_at <= (SELECT now FROM clock) AND job.give_up_at > (SELECT now FROM clock) "
    };
}
macro_rules! fresh {
    () => {
        "AND job.state = 'queued' AND job.began IS NULL AND coalesce(job.format, $5) <= $5 "
    };
}

/// First those that are urgent. Then those that people asked for themselves, where nothing else of theirs runs and fewer than `$6` of their
/// archives are kept: the owner who was served the longest ago, what is to be given up, what was asked for first. Then what is to be given
/// up of campaigns. Then, where `$7`, of the campaign with the fewest running jobs: one that was begun, and a new one where it is running.
pub(super) const CLAIM: &str = concat!(
    now!(),
    urgent!(),
    "own AS (SELECT id FROM jobs AS job WHERE campaign IS NULL AND state IN ('queued', 'waiting') \
        AND NOT EXISTS (SELECT 1 FROM expired) AND NOT EXISTS (SELECT 1 FROM holding) ",
    is_due!(),
    not_beside!("other.campaign IS NULL"),
    " AND (wish IS NOT NULL OR (SELECT count(*) FROM jobs AS kept WHERE kept.owner = job.owner AND kept.campaign IS NULL \
            AND kept.state = 'ready' AND kept.expires_at > (SELECT now FROM clock)) < $6) \
        ORDER BY turn, (wish IS NULL), requested, id LIMIT 1 FOR UPDATE SKIP LOCKED), \
    first AS (SELECT id FROM expired UNION ALL SELECT id FROM holding UNION ALL SELECT id FROM own), \
    unwanted AS (SELECT id FROM jobs AS job WHERE campaign IS NOT NULL AND state = 'queued' AND wish IS NOT NULL \
        AND NOT EXISTS (SELECT 1 FROM first) ",
    is_due!(),
    not_beside!("other.campaign IS NOT NULL"),
    " ORDER BY requested, id LIMIT 1 FOR UPDATE SKIP LOCKED), \
    campaign AS MATERIALIZED (SELECT id, state FROM campaigns AS campaign WHERE $7 \
        AND NOT EXISTS (SELECT 1 FROM first) AND NOT EXISTS (SELECT 1 FROM unwanted) AND (",
    has!(begun!(), "job.requested, job.id"),
    " OR ",
    has!(waited!(), "job.retry_at"),
    " OR (campaign.state = 'running' AND ",
    has!(fresh!(), "job.requested, job.id"),
    ")) ORDER BY (SELECT count(*) FROM jobs AS other WHERE other.campaign IS NOT NULL AND other.campaign = campaign.id \
            AND other.state = 'running'), requested, id LIMIT 1), ",
    of_campaign!("begun", "", begun!(), "requested, id"),
    of_campaign!(
        "waited",
        "AND NOT EXISTS (SELECT 1 FROM begun) ",
        waited!(),
        "retry_at"
    ),
    of_campaign!(
        "fresh",
        "AND NOT EXISTS (SELECT 1 FROM begun) AND NOT EXISTS (SELECT 1 FROM waited) \
            AND (SELECT state FROM campaign) = 'running' ",
        fresh!(),
        "requested, id"
    ),
    "next AS (SELECT id FROM first UNION ALL SELECT id FROM unwanted UNION ALL SELECT id FROM begun \
        UNION ALL SELECT id FROM waited UNION ALL SELECT id FROM fresh) ",
    claimed!()
);

/// Those that are urgent, and no others.
pub(super) const TAKE_OVER: &str = concat!(
    now!(),
    urgent!(),
    "next AS (SELECT id FROM expired UNION ALL SELECT id FROM holding) ",
    claimed!()
);

/// The owner's other jobs go behind those of everybody who was served before.
pub(super) const TURN: &str = "UPDATE jobs SET turn = $2 WHERE owner = $1 AND campaign IS NULL AND state IN ('queued', 'waiting') AND turn < $2";

/// Rows are locked in one order: what renews and what records progress does not wait for each other in a circle.
pub(super) const RENEW: &str = concat!(
    now!(),
    "held AS (SELECT jobs.id FROM jobs JOIN unnest($3::text[], $4::text[]) AS given (id, token) \
            ON jobs.id = given.id AND jobs.token = given.token WHERE state = 'running' ORDER BY jobs.id FOR UPDATE OF jobs) \
    UPDATE jobs SET lease_until = (SELECT now FROM clock) + $2 FROM held WHERE jobs.id = held.id \
    RETURNING jobs.id, jobs.token, jobs.wish"
);

/// A run makes progress when it has more bytes than ever.
pub(super) const PROGRESS: &str = "WITH given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) \
        AS given (job, token, progress, bytes)), \
    held AS MATERIALIZED (SELECT id, given.progress, bytes FROM jobs JOIN given ON jobs.id = given.job AND jobs.token = given.token \
        ORDER BY id FOR UPDATE OF jobs), \
    moved AS (UPDATE jobs SET deaths = 0, paused_since = NULL, most_bytes = held.bytes FROM held \
        WHERE jobs.id = held.id AND held.bytes > jobs.most_bytes) \
    INSERT INTO progress (job, progress, serial) SELECT id, held.progress, 1 FROM held \
    ON CONFLICT (job) DO UPDATE SET progress = excluded.progress, serial = progress.serial + 1";
