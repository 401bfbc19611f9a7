//! Rows of any engine, and what is read of them.

use domain::jobs::{
    AuditAction, AuditEntry, Campaign, CampaignId, CampaignStanding, CampaignState, Claim, JobId,
    JobProgress, JobStateName, Lease, NumberedEntry, Renewed, Standing, StoredJob, Token, Wish,
};
use domain::model::{Sha256, UserId};
use sqlx::{ColumnIndex, Decode, Row, Type};

use crate::columns::{JobColumns, RowError, in_order, read_name, wish_of};
use crate::moments::from_column;

/// A row, by the names of its columns.
pub(crate) trait Columns {
    /// A text.
    fn text(&self, column: &str) -> Result<String, RowError>;
    /// A text, where there is one.
    fn some_text(&self, column: &str) -> Result<Option<String>, RowError>;
    /// A number as the engine has it.
    fn integer(&self, column: &str) -> Result<i64, RowError>;
    /// The same, where there is one.
    fn some_integer(&self, column: &str) -> Result<Option<i64>, RowError>;

    /// A number of floating point, where there is one.
    fn some_float(&self, column: &str) -> Result<Option<f64>, RowError>;
    /// Bytes, where there are some.
    fn some_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, RowError>;

    /// A number that counts something.
    fn number(&self, column: &str) -> Result<u64, RowError> {
        Ok(u64::try_from(self.integer(column)?)?)
    }
}

impl<R> Columns for R
where
    R: Row,
    for<'c> &'c str: ColumnIndex<R>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Option<f64>: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Option<Vec<u8>>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn text(&self, column: &str) -> Result<String, RowError> {
        Ok(self.try_get(column)?)
    }

    fn some_text(&self, column: &str) -> Result<Option<String>, RowError> {
        Ok(self.try_get(column)?)
    }

    fn integer(&self, column: &str) -> Result<i64, RowError> {
        Ok(self.try_get(column)?)
    }

    fn some_integer(&self, column: &str) -> Result<Option<i64>, RowError> {
        Ok(self.try_get(column)?)
    }

    fn some_float(&self, column: &str) -> Result<Option<f64>, RowError> {
        Ok(self.try_get(column)?)
    }

    fn some_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, RowError> {
        Ok(self.try_get(column)?)
    }
}

/// A job, of a row with all of its columns.
pub(crate) fn read_job(row: &impl Columns) -> Result<StoredJob, RowError> {
    let columns = JobColumns {
        id: row.text("id")?,
        owner: row.text("owner")?,
        request: row.text("request")?,
        requested: row.integer("requested")?,
        began: row.some_integer("began")?,
        state: row.text("state")?,
        waiting_for: row.some_text("waiting_for")?,
        retry_at: row.some_integer("retry_at")?,
        give_up_at: row.some_integer("give_up_at")?,
        ended_at: row.some_integer("ended_at")?,
        failure: row.some_text("failure")?,
        resumable_until: row.some_integer("resumable_until")?,
        ready_at: row.some_integer("ready_at")?,
        expires_at: row.some_integer("expires_at")?,
        bag: row.some_text("bag")?,
        completeness: row.some_text("completeness")?,
        paused_since: row.some_integer("paused_since")?,
        deaths: row.integer("deaths")?,
        notes: row.text("notes")?,
        downloads: row.text("downloads")?,
        downloads_total: row.integer("downloads_total")?,
        version: row.integer("version")?,
        campaign: row.some_text("campaign")?,
        ordered_by: row.some_text("ordered_by")?,
        wished_by: row.some_text("wished_by")?,
    };
    columns.read()
}

pub(crate) fn read_jobs(rows: &[impl Columns]) -> Result<Vec<StoredJob>, RowError> {
    rows.iter().map(read_job).collect()
}

pub(crate) fn read_id(row: &impl Columns, column: &str) -> Result<JobId, RowError> {
    Ok(JobId::parse(&row.text(column)?)?)
}

pub(crate) fn read_ids(rows: &[impl Columns]) -> Result<Vec<JobId>, RowError> {
    rows.iter().map(|row| read_id(row, "id")).collect()
}

pub(crate) fn read_user(row: &impl Columns, column: &str) -> Result<UserId, RowError> {
    Ok(UserId::parse(&row.text(column)?)?)
}

/// Jobs, of rows with their ids and owners.
pub(crate) fn read_owned(rows: &[impl Columns]) -> Result<Vec<(JobId, UserId)>, RowError> {
    rows.iter()
        .map(|row| Ok((read_id(row, "id")?, read_user(row, "owner")?)))
        .collect()
}

/// What is wanted of a job.
pub(crate) fn read_wish(row: &impl Columns) -> Result<Option<Wish>, RowError> {
    Ok(wish_of(row.some_text("wish")?.as_deref()))
}

/// A claim that was made with this token, of a row with all columns of its job.
pub(crate) fn read_claim(row: &impl Columns, token: Token) -> Result<Claim, RowError> {
    let StoredJob { job, version } = read_job(row)?;
    let lease = Lease {
        job: job.id.clone(),
        token,
    };
    let wish = read_wish(row)?;
    Ok(Claim {
        job,
        version,
        lease,
        wish,
    })
}

/// Leases, of rows with their jobs and tokens and what is wanted of them.
pub(crate) fn read_renewed(rows: &[impl Columns]) -> Result<Vec<Renewed>, RowError> {
    rows.iter()
        .map(|row| {
            let lease = Lease {
                job: read_id(row, "id")?,
                token: Token::parse(&row.text("token")?)?,
            };
            let wish = read_wish(row)?;
            Ok(Renewed { lease, wish })
        })
        .collect()
}

/// How far a run is, and how often that was said.
pub(crate) fn read_progress(row: &impl Columns) -> Result<Option<(u64, JobProgress)>, RowError> {
    let Some(json) = row.some_text("progress")? else {
        return Ok(None);
    };
    Ok(Some((row.number("serial")?, serde_json::from_str(&json)?)))
}

/// How many jobs have each state.
pub(crate) fn read_counts(rows: &[impl Columns]) -> Result<Vec<(JobStateName, u64)>, RowError> {
    let counts = rows
        .iter()
        .map(|row| Ok((read_name(row.text("state")?)?, row.number("jobs")?)));
    Ok(in_order(counts.collect::<Result<_, RowError>>()?))
}

/// What there is of one person and of all together: of the row that counts it, those of the person's orders, and those of their archives.
pub(crate) fn read_person_standing(
    counts: &impl Columns,
    orders: &[impl Columns],
    archives: &[impl Columns],
) -> Result<Standing, RowError> {
    let requested = orders.iter().map(|row| row.integer("requested"));
    Ok(Standing {
        unfinished: usize::try_from(counts.number("theirs")?)?,
        unfinished_in_all: usize::try_from(counts.number("everybodys")?)?,
        orders: requested
            .map(|at| at.map(from_column))
            .collect::<Result<_, _>>()?,
        archives: read_ids(archives)?,
    })
}

/// A campaign, of a row with all of its columns.
pub(crate) fn read_campaign(row: &impl Columns) -> Result<Campaign, RowError> {
    Ok(Campaign {
        id: CampaignId::parse(&row.text("id")?)?,
        requested_by: read_user(row, "requested_by")?,
        requested: from_column(row.integer("requested")?),
        order: serde_json::from_str(&row.text("ordered")?)?,
        state: read_name::<CampaignState>(row.text("state")?)?,
        total: row.number("total")?,
    })
}

pub(crate) fn read_campaigns(rows: &[impl Columns]) -> Result<Vec<Campaign>, RowError> {
    rows.iter().map(read_campaign).collect()
}

/// Campaigns, of rows with their ids and who asked for them.
pub(crate) fn read_requested(rows: &[impl Columns]) -> Result<Vec<(CampaignId, UserId)>, RowError> {
    rows.iter()
        .map(|row| {
            let id = CampaignId::parse(&row.text("id")?)?;
            Ok((id, read_user(row, "requested_by")?))
        })
        .collect()
}

/// Where a campaign's jobs are, of rows with the count of each state and when the first of those jobs began.
pub(crate) fn read_standing(rows: &[impl Columns]) -> Result<CampaignStanding, RowError> {
    let mut standing = CampaignStanding::default();
    for row in rows {
        let name: JobStateName = read_name(row.text("name")?)?;
        standing.counts.push((name, row.number("jobs")?));
        let began = row.some_integer("first_began")?.map(from_column);
        standing.first_began = [standing.first_began, began].into_iter().flatten().min();
    }
    standing.counts = in_order(standing.counts);
    Ok(standing)
}

/// An entry of the audit trail. Its `transferred` are the bytes of a download's transfers, if it has any: a sum of floating point, since so
/// many bytes that a whole number overflows would be an error.
pub(crate) fn read_audit_entry(row: &impl Columns) -> Result<NumberedEntry, RowError> {
    let user = |column: &str| -> Result<Option<UserId>, RowError> {
        let parsed = row.some_text(column)?.map(|name| UserId::parse(&name));
        Ok(parsed.transpose()?)
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a sum of lengths; what is beyond every disk may be rounded"
    )]
    let transferred = row.some_float("transferred")?.map(|bytes| bytes as u64);
    let bytes = match transferred {
        Some(bytes) => Some(bytes),
        None => row.some_integer("bytes")?.map(u64::try_from).transpose()?,
    };
    let action = row.text("action")?;
    let export = row.some_text("export")?;
    let entry = AuditEntry {
        at: from_column(row.integer("at")?),
        action: AuditAction::parse(&action).ok_or("an action that is not known here")?,
        actor: user("actor")?,
        subject: user("subject")?,
        from: row.some_text("source")?,
        export: export.map(|id| JobId::parse(&id)).transpose()?,
        sha256: row.some_text("sha256")?.map(Sha256::try_from).transpose()?,
        bytes,
        detail: row.some_text("detail")?,
    };
    Ok(NumberedEntry {
        number: row.number("number")?,
        entry,
    })
}
