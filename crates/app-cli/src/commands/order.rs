//! Turns settings into the domain's order.

use domain::model::{Order, SafeName};
use domain::workflow::Limits;
use jiff::Timestamp;

use crate::compose;
use crate::settings::{ConnectionSettings, OutputSettings, SelectionSettings};

/// The order for an export.
pub(super) fn of_export(
    connection: &ConnectionSettings,
    selection: &SelectionSettings,
    output: &OutputSettings,
    bag_name: SafeName,
) -> Order {
    Order {
        bag_name,
        format: output.format,
        tickets: output.tickets,
        jobs: output.jobs,
        downloads: output.downloads,
        max_wait: output.max_wait,
        ..of_plan(connection, selection)
    }
}

/// The order for a plan: no bag is made, so the settings of one do not matter.
pub(super) fn of_plan(connection: &ConnectionSettings, selection: &SelectionSettings) -> Order {
    Order {
        user: connection.user.clone(),
        source: connection.server.url.clone(),
        tool_version: compose::TOOL_VERSION.to_owned(),
        selection: selection.selection.clone(),
        output_format: selection.output_format,
        documents: selection.documents,
        secrets: selection.secrets,
        strictness: selection.strictness,
        tickets: domain::model::TicketPolicy::default(),
        outage: domain::model::OutagePolicy::Report,
        format: domain::model::BagFormat::default(),
        bag_name: no_bag(),
        notice: selection.notice.clone(),
        since: None,
        jobs: Limits::JOBS,
        downloads: Limits::DOWNLOADS,
        max_wait: Limits::MAX_WAIT,
        seed: seed(),
    }
}

/// The name of a bag that is not made.
#[expect(clippy::expect_used, reason = "one plain word is always a safe name")]
fn no_bag() -> SafeName {
    SafeName::parse("none").expect("a safe name")
}

/// Two runs that start together should not wait for the same times.
fn seed() -> u64 {
    let time = Timestamp::now().as_nanosecond().unsigned_abs();
    u64::try_from(time % u128::from(u64::MAX)).unwrap_or(0) ^ u64::from(std::process::id())
}
