//! The self-hosted service: people ask for their export over HTTP, and fetch it when it is ready.
//!
//! A request passes `serve` (sockets), `routes` (`api` for programs, `page` for people) and `auth` (who is it), becomes a job in a store, and is run by
//! `runner`. Concrete adapters are named in `compose` only; what the service needs of them is `backend`.

mod api;
mod args;
mod audit;
mod auth;
mod backend;
mod backup;
mod causes;
mod compose;
mod configure;
mod csv;
mod deadline;
mod durations;
mod duties;
mod exit;
mod fleet_args;
mod launch;
mod log;
mod metrics;
mod migrate;
mod network;
mod page;
mod place;
mod problem;
mod rate;
mod routes;
mod runner;
mod seal;
mod serve;
mod settings;
mod sign;
mod slots;
mod sources;
#[cfg(test)]
mod testing;

pub use auth::{Origin, OriginError};
pub use configure::SettingsError;
pub use launch::{Running, StartError, start};
pub use runner::Pace;
pub use settings::{Connections, Fleet, Role, Settings, TlsFiles, Trust};

use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use audit::AuditArgs;
use backup::BackupArgs;
use causes::Causes;
use compose::Demo;
use exit::Exit;
use migrate::MigrateArgs;
use sources::{Given, GivenError};

/// How long work on the disk that is under way is waited for at the end.
const LAST_WORK: Duration = Duration::from_millis(500);

/// Reads the command line, serves until a signal comes, and says how it ended: 0 stopped, 1 failed, 2 wrong usage.
pub fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        Some(command) if command == "audit" => print_audit(std::env::args_os().skip(1)),
        Some(command) if command == "backup" => make_backup(std::env::args_os().skip(1)),
        Some(command) if command == "migrate-store" => migrate_store(std::env::args_os().skip(1)),
        Some(command) if command == "config" => print_config(std::env::args_os().skip(1)),
        _ => run_server(),
    }
}

fn print_audit(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match wait_for::<AuditArgs, _>(arguments, async |args| audit::print(&args).await) {
        Ok(Ok(())) => Exit::Success.into(),
        Ok(Err(error)) => fail(&error, exit::of_audit(&error), None),
        Err(status) => status,
    }
}

fn make_backup(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match wait_for::<BackupArgs, _>(arguments, async |args| backup::run(&args).await) {
        Ok(Ok(())) => Exit::Success.into(),
        Ok(Err(error)) => fail(&error, exit::of_backup(&error), error.hint()),
        Err(status) => status,
    }
}

fn migrate_store(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match wait_for::<MigrateArgs, _>(arguments, async |args| migrate::run(&args).await) {
        Ok(Ok(())) => Exit::Success.into(),
        Ok(Err(error)) => fail(&error, exit::of_migration(&error), error.hint()),
        Err(status) => status,
    }
}

/// Does what a command beside the server does; the status where that could not begin.
fn wait_for<A: clap::Parser, T>(
    arguments: impl Iterator<Item = OsString>,
    work: impl AsyncFnOnce(A) -> T,
) -> Result<T, ExitCode> {
    let args = A::try_parse_from(arguments).map_err(|error| {
        // Where even this cannot be written, there is only the status.
        let _ = error.print();
        ExitCode::from(exit::of_command_line(&error))
    })?;
    let runtime = tokio::runtime::Runtime::new();
    let runtime = runtime.map_err(|error| fail(&error, Exit::Failed, None))?;
    Ok(runtime.block_on(work(args)))
}

/// Prints the effective settings, and says whether a server would take them. Whoever reads the output may stop reading.
fn print_config(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let given = match Given::of_this_process(args::config_command(), arguments) {
        Ok(given) => given,
        Err(error) => return refuse(&error),
    };
    let mut out = std::io::stdout();
    match out.write_all(given.text().as_bytes()).and(out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => fail(&error, Exit::Failed, None),
        _ => match configure(&given).map(|configured| configured.check()) {
            Ok(Ok(())) => Exit::Success.into(),
            Ok(Err(error)) => fail_to_start(&error),
            Err(status) => status,
        },
    }
}

/// What a server starts with.
enum Configured {
    /// A service in front of a UForge.
    Service(Settings),
    /// A service in front of an embedded UForge, whose address is known once it listens.
    Demo(Settings),
}

impl Configured {
    fn check(&self) -> Result<(), StartError> {
        match self {
            Self::Service(settings) => launch::check(settings),
            Self::Demo(_) => Ok(()),
        }
    }

    async fn serve(self) -> Result<(), StartError> {
        match self {
            Self::Service(settings) => serve_until_signalled(settings, None).await,
            Self::Demo(settings) => serve_demo(settings).await,
        }
    }
}

/// The settings of a server, checked; else why there are none has been said.
fn configure(given: &Given) -> Result<Configured, ExitCode> {
    let args = given.args().map_err(|error| refuse(&error.into()))?;
    log::start(args.log_filter(), args.log_format)
        .map_err(|error| fail(&error, Exit::WrongUsage, None))?;
    let is_demo = args.demo;
    let settings = args
        .into_settings()
        .map_err(|error| fail(&error, Exit::WrongUsage, error.hint()))?;
    Ok(if is_demo {
        Configured::Demo(settings)
    } else {
        Configured::Service(settings)
    })
}

fn refuse(error: &GivenError) -> ExitCode {
    match error {
        GivenError::CommandLine(answer) => {
            // Where even this cannot be written, there is only the status.
            let _ = answer.print();
            exit::of_given(error).into()
        }
        _ => fail(error, exit::of_given(error), None),
    }
}

fn run_server() -> ExitCode {
    let given = match Given::of_this_process(args::command(), std::env::args_os()) {
        Ok(given) => given,
        Err(error) => return refuse(&error),
    };
    let configured = match configure(&given) {
        Ok(configured) => configured,
        Err(status) => return status,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, Exit::Failed, None),
    };
    let served = runtime.block_on(configured.serve());
    // What still reads a large file would hold the process up.
    runtime.shutdown_timeout(LAST_WORK);
    match served {
        Ok(()) => Exit::Success.into(),
        Err(error) => fail_to_start(&error),
    }
}

fn fail_to_start(error: &StartError) -> ExitCode {
    fail(error, exit::of_start(error), error.hint())
}

async fn serve_demo(mut settings: Settings) -> Result<(), StartError> {
    let demo = launch::start_demo().await?;
    demo.fill(&mut settings);
    let served = serve_until_signalled(settings, Some(&demo)).await;
    demo.end().await;
    served
}

async fn serve_until_signalled(settings: Settings, demo: Option<&Demo>) -> Result<(), StartError> {
    let mut signals = launch::signals()?;
    let running = start(settings).await?;
    announce(&running, demo);
    compose::notify_ready();
    let alive = tokio::spawn(say_alive());
    signals.next().await;
    tracing::info!("stopping");
    compose::notify_stopping();
    tokio::select! {
        () = running.shutdown() => {}
        // Somebody does not want to wait.
        _ = signals.next() => tracing::warn!("stopped at once"),
    }
    alive.abort();
    Ok(())
}

/// Says where the service is. Nobody has to read it.
fn announce(running: &Running, demo: Option<&Demo>) {
    let mut announcement = match running.worker() {
        Some(worker) => serde_json::json!({ "worker": worker }),
        None => serde_json::json!({ "url": running.url() }),
    };
    if let Some(metrics) = running.metrics_url() {
        announcement["metrics"] = metrics.into();
    }
    let _ = writeln!(std::io::stdout(), "{announcement}");
    let _ = std::io::stdout().flush();
    if let Some(demo) = demo {
        let _ = writeln!(std::io::stderr(), "{}", demo.invitation(running.url()));
    }
}

/// Lets the service manager know that the process still works, as often as it wants to.
async fn say_alive() {
    let Some(every) = compose::alive_every() else {
        return;
    };
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        compose::notify_alive();
    }
}

fn fail(error: &dyn std::error::Error, exit: Exit, hint: Option<&str>) -> ExitCode {
    let said = Causes(error).to_string();
    let _ = writeln!(std::io::stderr(), "error: {}", log::shown(&said));
    if let Some(hint) = hint {
        let _ = writeln!(std::io::stderr(), "hint: {hint}");
    }
    exit.into()
}
