//! The platform's slots in PostgreSQL.

use async_trait::async_trait;
use domain::jobs::{Freed, JobId, Lease, Slot, SlotRules, Slots, SlotsError};
use domain::model::ItemRef;
use futures_util::stream::BoxStream;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::database::{PostgresDatabase, nanoseconds};
use super::signals::TURNS;
use super::statements::now;
use crate::failure::said_once;
use crate::rows::read_id;

/// The part of a job in the order of those that wait: what people asked for themselves, and of that what was taken over from a worker that
/// died and has no slot; then what is of campaigns, in the same order.
macro_rules! class {
    () => {
        "(CASE WHEN jobs.campaign IS NULL THEN 0 ELSE 2 END + CASE WHEN jobs.taken_over \
            AND NOT EXISTS (SELECT 1 FROM slots WHERE slots.job = jobs.id) THEN 0 ELSE 1 END) AS class"
    };
}

/// The other jobs that wait for slots. A job whose `until` has passed is left out: its worker may have died.
macro_rules! waiting {
    () => {
        concat!(
            "waiting AS MATERIALIZED (SELECT wanted.job, jobs.worker, since, wants, \
                EXISTS (SELECT 1 FROM slots WHERE slots.job = wanted.job) AS has_one, ",
            class!(),
            " FROM slots_wanted AS wanted JOIN jobs ON jobs.id = wanted.job \
                WHERE wanted.job <> $1 AND wants > 0 AND until > (SELECT now FROM clock) AND jobs.state = 'running'), "
        )
    };
}

/// Gives no row where the lease is lost, else a row for each item that has a slot, or one row without an item. Slots that jobs further ahead
/// are waiting for are not given out.
const TAKE: &str = concat!(
    now!("$4"),
    "held AS MATERIALIZED (SELECT id, campaign, taken_over FROM jobs WHERE id = $1 AND token = $2 FOR SHARE), ",
    waiting!(),
    "me AS MATERIALIZED (SELECT ",
    class!(),
    ", coalesce((SELECT since FROM slots_wanted WHERE job = $1 AND until > (SELECT now FROM clock)), (SELECT now FROM clock)) AS since \
        FROM held AS jobs), \
    ahead AS (SELECT coalesce(sum(wants), 0)::bigint AS slots FROM waiting, me \
        WHERE (waiting.class, waiting.since, waiting.job) < (me.class, me.since, $1)), \
    own AS (SELECT item, number FROM slots WHERE job = $1 AND item = ANY($3) AND EXISTS (SELECT 1 FROM held)), \
    asked AS (SELECT item, row_number() OVER (ORDER BY place) AS place FROM unnest($3::text[]) WITH ORDINALITY AS given (item, place) \
        WHERE item NOT IN (SELECT item FROM own)), \
    free AS (SELECT number FROM slots WHERE job IS NULL AND EXISTS (SELECT 1 FROM held) ORDER BY number \
        LIMIT (SELECT greatest(0, least((SELECT count(*) FROM asked), (SELECT count(*) FROM slots WHERE job IS NULL) - slots)) FROM ahead) \
        FOR UPDATE SKIP LOCKED), \
    numbered AS (SELECT number, row_number() OVER (ORDER BY number) AS place FROM free), \
    taken AS (UPDATE slots SET job = $1, item = asked.item FROM numbered JOIN asked USING (place) \
        WHERE slots.number = numbered.number RETURNING slots.item, slots.number), \
    lacking AS (SELECT (SELECT count(*) FROM asked) - (SELECT count(*) FROM taken) AS slots), \
    wanted AS (INSERT INTO slots_wanted (job, since, until, wants) \
        SELECT $1, CASE WHEN EXISTS (SELECT 1 FROM taken) THEN now ELSE me.since END, now + $5, lacking.slots FROM me, clock, lacking \
        WHERE lacking.slots > 0 ON CONFLICT (job) DO UPDATE SET since = excluded.since, until = excluded.until, wants = excluded.wants), \
    served AS (DELETE FROM slots_wanted WHERE job = $1 AND EXISTS (SELECT 1 FROM held) AND (SELECT slots FROM lacking) = 0) \
    SELECT got.item, got.number FROM held LEFT JOIN (SELECT item, number FROM own UNION ALL SELECT item, number FROM taken) AS got ON true"
);

/// Hands the slot to the item `$5` where no other job is ahead. Otherwise frees it, and notifies the worker of the first waiting job for which
/// the free slots did not suffice, if it is another one. A signal costs every commit of the database a moment, so there is none where nobody
/// waits.
const GIVE_BACK: &str = concat!(
    now!("$4"),
    "held AS MATERIALIZED (SELECT id, worker, CASE WHEN campaign IS NULL THEN 1 ELSE 3 END AS class FROM jobs \
        WHERE id = $1 AND token = $2 FOR SHARE), ",
    waiting!(),
    "passing AS MATERIALIZED (SELECT id, $5::text AS item FROM held WHERE $5 IS NOT NULL \
        AND NOT EXISTS (SELECT 1 FROM slots WHERE job = $1 AND item = $5) \
        AND NOT EXISTS (SELECT 1 FROM waiting WHERE waiting.class < held.class \
            OR (waiting.class = held.class AND NOT has_one AND since <= (SELECT now FROM clock) - $6))), \
    freed AS (UPDATE slots SET job = (SELECT id FROM passing), item = (SELECT item FROM passing) FROM held \
        WHERE slots.job = held.id AND slots.item = $3 RETURNING slots.job IS NOT NULL AS passed), \
    served AS (UPDATE slots_wanted SET wants = wants - 1 WHERE job = $1 AND wants > 0 AND EXISTS (SELECT 1 FROM freed WHERE passed)), \
    line AS (SELECT job, worker, sum(wants) OVER (ORDER BY class, since, job) AS reach FROM waiting), \
    next AS MATERIALIZED (SELECT job, worker FROM line WHERE EXISTS (SELECT 1 FROM freed WHERE NOT passed) \
        AND reach > (SELECT count(*) FROM slots WHERE job IS NULL) ORDER BY reach LIMIT 1), \
    notified AS MATERIALIZED (SELECT pg_notify($7, next.job) FROM next, held WHERE next.worker IS DISTINCT FROM held.worker) \
    SELECT (SELECT passed FROM freed) AS passed, (SELECT job FROM next) AS next, (SELECT count(*) FROM notified) AS notified FROM held"
);

const TAKEN: &str = "SELECT count(*) AS taken FROM slots WHERE job IS NOT NULL";

/// The slots of a [`PostgresDatabase`].
pub struct PostgresSlots {
    database: PostgresDatabase,
}

fn unavailable(error: sqlx::Error) -> SlotsError {
    SlotsError::Unavailable(said_once(error))
}

fn lost(lease: &Lease) -> SlotsError {
    let id = lease.job.clone();
    SlotsError::Lost { id }
}

impl PostgresSlots {
    /// So many slots. Those that are there already stay; all processes want the same number.
    pub async fn open(database: &PostgresDatabase, slots: u32) -> Result<Self, SlotsError> {
        sqlx::query(
            "INSERT INTO slots (number) SELECT generate_series(1, $1) ON CONFLICT DO NOTHING",
        )
        .bind(i64::from(slots))
        .execute(&database.pool)
        .await
        .map_err(unavailable)?;
        sqlx::query("DELETE FROM slots WHERE number > $1 AND job IS NULL")
            .bind(i64::from(slots))
            .execute(&database.pool)
            .await
            .map_err(unavailable)?;
        Ok(Self {
            database: database.clone(),
        })
    }
}

/// The item of a row and its slot, where it has one.
fn read_slot(row: &PgRow, items: &[ItemRef]) -> Result<Option<(ItemRef, Slot)>, sqlx::Error> {
    let (item, number): (Option<String>, Option<i64>) =
        (row.try_get("item")?, row.try_get("number")?);
    let item = item.and_then(|item| items.iter().find(|asked| asked.to_string() == item));
    let number = number.and_then(|number| u32::try_from(number).ok());
    Ok(item.copied().zip(number.map(Slot)))
}

#[async_trait]
impl Slots for PostgresSlots {
    async fn take(
        &self,
        lease: &Lease,
        items: &[ItemRef],
    ) -> Result<Vec<(ItemRef, Slot)>, SlotsError> {
        let names: Vec<String> = items.iter().map(ToString::to_string).collect();
        let rows = sqlx::query(TAKE)
            .bind(lease.job.as_str())
            .bind(lease.token.as_str())
            .bind(names)
            .bind(self.database.given_now())
            .bind(nanoseconds(SlotRules::WANTED_FOR))
            .fetch_all(&self.database.pool)
            .await
            .map_err(unavailable)?;
        if rows.is_empty() {
            return Err(lost(lease));
        }
        let slots = rows.iter().map(|row| read_slot(row, items));
        let slots: Result<Vec<_>, _> = slots.collect();
        Ok(slots.map_err(unavailable)?.into_iter().flatten().collect())
    }

    async fn give_back(
        &self,
        lease: &Lease,
        item: &ItemRef,
        next: Option<ItemRef>,
    ) -> Result<Freed, SlotsError> {
        let row = sqlx::query(GIVE_BACK)
            .bind(lease.job.as_str())
            .bind(lease.token.as_str())
            .bind(item.to_string())
            .bind(self.database.given_now())
            .bind(next.map(|next| next.to_string()))
            .bind(nanoseconds(SlotRules::PATIENCE))
            .bind(TURNS)
            .fetch_optional(&self.database.pool)
            .await
            .map_err(unavailable)?;
        let row = row.ok_or_else(|| lost(lease))?;
        let passed: Option<bool> = row.try_get("passed").map_err(unavailable)?;
        let waits: Option<String> = row.try_get("next").map_err(unavailable)?;
        Ok(match (passed, waits) {
            (Some(true), _) => Freed::Passed,
            (Some(false), Some(_)) => {
                Freed::For(read_id(&row, "next").map_err(SlotsError::Unavailable)?)
            }
            (_, _) => Freed::Nobody,
        })
    }

    fn turns(&self) -> BoxStream<'static, JobId> {
        self.database.signals.turns()
    }

    async fn taken(&self) -> Result<usize, SlotsError> {
        let row = sqlx::query(TAKEN).fetch_one(&self.database.pool).await;
        let taken: i64 = row
            .and_then(|row| row.try_get("taken"))
            .map_err(unavailable)?;
        Ok(usize::try_from(taken).unwrap_or_default())
    }
}
