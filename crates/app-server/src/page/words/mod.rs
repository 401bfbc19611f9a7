//! What the page says, in each language: one table a language. A word that is missing in one does not compile.

mod english;
mod french;
mod japanese;
mod units;

use domain::jobs::{Audience, AuditAction, CampaignPhase, JobStateName, Phase, WaitingFor};
use domain::model::{BagFormat, Section};
use domain::ports::{ItemStage, RedactionRule};
use domain::report::{Completeness, SectionStatus, Stage};
use jiff::Timestamp;

use crate::problem::Problem;

pub(super) use english::ENGLISH;
pub(super) use french::FRENCH;
pub(super) use japanese::JAPANESE;

/// A kind of data for people: its heading, and one plain sentence.
pub(super) struct About {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
}

/// A problem for people: what it is, and what helps.
pub(super) struct Said {
    pub(super) title: &'static str,
    pub(super) text: String,
}

/// All words of one language. Functions are where a language has rules: numbers, dates, sizes, plurals.
pub(super) struct Words {
    // On every page.
    pub(super) product: &'static str,
    /// Between two parts of a line.
    pub(super) between: &'static str,
    pub(super) skip: &'static str,
    pub(super) main_navigation: &'static str,
    pub(super) my_exports: &'static str,
    pub(super) everybody: &'static str,
    pub(super) trail: &'static str,
    pub(super) signed_in_as: &'static str,
    pub(super) sign_out: &'static str,
    pub(super) language: &'static str,
    pub(super) for_programs: &'static str,

    // Signing in.
    pub(super) welcome: &'static str,
    pub(super) welcome_text: &'static str,
    pub(super) login: &'static str,
    pub(super) password: &'static str,
    pub(super) sign_in: &'static str,
    pub(super) password_note: &'static str,
    pub(super) session_over: &'static str,
    pub(super) refused: &'static str,
    pub(super) refused_text: &'static str,

    // Asking.
    pub(super) ask_title: &'static str,
    pub(super) ask_text: &'static str,
    pub(super) what: &'static str,
    pub(super) everything: &'static str,
    pub(super) everything_text: &'static str,
    pub(super) some: &'static str,
    pub(super) some_text: &'static str,
    pub(super) kinds: &'static str,
    pub(super) file_format: &'static str,
    pub(super) format: fn(BagFormat) -> &'static str,
    pub(super) redact: &'static str,
    pub(super) redact_text: &'static str,
    pub(super) for_whom: &'static str,
    pub(super) for_whom_text: &'static str,
    pub(super) options: &'static str,
    pub(super) ask: &'static str,

    // Lists of exports.
    pub(super) exports_title: &'static str,
    pub(super) no_exports: &'static str,
    pub(super) export_of: fn(&str) -> String,
    pub(super) details: &'static str,
    pub(super) newest: &'static str,
    pub(super) older: &'static str,
    pub(super) pages: &'static str,

    // Where an export is.
    pub(super) state: fn(JobStateName, Option<Completeness>) -> &'static str,
    pub(super) state_text: fn(JobStateName) -> &'static str,
    pub(super) phase: fn(Phase) -> &'static str,
    pub(super) waiting: fn(WaitingFor) -> &'static str,
    pub(super) tried_again_at: fn(&str) -> String,
    pub(super) whose: &'static str,
    pub(super) asked_by: &'static str,
    pub(super) asked: &'static str,
    pub(super) due: &'static str,
    pub(super) due_text: &'static str,
    pub(super) overdue: &'static str,
    pub(super) begun: &'static str,
    pub(super) finished: &'static str,
    pub(super) available_until: &'static str,
    pub(super) asked_for: &'static str,
    pub(super) kinds_of_data: fn(usize) -> String,
    pub(super) redacted_order: &'static str,

    // Progress.
    pub(super) progress_title: &'static str,
    pub(super) steps: &'static str,
    pub(super) step_names: [&'static str; 5],
    pub(super) archives_done: fn(u64, u64) -> String,
    pub(super) archives_failed: fn(u64) -> String,
    pub(super) lists_read: fn(u64) -> String,
    pub(super) documents_done: fn(u64) -> String,
    pub(super) bytes_so_far: fn(u64) -> String,
    pub(super) stage: fn(&ItemStage) -> String,
    pub(super) under_way: &'static str,
    pub(super) not_available_yet: &'static str,
    pub(super) look_again: &'static str,
    pub(super) live: &'static str,

    // A finished one.
    pub(super) verdict: fn(Completeness) -> &'static str,
    pub(super) verdict_text: fn(Completeness, u64) -> String,
    pub(super) download: &'static str,
    pub(super) checksum: &'static str,
    pub(super) check_title: &'static str,
    pub(super) check_text: &'static str,
    pub(super) check_all: &'static str,
    pub(super) receipt_title: &'static str,
    pub(super) receipt_text: &'static str,
    pub(super) receipt: &'static str,
    pub(super) signature: &'static str,
    pub(super) check_receipt: &'static str,
    pub(super) contents_title: &'static str,
    pub(super) bytes_by_kind: &'static str,
    pub(super) kind_of_data: &'static str,
    pub(super) names: &'static str,
    pub(super) how_many: &'static str,
    pub(super) how_complete: &'static str,
    pub(super) section_status: fn(SectionStatus) -> &'static str,
    pub(super) section: fn(Section) -> About,
    pub(super) others: &'static str,
    pub(super) empty_kinds: &'static str,
    pub(super) left_out_kinds: &'static str,
    pub(super) missing_title: &'static str,
    pub(super) nothing_missing: &'static str,
    pub(super) lost_at: fn(Stage) -> &'static str,
    pub(super) after_attempts: fn(u64) -> String,
    pub(super) and_more: fn(usize) -> String,
    pub(super) blanked: fn(RedactionRule, u64) -> String,
    pub(super) in_english: &'static str,
    pub(super) notes_title: &'static str,
    pub(super) downloads_title: &'static str,
    pub(super) no_downloads: &'static str,
    pub(super) downloads: fn(u64) -> String,
    pub(super) who: &'static str,
    pub(super) from_where: &'static str,
    pub(super) how_much: &'static str,
    pub(super) whole: &'static str,
    pub(super) part: &'static str,

    // What can be done with one.
    pub(super) failure_title: &'static str,
    pub(super) hint: &'static str,
    pub(super) try_again: &'static str,
    pub(super) try_again_until: fn(&str) -> String,
    pub(super) try_again_over: &'static str,
    pub(super) cancel: &'static str,
    pub(super) delete: &'static str,
    pub(super) cancel_title: &'static str,
    pub(super) cancel_text: &'static str,
    pub(super) cancel_yes: &'static str,
    pub(super) cancel_no: &'static str,
    pub(super) delete_title: &'static str,
    pub(super) delete_text: &'static str,
    pub(super) delete_yes: &'static str,
    pub(super) delete_no: &'static str,
    pub(super) nothing_to_give_up: &'static str,

    // For administrators.
    pub(super) everybody_text: &'static str,
    pub(super) unfinished_title: &'static str,
    pub(super) none_unfinished: &'static str,
    pub(super) and_more_exports: fn(usize) -> String,
    pub(super) all_title: &'static str,
    pub(super) campaigns: &'static str,
    pub(super) campaigns_text: &'static str,
    pub(super) no_campaigns: &'static str,
    pub(super) campaign_of: fn(&str) -> String,
    pub(super) campaign_phase: fn(CampaignPhase) -> &'static str,
    pub(super) campaign_people: &'static str,
    pub(super) expected_end: &'static str,
    pub(super) campaign_report: &'static str,
    pub(super) pause_campaign: &'static str,
    pub(super) resume_campaign: &'static str,
    pub(super) cancel_campaign: &'static str,
    pub(super) cancel_campaign_text: &'static str,
    pub(super) order_campaign: &'static str,
    pub(super) order_campaign_text: &'static str,
    pub(super) campaign_incomplete: &'static str,
    pub(super) campaign_incomplete_text: &'static str,
    pub(super) whom_users: &'static str,
    pub(super) whom_logins: &'static str,
    pub(super) whom_logins_text: &'static str,
    pub(super) whom_organization: &'static str,
    pub(super) whom_number: &'static str,
    pub(super) whom_everyone: &'static str,
    pub(super) whom_everyone_text: &'static str,
    pub(super) since_last: &'static str,
    pub(super) since_last_text: &'static str,
    pub(super) unchanged: &'static str,
    pub(super) unchanged_text: &'static str,
    pub(super) look_at_order: &'static str,
    pub(super) order_title: &'static str,
    pub(super) campaign_for: fn(&Audience, Option<u64>) -> String,
    pub(super) order_consequence: &'static str,
    pub(super) order_yes: &'static str,
    pub(super) order_no: &'static str,
    pub(super) retry_campaign: &'static str,
    pub(super) trail_text: &'static str,
    pub(super) number_label: &'static str,
    pub(super) action: fn(AuditAction) -> &'static str,
    pub(super) more_label: &'static str,
    pub(super) service_itself: &'static str,
    pub(super) csv: &'static str,

    // Problems.
    pub(super) problem: fn(&Problem) -> Said,
    pub(super) home: &'static str,
    pub(super) archives_to_delete: &'static str,

    // Rules.
    pub(super) number: fn(u64) -> String,
    pub(super) size: fn(u64) -> String,
    pub(super) percent: fn(u64) -> String,
    pub(super) moment: fn(Timestamp) -> String,
}

#[cfg(test)]
mod tests;
