//! Exit statuses (docs/cli.md#streams-and-exit-status): the only place that knows the numbers.

use domain::bag::verify::Drift;
use domain::ports::{ApiError, BagReadError, SinkError};
use domain::report::Completeness;
use domain::workflow::{ImportError, ImportOutcome, RunError};

use crate::compose::{
    ComposeError, ImportFileError, OpenError, ReadError, ReceiptFileError, Signal, VerifyReport,
};
use crate::credentials::CredentialsError;
use crate::error::{CommandError, EarlierBagProblem};
use crate::settings::SettingsError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything selected is in the bag.
    Done,
    /// There is no usable bag; what can be resumed was kept.
    Failed,
    /// Usage or configuration; nothing was sent.
    Usage,
    /// A valid bag, from which something is missing, or that is not up to date with the platform.
    Partial,
    /// The server refused the credentials.
    Unauthorized,
    /// `verify` and `import`: the bag is damaged.
    Damaged,
    /// Somebody stopped it; the same command resumes.
    Interrupted(Signal),
}

impl Ending {
    /// The number.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Unauthorized => 4,
            Self::Damaged => 5,
            // As a shell reports a process that a signal ended: 129 SIGHUP, 130 SIGINT, 143 SIGTERM.
            Self::Interrupted(signal) => 128 + signal.number(),
        }
    }

    /// How a run that made a bag ended.
    pub(crate) fn of_run(completeness: Completeness) -> Self {
        match completeness {
            Completeness::Complete => Self::Done,
            Completeness::Partial => Self::Partial,
        }
    }

    /// How a check of a bag ended.
    pub(crate) fn of_check(bag: &VerifyReport) -> Self {
        if bag.is_sound() {
            Self::Done
        } else {
            Self::Damaged
        }
    }

    /// How a check of a bag against its receipt ended.
    pub(crate) fn of_receipt(bag: &VerifyReport, receipt_is_sound: bool) -> Self {
        if receipt_is_sound {
            Self::of_check(bag)
        } else {
            Self::Damaged
        }
    }

    /// How a sound bag stands to the platform.
    pub(crate) fn of_drift(drift: &Drift) -> Self {
        if drift.is_up_to_date() {
            Self::Done
        } else {
            Self::Partial
        }
    }

    /// How an import ended.
    pub(crate) fn of_import(outcome: &ImportOutcome) -> Self {
        if outcome.is_damaged() {
            Self::Damaged
        } else if outcome.is_nothing() {
            Self::Failed
        } else if outcome.failed.is_empty() {
            Self::Done
        } else {
            Self::Partial
        }
    }

    /// How a command that failed ended.
    pub(crate) fn of_error(error: &CommandError) -> Self {
        match error {
            CommandError::Settings(error) => Self::of_settings(error),
            CommandError::Compose(error) => Self::of_compose(error),
            CommandError::NoReceipt { source, .. } => Self::of_compose(source),
            CommandError::Run(error) | CommandError::Lost(error) => Self::of_run_error(error),
            CommandError::Import(error) => Self::of_import_error(error),
            CommandError::NothingUnfinished { .. }
            | CommandError::SeveralUnfinished { .. }
            | CommandError::OtherRun { .. }
            | CommandError::OtherBag { .. }
            | CommandError::ReceiptUnreadable { .. }
            | CommandError::NotComparable { .. } => Self::Usage,
            CommandError::EarlierBag { source, .. } => Self::of_earlier_bag(source),
            CommandError::TicketsLeft {
                source: Some(ApiError::Unauthorized { .. }),
                ..
            } => Self::Unauthorized,
            CommandError::Journal(_)
            | CommandError::TicketsLeft { .. }
            | CommandError::Stdout(_)
            | CommandError::Runtime(_) => Self::Failed,
            CommandError::Interrupted(signal) => Self::Interrupted(*signal),
        }
    }

    fn of_settings(error: &SettingsError) -> Self {
        match error {
            SettingsError::Credentials(CredentialsError::Prompt { source, .. })
                if source.kind() == std::io::ErrorKind::Interrupted =>
            {
                Self::Interrupted(Signal::Interrupt)
            }
            _ => Self::Usage,
        }
    }

    fn of_compose(error: &ComposeError) -> Self {
        match error {
            ComposeError::Connection(_)
            | ComposeError::Url { .. }
            | ComposeError::Opening(_)
            | ComposeError::Encryption(_)
            | ComposeError::Scenario(_)
            | ComposeError::SigningKey(_)
            | ComposeError::VerifyingKey(_)
            | ComposeError::ReceiptFile(
                ReceiptFileError::NoPlace { .. }
                | ReceiptFileError::Exists { .. }
                | ReceiptFileError::NotAFile { .. }
                | ReceiptFileError::NotWritable { .. },
            )
            | ComposeError::ImportFile(
                ImportFileError::NotWritable { .. } | ImportFileError::OtherOrder { .. },
            ) => Self::Usage,
            ComposeError::Listen { .. }
            | ComposeError::Folder { .. }
            | ComposeError::NothingDelivered
            | ComposeError::Sum { .. }
            | ComposeError::ReceiptFile(ReceiptFileError::Io { .. })
            | ComposeError::ImportFile(
                ImportFileError::Locked { .. }
                | ImportFileError::Damaged { .. }
                | ImportFileError::Io { .. },
            ) => Self::Failed,
            ComposeError::Read(error) => Self::of_read_error(error),
            ComposeError::Open(error) => Self::of_open_error(error),
        }
    }

    fn of_open_error(error: &OpenError) -> Self {
        match error {
            // The same command cannot succeed: another one is needed.
            OpenError::NoFolder { .. }
            | OpenError::IsFolder { .. }
            | OpenError::NoName { .. }
            | OpenError::Exists { .. }
            | OpenError::NotAFile { .. }
            | OpenError::Distrusted { .. }
            | OpenError::NameTooLong { .. }
            | OpenError::NotWritable { .. }
            | OpenError::CannotRename { .. }
            | OpenError::NoTemporary { .. }
            | OpenError::OtherOrder { .. }
            | OpenError::Encryption(_) => Self::Usage,
            OpenError::NoSpace { .. }
            | OpenError::Claimed { .. }
            | OpenError::Locked { .. }
            | OpenError::JournalDamaged { .. }
            | OpenError::JournalVersion { .. }
            | OpenError::BagDamaged { .. }
            | OpenError::Publish(_)
            | OpenError::Io { .. } => Self::Failed,
        }
    }

    fn of_read_error(error: &ReadError) -> Self {
        match error {
            // What was given does not open it: a script has to give something else.
            ReadError::Encrypted { .. }
            | ReadError::Locked { .. }
            | ReadError::Identity { .. }
            | ReadError::NoIdentityFile { .. } => Self::Usage,
            // What cannot be read as a bag is damaged: it may have been one.
            ReadError::NotABag { .. } => Self::Damaged,
            ReadError::Io { .. }
            | ReadError::ExcessiveWork { .. }
            | ReadError::Memory { .. }
            | ReadError::TooManyFiles { .. } => Self::Failed,
        }
    }

    /// A bag that `--since` names: what is wrong with opening it counts as for every bag, all else is a wrong argument.
    fn of_earlier_bag(problem: &EarlierBagProblem) -> Self {
        match problem {
            EarlierBagProblem::Open(ComposeError::Read(
                error @ (ReadError::ExcessiveWork { .. } | ReadError::Memory { .. }),
            )) => Self::of_read_error(error),
            EarlierBagProblem::Open(_) | EarlierBagProblem::Bag(_) => Self::Usage,
        }
    }

    fn of_import_error(error: &ImportError) -> Self {
        match error {
            ImportError::Run(error) => Self::of_run_error(error),
            ImportError::UnknownIds { .. } => Self::Usage,
            ImportError::Bag(BagReadError::Damaged { .. }) => Self::Damaged,
            ImportError::Bag(BagReadError::Unreadable(_)) => Self::Failed,
        }
    }

    fn of_run_error(error: &RunError) -> Self {
        match error {
            RunError::Unauthorized { .. } => Self::Unauthorized,
            RunError::UnknownIds { .. } | RunError::Sink(SinkError::Exists { .. }) => Self::Usage,
            RunError::Platform(_)
            | RunError::WrongAddress { .. }
            | RunError::NothingAvailable { .. }
            | RunError::Journal(_)
            | RunError::Sink(
                SinkError::CheckFailed { .. }
                | SinkError::NoSpace { .. }
                | SinkError::Io { .. }
                | SinkError::Duplicate { .. }
                | SinkError::Lost
                | SinkError::Unavailable(_)
                | SinkError::Stopped,
            ) => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::model::{ItemKind, UserId};

    use super::*;

    fn refused() -> ApiError {
        ApiError::Unauthorized {
            request: "GET users/john".to_owned(),
            message: None,
        }
    }

    /// A bag with a section that this version does not know.
    fn behind() -> Drift {
        Drift {
            unknown: vec!["moods".to_owned()],
            ..Drift::default()
        }
    }

    /// The table of docs/cli.md#streams-and-exit-status.
    #[test]
    fn the_numbers_are_those_of_the_contract() {
        for (ending, status) in [
            (Ending::of_run(Completeness::Complete), 0),
            (Ending::Failed, 1),
            (Ending::Usage, 2),
            (Ending::of_run(Completeness::Partial), 3),
            (Ending::of_drift(&Drift::default()), 0),
            (Ending::of_drift(&behind()), 3),
            (Ending::Unauthorized, 4),
            (Ending::Damaged, 5),
            (Ending::Interrupted(Signal::HangUp), 129),
            (Ending::Interrupted(Signal::Interrupt), 130),
            (Ending::Interrupted(Signal::Quit), 131),
            (Ending::Interrupted(Signal::Terminate), 143),
        ] {
            assert_eq!(ending.status(), status);
        }
    }

    #[test]
    fn an_import_ends_by_what_it_came_to() {
        use domain::model::Section;
        use domain::workflow::{FailedObject, ImportStage, ImportedObject};

        let object = ImportedObject {
            section: Section::Appliances,
            id: None,
            name: None,
            version: None,
            uri: None,
        };
        let failed = |is_damaged| FailedObject {
            object: object.clone(),
            stage: ImportStage::Bag,
            message: String::new(),
            is_damaged,
        };
        let ending = |imported: usize, failed: Vec<FailedObject>| {
            Ending::of_import(&ImportOutcome {
                imported: vec![object.clone(); imported],
                failed,
                ..ImportOutcome::default()
            })
        };
        assert_eq!(ending(0, vec![]), Ending::Done);
        assert_eq!(ending(2, vec![]), Ending::Done);
        assert_eq!(ending(0, vec![failed(false)]), Ending::Failed);
        assert_eq!(ending(1, vec![failed(false)]), Ending::Partial);
        assert_eq!(
            ending(1, vec![failed(false), failed(true)]),
            Ending::Damaged
        );
        assert_eq!(ending(0, vec![failed(true)]), Ending::Damaged);
    }

    #[test]
    fn an_error_that_a_script_can_act_on_has_its_own_status() {
        let unauthorized = RunError::Unauthorized {
            user: "john".to_owned(),
            source: refused(),
        };
        let unknown = RunError::UnknownIds {
            user: "john".to_owned(),
            kind: ItemKind::Appliance,
            unknown: Vec::new(),
            possible: Vec::new(),
        };
        let exists = SinkError::Exists {
            path: "john.zip".into(),
        };
        let full = SinkError::NoSpace {
            path: "john.zip".into(),
            needed: None,
        };
        let login = UserId::parse("").unwrap_err();
        let login = SettingsError::Login {
            key: "user",
            origin: crate::settings::Origin::Flag,
            source: login,
        };
        for (error, ending) in [
            (CommandError::Run(unauthorized), Ending::Unauthorized),
            (CommandError::Run(unknown), Ending::Usage),
            (CommandError::Run(RunError::Sink(exists)), Ending::Usage),
            (CommandError::Run(RunError::Sink(full)), Ending::Failed),
            (
                CommandError::Run(RunError::Platform(refused())),
                Ending::Failed,
            ),
            (CommandError::Settings(login), Ending::Usage),
            (
                CommandError::NotComparable {
                    bag: "john.zip".into(),
                },
                Ending::Usage,
            ),
            (CommandError::Settings(SettingsError::NoUrl), Ending::Usage),
            (
                CommandError::Interrupted(Signal::Terminate),
                Ending::Interrupted(Signal::Terminate),
            ),
        ] {
            assert_eq!(Ending::of_error(&error), ending, "{error}");
        }
    }
}
