//! What was typed about a service of many processes.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use crate::durations::some_time;
use crate::settings::Role;

/// Flags of a process that shares its stores with others.
#[derive(Debug, Args)]
pub(crate) struct FleetArgs {
    /// Instead of a folder: PostgreSQL database that all processes of a service share, as in
    /// `postgres://user@host/database?sslmode=verify-full`; its password from PGPASSWORD or the URL's `passfile=FILE`
    #[arg(
        long,
        env = "UFORGE_EXPORT_DATABASE",
        hide_env_values = true,
        value_name = "URL",
        requires = "store",
        conflicts_with_all = ["data", "demo"]
    )]
    pub(crate) database: Option<String>,

    /// Where the archives of such a service are: `s3://BUCKET[/PREFIX]`, or `file:///FOLDER` for the processes of one machine
    #[arg(
        long,
        env = "UFORGE_EXPORT_STORE",
        value_name = "URL",
        requires = "database",
        conflicts_with_all = ["data", "demo"]
    )]
    pub(crate) store: Option<String>,

    /// Where the bucket is reached, if it is not Amazon's: `https://HOST[:PORT]` or `http://HOST[:PORT]`
    #[arg(
        long,
        env = "UFORGE_EXPORT_STORE_ENDPOINT",
        hide_env_values = true,
        value_name = "URL",
        requires = "store",
        conflicts_with_all = ["data", "demo"]
    )]
    pub(crate) store_endpoint: Option<String>,

    /// What this process of such a service does: serve people (web), run exports (worker), or both [default: all]
    #[arg(
        long,
        env = "UFORGE_EXPORT_ROLE",
        value_name = "ROLE",
        value_enum,
        requires = "database",
        conflicts_with_all = ["data", "demo"]
    )]
    pub(crate) role: Option<Role>,

    /// Exports of this process that run at the same time [default: 8 with --database, else what --jobs says]
    #[arg(long, env = "UFORGE_EXPORT_WORKER_JOBS", value_name = "N")]
    pub(crate) worker_jobs: Option<NonZeroUsize>,

    /// Exports that the UForge works on at the same time, over all workers [default: 4]
    #[arg(
        long,
        env = "UFORGE_EXPORT_PLATFORM_SLOTS",
        value_name = "N",
        requires = "database",
        conflicts_with_all = ["data", "demo"]
    )]
    pub(crate) platform_slots: Option<NonZeroUsize>,

    /// Requests to the UForge a second, over all workers
    #[arg(
        long,
        env = "UFORGE_EXPORT_PLATFORM_RATE",
        value_name = "N",
        requires = "database",
        conflicts_with_all = ["data", "demo"]
    )]
    pub(crate) platform_rate: Option<NonZeroUsize>,

    /// How long a worker may be silent before its exports are taken over [default: 60s]
    #[arg(
        long,
        env = "UFORGE_EXPORT_LEASE",
        value_name = "DURATION",
        value_parser = lease,
        requires = "database",
        conflicts_with_all = ["data", "demo"]
    )]
    pub(crate) lease: Option<Duration>,
}

/// A term that can be renewed several times, and that somebody wants to wait for.
fn lease(text: &str) -> Result<Duration, String> {
    const BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));
    let time = some_time(text)?;
    if time < BOUNDS.0 || time > BOUNDS.1 {
        return Err("it has to be between 1s and 1h".to_owned());
    }
    Ok(time)
}
