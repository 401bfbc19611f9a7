//! `sandbox`: the embedded UForge alone, until somebody stops it.

use sandbox::Announcement;

use crate::args::SandboxArguments;
use crate::compose;
use crate::error::CommandError;
use crate::exit::Ending;
use crate::settings::Layer;
use crate::signals::Signals;
use crate::stdout;

use super::session::Session;

pub(super) fn run(
    session: &mut Session,
    arguments: &SandboxArguments,
) -> Result<Ending, CommandError> {
    session.inputs(Layer::default())?;
    let scenario = compose::scenario(arguments.scenario.as_deref())?;
    if !arguments.listen.ip().is_loopback() {
        session.messages.warn(&format!(
            "`{}` can be reached from other machines, by everybody: the sandbox's passwords are no secret",
            arguments.listen
        ));
    }
    Session::serve(async {
        let mut signals = Signals::listen().map_err(CommandError::Runtime)?;
        let (running, announcement) = compose::sandbox(arguments.listen, scenario).await?;
        let line = serde_json::to_string(&announcement)
            .map_err(|error| CommandError::Stdout(error.into()))?;
        stdout::write(&format!("{line}\n"))?;
        session.messages.info(&instructions(&announcement));
        // To be stopped is the normal end of a server that was started to try something.
        signals.next().await;
        running.shutdown().await;
        Ok(Ending::Done)
    })
}

/// How to export from it, to be pasted into another terminal.
fn instructions(sandbox: &Announcement) -> String {
    format!(
        "The sandbox listens on {url}. In another terminal:\n\n  \
         printf '%s\\n' '{password}' > sandbox-password\n  \
         uforge-export export -a {url} \\\n      -u '{user}' --password-file sandbox-password\n\n\
         Ctrl-C ends it.",
        url = sandbox.url,
        user = sandbox.user,
        password = sandbox.password,
    )
}
