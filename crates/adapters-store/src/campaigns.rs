//! Campaigns as columns, whatever the engine.

use domain::jobs::{CampaignStanding, JobStateName};

use crate::columns::{RowError, in_order, read_name};
use crate::moments::from_column;

/// Reads a row with all columns of a campaign.
macro_rules! read_campaign_columns {
    ($row:expr) => {{
        let row = $row;
        let text = |column: &str| -> Result<String, RowError> { Ok(row.try_get(column)?) };
        let total: i64 = row.try_get("total")?;
        Ok(Campaign {
            id: CampaignId::parse(&text("id")?)?,
            requested_by: UserId::parse(&text("requested_by")?)?,
            requested: $crate::moments::from_column(row.try_get("requested")?),
            order: serde_json::from_str(&text("ordered")?)?,
            state: $crate::columns::read_name::<CampaignState>(text("state")?)?,
            total: u64::try_from(total)?,
        })
    }};
}
pub(crate) use read_campaign_columns;

/// How many jobs of a campaign have this state, and when the first of them began.
pub(crate) struct Count {
    pub(crate) name: String,
    pub(crate) jobs: i64,
    pub(crate) first_began: Option<i64>,
}

/// Reads a row with a count.
macro_rules! read_count_columns {
    ($row:expr) => {{
        let row = $row;
        Ok($crate::campaigns::Count {
            name: row.try_get("name")?,
            jobs: row.try_get("jobs")?,
            first_began: row.try_get("first_began")?,
        })
    }};
}
pub(crate) use read_count_columns;

/// Where a campaign's jobs are, in the order of a job's life.
pub(crate) fn standing_of(counts: Vec<Count>) -> Result<CampaignStanding, RowError> {
    let mut standing = CampaignStanding::default();
    for count in counts {
        let name: JobStateName = read_name(count.name)?;
        standing.counts.push((name, u64::try_from(count.jobs)?));
        let began = count.first_began.map(from_column);
        standing.first_began = [standing.first_began, began].into_iter().flatten().min();
    }
    standing.counts = in_order(standing.counts);
    Ok(standing)
}
