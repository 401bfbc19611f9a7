//! The log, for finding the cause of a problem: on standard error, off by default but for warnings.

use std::io::{self, Write};

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::args::GeneralArguments;
use crate::compose::LossyStderr;
use crate::render::{Colour, Listener};
use crate::settings::{Layers, Origin, SettingsError, keys};

/// Begins to log: lines for people, or JSON lines where a program listens. A second call in one process changes nothing.
pub(crate) fn start(
    general: &GeneralArguments,
    layers: &Layers,
    screen: &MultiProgress,
    listener: Listener,
) -> Result<(), SettingsError> {
    let filter = layers.get(keys::LOG);
    let filter = match (filter.origin, of_verbosity(general)) {
        (Origin::Default, Some(wanted)) => wanted.to_owned(),
        _ => filter.value,
    };
    let mut parsed = EnvFilter::builder()
        .parse(&filter)
        .map_err(|source| SettingsError::LogFilter { filter, source })?;
    // In more detail these would log whole requests, and with them what signs them.
    for capped in [
        "hyper=info",
        "hyper_util=info",
        "reqwest=info",
        "rustls=info",
    ] {
        if let Ok(directive) = capped.parse() {
            parsed = parsed.add_directive(directive);
        }
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_ansi(Colour::of_stderr() == Colour::Coloured)
        // It would complain on standard error of what standard error did not take, and panic.
        .log_internal_errors(false)
        .with_writer(BesideTheBar(screen.clone()));
    let _ = match listener {
        Listener::Program => log.json().try_init(),
        Listener::Person | Listener::QuietPerson => log.try_init(),
    };
    Ok(())
}

fn of_verbosity(general: &GeneralArguments) -> Option<&'static str> {
    Some(match (general.quiet, general.verbose) {
        (true, _) => "error",
        (false, 0) => return None,
        (false, 1) => "warn,app_cli=info,domain=info,adapters_http=info,adapters_archive=info",
        (false, 2) => "info,app_cli=debug,domain=debug,adapters_http=debug,adapters_archive=debug",
        (false, _) => "debug",
    })
}

/// Hides the progress bar while a line of the log is written.
#[derive(Clone)]
struct BesideTheBar(MultiProgress);

impl Write for BesideTheBar {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| LossyStderr.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        LossyStderr.flush()
    }
}

impl<'a> MakeWriter<'a> for BesideTheBar {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
