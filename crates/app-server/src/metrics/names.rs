//! What metrics are called, and the values that their labels have.

pub(super) const BUILD: &str = "uforge_export_build_info";
pub(super) const REQUESTS: &str = "uforge_export_http_requests_total";
pub(super) const REQUEST_SECONDS: &str = "uforge_export_http_request_duration_seconds";
pub(super) const JOBS: &str = "uforge_export_jobs";
pub(super) const OVERDUE: &str = "uforge_export_jobs_overdue";
pub(super) const ENDED: &str = "uforge_export_exports_ended_total";
pub(super) const EXPORT_SECONDS: &str = "uforge_export_export_duration_seconds";
pub(super) const ARCHIVE_BYTES: &str = "uforge_export_archive_bytes_total";
pub(super) const DOWNLOADED_BYTES: &str = "uforge_export_downloaded_bytes_total";
pub(super) const PLATFORM_ERRORS: &str = "uforge_export_platform_errors_total";
pub(super) const REFUSED: &str = "uforge_export_sign_ins_refused_total";

/// How exports end.
pub(super) const OUTCOMES: [&str; 3] = ["ready", "failed", "cancelled"];

/// The kinds of errors that are distinguished.
pub(super) const KINDS: [&str; 12] = [
    "unauthorized",
    "forbidden",
    "not_found",
    "refused",
    "overloaded",
    "server_fault",
    "unreachable",
    "proxy",
    "tls",
    "no_answer",
    "interrupted",
    "unusable_answer",
];
