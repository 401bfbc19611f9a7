//! What a run that ended without a bag left, and what the same command does with it.

use std::path::Path;

use domain::ports::JournalState;

use super::session::Session;
use crate::compose;
use crate::error::CommandError;
use crate::exit::Ending;
use crate::render::printable;
use crate::settings::OutputSettings;

/// Whether a run resumed an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunStart {
    New,
    Resumed,
}

/// Whether a run that ended without a bag left something that can be resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resumable {
    No,
    Yes,
}

impl Resumable {
    pub(super) fn of(
        checkpoint: &JournalState,
        output: &OutputSettings,
        ended: &CommandError,
        run: RunStart,
    ) -> Self {
        let tickets = checkpoint.may_have_tickets();
        // A command that was refused is changed before it is repeated, and must then not find an unfinished run of another order.
        let refused = matches!(
            Ending::of_error(ended),
            Ending::Usage | Ending::Unauthorized
        );
        if !tickets && refused && run == RunStart::New {
            return Self::No;
        }
        // What is encrypted cannot be resumed: its key is gone.
        let payload = !checkpoint.documents.is_empty() && !output.encryption.is_on();
        if tickets || payload {
            Self::Yes
        } else {
            Self::No
        }
    }

    /// Whether the same command resumes this run. The key of what is encrypted is gone.
    pub(super) fn can_be_resumed(self, target: Option<&Path>, output: &OutputSettings) -> bool {
        self == Self::Yes && target.is_some() && !output.encryption.is_on()
    }

    /// Removes what is of no use, and says how to resume what is.
    pub(super) fn settle(
        self,
        session: &Session,
        target: Option<&Path>,
        output: &OutputSettings,
        ended: &CommandError,
    ) {
        let interrupted = matches!(ended, CommandError::Interrupted(_));
        match (self, target) {
            (Self::No, Some(bag)) => {
                if let Ok(Some(unfinished)) = compose::lock_unfinished(bag) {
                    if unfinished.complete {
                        // The signal came when the bag was being given its name.
                        return session.say_kept(bag, "gives it its name", ended);
                    }
                    let _ = unfinished.remove();
                }
                if interrupted {
                    session
                        .messages
                        .info("Interrupted. Nothing was left behind.");
                }
            }
            (_, None) if interrupted => {
                session
                    .messages
                    .info("Interrupted. What went to standard output is no complete bag.");
            }
            (Self::Yes, Some(bag)) if output.encryption.is_on() => {
                session.say_kept(bag, "begins anew", ended);
            }
            (Self::Yes, Some(bag)) => {
                session.say_kept(bag, "resumes where it stopped", ended);
            }
            (_, None) => {}
        }
    }
}

impl Session {
    /// Says after an interruption what the same command does with what was kept.
    fn say_kept(&self, bag: &Path, what_follows: &str, ended: &CommandError) {
        if !matches!(ended, CommandError::Interrupted(_)) {
            return;
        }
        let bag = bag.display().to_string();
        self.messages.info(&format!(
            "Interrupted. What is here was kept: the same command {what_follows};\n\
             `uforge-export discard {}` removes it.",
            printable(&bag)
        ));
    }
}
