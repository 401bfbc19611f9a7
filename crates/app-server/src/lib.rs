//! The self-hosted service: people ask for their export over HTTP, and fetch it when it is ready.
//!
//! A request passes `serve` (sockets), `routes` (`api` for programs, `page` for people) and `auth` (who is it), becomes a job in a store, and is run by
//! `runner`. Concrete adapters are named in `compose` only; what the service needs of them is `backend`.

mod api;
mod args;
mod audit;
mod auth;
mod backend;
mod causes;
mod compose;
mod configure;
mod csv;
mod exit;
mod launch;
mod network;
mod page;
mod place;
mod problem;
mod routes;
mod runner;
mod seal;
mod serve;
mod settings;
#[cfg(test)]
mod testing;

pub use auth::{Origin, OriginError};
pub use configure::SettingsError;
pub use launch::{Running, StartError, start};
pub use runner::Pace;
pub use settings::{Connections, Settings, Trust};

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use args::Args;
use audit::AuditArgs;
use causes::Causes;
use clap::Parser as _;
use exit::Exit;

/// How long work on the disk that is under way is waited for at the end.
const LAST_WORK: Duration = Duration::from_millis(500);

/// Reads the command line, serves until a signal comes, and says how it ended: 0 stopped, 1 failed, 2 wrong usage.
pub fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        Some(command) if command == "audit" => print_audit(std::env::args_os().skip(1)),
        _ => run_server(),
    }
}

fn print_audit(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let args = match AuditArgs::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return exit::of_command_line(&error).into();
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, Exit::Failed),
    };
    match runtime.block_on(audit::print(&args)) {
        Ok(()) => Exit::Success.into(),
        Err(error) => fail(&error, exit::of_audit(&error)),
    }
}

fn run_server() -> ExitCode {
    let args = match args::parse() {
        Ok(args) => args,
        Err(error) => {
            // Where even this cannot be written, there is only the status.
            let _ = error.print();
            return exit::of_command_line(&error).into();
        }
    };
    if let Err(error) = log_to_standard_error(&args) {
        return fail(&error, Exit::WrongUsage);
    }
    let settings = match args.into_settings() {
        Ok(settings) => settings,
        Err(error) => return fail(&error, Exit::WrongUsage),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, Exit::Failed),
    };
    let served = runtime.block_on(serve_until_signalled(settings));
    // What still reads a large file would hold the process up.
    runtime.shutdown_timeout(LAST_WORK);
    match served {
        Ok(()) => Exit::Success.into(),
        Err(error) => {
            let status = fail(&error, exit::of_start(&error));
            if let Some(hint) = error.hint() {
                let _ = writeln!(std::io::stderr(), "hint: {hint}");
            }
            status
        }
    }
}

fn log_to_standard_error(args: &Args) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = tracing_subscriber::EnvFilter::builder().parse(&args.log)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        // It would complain on standard error of what standard error did not take, and panic.
        .log_internal_errors(false)
        .with_writer(|| compose::LossyStderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    Ok(())
}

async fn serve_until_signalled(settings: Settings) -> Result<(), StartError> {
    let mut signals = launch::signals()?;
    let running = start(settings).await?;
    let announcement = serde_json::json!({ "url": running.url() });
    // Nobody has to read it.
    let _ = writeln!(std::io::stdout(), "{announcement}");
    let _ = std::io::stdout().flush();
    signals.next().await;
    tracing::info!("stopping");
    tokio::select! {
        () = running.shutdown() => {}
        // Somebody does not want to wait.
        _ = signals.next() => tracing::warn!("stopped at once"),
    }
    Ok(())
}

fn fail(error: &dyn std::error::Error, exit: Exit) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {}", Causes(error));
    exit.into()
}
