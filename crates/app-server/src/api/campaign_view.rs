//! Campaigns as JSON and CSV: what administrators see of them.

use std::collections::BTreeMap;

use domain::jobs::{Campaign, CampaignPhase, CampaignStanding, JobState, JobStateName, StoredJob};
use domain::report::Completeness;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::csv::cell;

/// One campaign.
#[derive(Serialize, ToSchema)]
#[schema(as = Campaign)]
pub(super) struct CampaignView {
    /// Its name.
    #[schema(format = Uuid)]
    id: String,
    /// `running`, `paused`, `done` or `cancelled`.
    #[schema(value_type = String)]
    state: CampaignPhase,
    /// The administrator who ordered it.
    requested_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    requested: Timestamp,
    /// How many people it is for.
    total: u64,
    /// How many exports are in each state; states without one are left out.
    #[schema(value_type = Object)]
    counts: BTreeMap<String, u64>,
    /// When it will be done, if the rest takes as long as what has ended so far.
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_end: Option<Timestamp>,
}

impl CampaignView {
    pub(super) fn of(campaign: &Campaign, standing: &CampaignStanding, now: Timestamp) -> Self {
        let counts = standing.counts.iter();
        Self {
            id: campaign.id.to_string(),
            state: campaign.phase(standing),
            requested_by: campaign.requested_by.to_string(),
            requested: campaign.requested,
            total: campaign.total,
            counts: counts
                .map(|(name, count)| (name.to_string(), *count))
                .collect(),
            expected_end: campaign.expected_end(standing, now),
        }
    }
}

/// A page of campaigns.
#[derive(Serialize, ToSchema)]
#[schema(as = Campaigns)]
pub(super) struct CampaignsView {
    /// Newest first.
    pub(super) campaigns: Vec<CampaignView>,
    /// Where the next page is; `null` at the end.
    pub(super) next: Option<String>,
}

/// A page of a campaign's report.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignReport)]
pub(super) struct ReportView {
    /// One person each.
    pub(super) rows: Vec<RowView>,
    /// Where the next page is; `null` at the end.
    pub(super) next: Option<String>,
}

/// What one person's export came to.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignReportRow)]
pub(super) struct RowView {
    /// Whose data.
    user: String,
    /// The export.
    #[schema(format = Uuid)]
    export: String,
    /// Where it is in its life.
    #[schema(value_type = String)]
    state: JobStateName,
    /// `complete` or `partial`, once there is an archive.
    #[schema(value_type = Option<String>)]
    outcome: Option<Completeness>,
    /// What is missing: `section/id name: reason`.
    missing: Vec<String>,
    /// SHA-256 of the archive.
    sha256: Option<String>,
}

/// What is read of `export.json`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Report {
    items: Vec<Item>,
    failures: Vec<Failure>,
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Item {
    section: String,
    id: Option<i64>,
    name: Option<String>,
    status: String,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    section: String,
    id: Option<i64>,
    name: Option<String>,
    #[serde(default)]
    stage: String,
    message: String,
}

#[derive(Deserialize)]
struct Section {
    name: String,
    status: String,
    reason: Option<String>,
}

impl RowView {
    /// `report` is the `export.json` of the export, where there is one.
    pub(super) fn of(stored: &StoredJob, report: Option<&[u8]>, now: Timestamp) -> Self {
        let job = &stored.job;
        let delivery = job.delivery();
        Self {
            user: job.request.user.to_string(),
            export: job.id.to_string(),
            state: job.state_at(now),
            outcome: delivery.map(|delivery| delivery.completeness),
            missing: missing(&job.state, report),
            sha256: delivery.map(|delivery| delivery.bag.sha256.to_string()),
        }
    }

    /// The row as a line of CSV, in the order of [`HEAD`].
    pub(super) fn line(&self) -> String {
        let outcome = match self.outcome {
            Some(Completeness::Complete) => "complete",
            Some(Completeness::Partial) => "partial",
            None => "",
        };
        let state = self.state.to_string();
        let missing = self.missing.join("; ");
        let cells = [
            cell(&self.user),
            self.export.clone(),
            state,
            outcome.to_owned(),
            cell(&missing),
            self.sha256.clone().unwrap_or_default(),
        ];
        cells.join(",") + "\r\n"
    }
}

/// The first line of the report as CSV.
pub(super) const HEAD: &str = "user,export,state,outcome,missing,sha256\r\n";

/// Everything of which the report says that it is not there; of an export without a report, why there is none.
fn missing(state: &JobState, report: Option<&[u8]>) -> Vec<String> {
    if let JobState::Failed { failure, .. } = state {
        return vec![failure.message.clone()];
    }
    let report: Option<Report> = report.and_then(|report| serde_json::from_slice(report).ok());
    let Report {
        items,
        mut failures,
        sections,
    } = report.unwrap_or_default();
    // After that stage the data itself is safe.
    failures.retain(|failure| failure.stage != "delete");
    let mut missing = Vec::new();
    for item in items.iter().filter(|item| item.status != "complete") {
        let is_its = |failure: &Failure| failure.section == item.section && failure.id == item.id;
        let failure = failures.iter().find(|failure| is_its(failure));
        let message = failure.map(|failure| failure.message.as_str());
        let reason = item.reason.as_deref().or(message).unwrap_or(&item.status);
        missing.push(sentence(
            &item.section,
            item.id,
            item.name.as_deref(),
            reason,
        ));
        // What has no number may be several things.
        failures.retain(|failure| item.id.is_none() || !is_its(failure));
    }
    missing.extend(failures.iter().map(|failure| {
        let (name, message) = (failure.name.as_deref(), &failure.message);
        sentence(&failure.section, failure.id, name, message)
    }));
    let refused = sections
        .iter()
        .filter(|section| section.status == "unavailable");
    missing.extend(refused.map(|section| {
        let reason = section.reason.as_deref().unwrap_or("unavailable");
        sentence(&section.name, None, None, reason)
    }));
    missing
}

/// `section/id name: reason`.
fn sentence(section: &str, id: Option<i64>, name: Option<&str>, reason: &str) -> String {
    let id = id.map(|id| format!("/{id}")).unwrap_or_default();
    let name = name.map(|name| format!(" {name}")).unwrap_or_default();
    format!("{section}{id}{name}: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_reason() {
        let report = br#"{"failures":[
            {"section":"appliances","id":204,"name":"shop","stage":"start","message":"no OS profile","attempts":5},
            {"section":"usage","id":null,"name":null,"stage":"download","message":"404","attempts":1},
            {"section":"appliances","id":205,"name":null,"stage":"delete","message":"left","attempts":1}],
            "items":[
                {"section":"appliances","id":204,"name":"shop","status":"partial","reason":null},
                {"section":"cloud-accounts","id":7,"name":"aws","status":"partial","reason":"its secrets are missing"},
                {"section":"appliances","id":205,"name":"web","status":"complete","reason":null}],
            "sections":[{"name":"scans","status":"unavailable","reason":"403"},{"name":"roles","status":"complete","reason":null}]}"#;
        assert_eq!(
            missing(&JobState::Queued, Some(report)),
            [
                "appliances/204 shop: no OS profile",
                "cloud-accounts/7 aws: its secrets are missing",
                "usage: 404",
                "scans: 403"
            ]
        );
        assert_eq!(missing(&JobState::Queued, None), [""; 0]);
    }
}
