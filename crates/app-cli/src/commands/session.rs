//! What every command uses: its general flags, the screen, and where messages go.

use std::future::Future;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressDrawTarget};
use settings_layers::Places;

use crate::args::GeneralArguments;
use crate::credentials::terminal::{self, Stops};
use crate::error::CommandError;
use crate::logging;
use crate::render::{Listener, Messages};
use crate::settings::{
    ConnectionSettings, Environment, FILE, Inputs, Layer, ProgressMode, UnsignedConnection, keys,
};
use crate::signals::Signals;

/// Connections have one thread, and the command itself another; the archive has threads of its own. A second one for connections gains
/// nothing where two downloads keep two processors busy, and wakes them more often.
const THREADS: usize = 1;
/// What is also a server has a thread for its other side.
const SERVER_THREADS: usize = 2;
/// How long tasks that still run when a command has ended get to end.
pub(super) const SHUTDOWN: Duration = Duration::from_millis(200);

pub(super) struct Session {
    pub(super) messages: Messages,
    pub(super) screen: MultiProgress,
    general: GeneralArguments,
}

/// Reads the secret, or asks for it; a signal ends that.
pub(super) async fn sign(
    signals: &mut Signals,
    connection: UnsignedConnection,
) -> Result<ConnectionSettings, CommandError> {
    ask(signals, move || Ok(connection.sign()?)).await
}

/// Reads what a person may have to be asked for; a signal ends that. Once in the life of a command.
pub(super) async fn ask<T: Send + 'static>(
    signals: &mut Signals,
    read: impl FnOnce() -> Result<T, CommandError> + Send + 'static,
) -> Result<T, CommandError> {
    Stops::listen().map_err(CommandError::Runtime)?.obey();
    let reading = tokio::task::spawn_blocking(read);
    match signals.or(reading).await {
        Ok(Ok(read)) => read,
        Ok(Err(join)) => Err(CommandError::Runtime(join.into())),
        Err(signal) => {
            // The task that still waits for an answer is not joined: it no longer matters.
            terminal::restore();
            Err(CommandError::Interrupted(signal))
        }
    }
}

impl Session {
    pub(super) fn open(general: GeneralArguments) -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let listener = if general.quiet {
            Listener::QuietPerson
        } else {
            Listener::Person
        };
        Self {
            messages: Messages::new(screen.clone(), listener),
            screen,
            general,
        }
    }

    /// The settings' inputs for a command that signs in.
    pub(super) fn inputs_with_credentials(&mut self, flags: Layer) -> Result<Inputs, CommandError> {
        self.listen(flags.progress);
        let inputs = Inputs::with_credentials(&self.general, flags)?;
        self.begin(&inputs)?;
        Ok(inputs)
    }

    /// The settings' inputs for a command that does not.
    pub(super) fn inputs(&mut self, flags: Layer) -> Result<Inputs, CommandError> {
        self.listen(flags.progress);
        let places = Places::of_this_user(FILE);
        let inputs =
            Inputs::without_credentials(&places, Environment::default(), &self.general, flags)?;
        self.begin(&inputs)?;
        Ok(inputs)
    }

    fn begin(&mut self, inputs: &Inputs) -> Result<(), CommandError> {
        self.listen(Some(inputs.layers.get(keys::PROGRESS).value));
        logging::start(
            &self.general,
            &inputs.layers,
            &self.screen,
            self.messages.listener(),
        )?;
        Ok(())
    }

    fn listen(&mut self, mode: Option<ProgressMode>) {
        if mode == Some(ProgressMode::Json) {
            self.messages = Messages::new(self.screen.clone(), Listener::Program);
        }
    }

    /// How progress is to be shown: `--quiet` wins.
    pub(super) fn progress(&self, wanted: ProgressMode) -> ProgressMode {
        match self.messages.listener() {
            Listener::QuietPerson => ProgressMode::None,
            Listener::Person | Listener::Program => wanted,
        }
    }

    /// Reports the warnings of the settings.
    pub(super) fn say_warnings(&self, inputs: &Inputs) {
        for warning in &inputs.warnings {
            self.messages.warn(warning);
        }
    }

    /// Runs asynchronous work to its end.
    pub(super) fn wait_for<T>(
        work: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        run(THREADS, work)
    }

    /// The same with a sandbox in this process.
    pub(super) fn serve<T>(
        work: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        run(SERVER_THREADS, work)
    }
}

fn run<T>(
    threads: usize,
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(CommandError::Runtime)?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(SHUTDOWN);
    done
}
