//! What to do next, for every error that a person can do something about.

use std::io::ErrorKind;
use std::path::Path;

use domain::ports::{API_URL, ApiError, SinkError};
use domain::workflow::{EarlierBagError, ImportError, RunError};
use settings_layers::FileError;

use crate::compose::{
    ComposeError, EncryptionError, ImportFileError, OpenError, ReadError, SetUpError,
};
use crate::credentials::CredentialsError;
use crate::error::{CommandError, EarlierBagProblem};
use crate::settings::SettingsError;

/// An error that may know what to do next.
pub(crate) trait Hint {
    /// What to do next, in one line.
    fn hint(&self) -> Option<String>;
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one arm of many that may have none"
)]
fn text(words: &str) -> Option<String> {
    Some(words.to_owned())
}

impl Hint for CommandError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Settings(error) => error.hint(),
            Self::Compose(error) => error.hint(),
            Self::Run(error) | Self::Import(ImportError::Run(error)) => error.hint(),
            Self::Lost(error) => hint_of_lost(error),
            Self::Import(ImportError::UnknownIds { .. }) => {
                text("the ids are those in the bag: `import --dry-run` names what it holds")
            }
            Self::Import(ImportError::Bag(_)) => {
                text("`uforge-export verify` says what is wrong with it")
            }
            Self::TicketsLeft {
                source: Some(source),
                ..
            } if source.is_out_of_reach()
                || source.is_misconfigured()
                || matches!(
                    source,
                    ApiError::NotHttp { .. } | ApiError::NotUForge { .. }
                ) =>
            {
                source.hint()
            }
            Self::TicketsLeft { .. } => {
                text("`discard` can be repeated; on the platform they also end by themselves")
            }
            Self::SeveralUnfinished { .. } => text("name one of them"),
            Self::OtherRun { .. } | Self::OtherBag { .. } => {
                text("sign in there with `--url` and `--user`, or `--as`")
            }
            Self::EarlierBag { source, .. } => hint_of_earlier_bag(source),
            Self::NotComparable { .. } => text("`verify` without `--against` checks it"),
            Self::NoReceipt { bag: Some(_), .. } => text(
                "the same command writes the receipt, and exports nothing again; it may name another file with `--receipt`",
            ),
            Self::NoReceipt { bag: None, .. }
            | Self::Journal(_)
            | Self::ReceiptUnreadable { .. }
            | Self::NothingUnfinished { .. }
            | Self::Stdout(_)
            | Self::Runtime(_)
            | Self::Interrupted(_) => None,
        }
    }
}

fn hint_of_earlier_bag(problem: &EarlierBagProblem) -> Option<String> {
    match problem {
        EarlierBagProblem::Open(ComposeError::Read(ReadError::Encrypted { .. })) => {
            text("give `--since-identity FILE` or `--since-passphrase-file FILE`")
        }
        EarlierBagProblem::Open(ComposeError::Read(ReadError::Locked { .. })) => text(
            "give the identity or the passphrase that belongs to it (`--since-identity FILE`, `--since-passphrase-file FILE`)",
        ),
        EarlierBagProblem::Open(error) => error.hint(),
        EarlierBagProblem::Bag(EarlierBagError::OtherBag { .. }) => text(
            "name a bag of the same person from the same platform; without `--since` all archives are exported",
        ),
        EarlierBagProblem::Bag(EarlierBagError::Read(_)) => text(
            "`uforge-export verify` says what is wrong with it; without `--since` all archives are exported",
        ),
        EarlierBagProblem::Bag(EarlierBagError::Nameless) => {
            text("without `--since` all archives are exported")
        }
    }
}

impl Hint for SettingsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoUrl => text(
                "give it with `--url`, for example `--url https://uforge.example.com/api`, or UFORGE_URL",
            ),
            Self::NoUser => text("give it with `--user LOGIN` or UFORGE_USER"),
            Self::Credentials(error) => error.hint(),
            Self::File(FileError::Wrong { .. }) => text(
                "keys are the long names of the flags; `uforge-export config --help` lists the files",
            ),
            Self::Variable(_) => text("set it anew in a UTF-8 locale, or unset it"),
            Self::SupervisorWithKey => {
                text("for an administrator's key pair leave `--supervisor` out and keep `--as UID`")
            }
            Self::FormatContradiction { .. } => {
                text("leave `--format` out, or give the file another ending")
            }
            Self::NotEncrypted { .. } => {
                text("add `--encrypt-to RECIPIENT` or `--passphrase-file FILE`")
            }
            Self::Exists { .. } => {
                text("`--force` replaces it; a folder as `--output` gets a name made up inside it")
            }
            Self::NoFolder { .. } => {
                text("make the folder first, or leave the slash at the end out to name a file")
            }
            Self::StdoutClosed => {
                text("put `| COMMAND` or `> FILE` behind it, or name a file with `--output`")
            }
            Self::ReceiptIsBag { .. } => text("name another file with `--receipt`"),
            Self::StdoutIsTerminal => text("put `| COMMAND` or `> FILE` behind it"),
            Self::LogFilter { .. } => {
                text("for example `--log debug` or `--log adapters_http=debug,warn`")
            }
            Self::NothingSelected => text("`--include` and `--exclude` together leave nothing"),
            Self::File(FileError::Unreadable { .. })
            | Self::Merge(_)
            | Self::NotAllowed { .. }
            | Self::Url { .. }
            | Self::Login { .. }
            | Self::SupervisorOfNobody
            | Self::FileUnreadable { .. }
            | Self::FileWrong { .. }
            | Self::IdsOfExcluded { .. }
            | Self::NoFileName { .. } => None,
        }
    }
}

impl Hint for CredentialsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::OtherUser { .. } => {
                text("to export somebody else's data add `--as UID` instead of `--user`")
            }
            Self::OtherPlatform { .. } => text("unset UFORGE_URL, or type `--url` to mean it"),
            Self::Both { .. } => text("leave one of them out"),
            Self::NoPublicKey => text("give it with `--publickey KEY` or UFORGE_PUBLICKEY"),
            Self::NoSecretKey { .. } => {
                text("give it with `--secretkey-file FILE` or UFORGE_SECRETKEY")
            }
            Self::NoPassword { .. } => text(
                "give it with `--password-file FILE` or UFORGE_PASSWORD; at a terminal it is asked for",
            ),
            Self::NoKeyPassphrase { .. } => {
                text("give it with `--sign-passphrase-file FILE`; at a terminal it is asked for")
            }
            Self::OfficialFile(_)
            | Self::Unreadable { .. }
            | Self::Wrong { .. }
            | Self::Prompt { .. }
            | Self::NothingTyped { .. }
            | Self::StandardInputTwice => None,
        }
    }
}

impl Hint for ComposeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Listen { .. } => text("`--listen 127.0.0.1:0` picks a free port"),
            Self::Read(ReadError::Encrypted { .. }) => {
                text("give `--identity FILE` or `--passphrase-file FILE`")
            }
            Self::Read(ReadError::Locked { .. }) => text(
                "give the identity or the passphrase that belongs to it (`--identity FILE`, `--passphrase-file FILE`)",
            ),
            Self::Read(ReadError::Memory { .. }) => {
                text("open it on a machine, or in a container, with more memory")
            }
            Self::Read(ReadError::ExcessiveWork { .. }) => text(
                "if you trust it, decrypt it with another age program, and give the decrypted bag",
            ),
            Self::Encryption(EncryptionError::Memory(_))
            | Self::Open(OpenError::Encryption(EncryptionError::Memory(_))) => {
                text("give it more memory, or encrypt to a key with `--encrypt-to`")
            }
            Self::Connection(SetUpError::ProxyUrl { .. } | SetUpError::ProxyNotUtf8 { .. }) => {
                text("unset the variable, or name the host in NO_PROXY, to go without a proxy")
            }
            Self::SigningKey(error) => error.hint().map(str::to_owned),
            Self::ReceiptFile(error) => error.hint().map(str::to_owned),
            Self::VerifyingKey(_) => text(
                "it has to be what `minisign -G` writes with `-p`: two lines, the second begins with `RW`",
            ),
            Self::Opening(error) => error.hint(),
            Self::Open(error) => error.hint().map(str::to_owned),
            Self::ImportFile(ImportFileError::NotWritable { .. }) => {
                text("`--state FILE` keeps it elsewhere")
            }
            Self::ImportFile(ImportFileError::OtherOrder { .. }) => text(
                "end that import with the same command as before, or keep this one's state elsewhere with `--state FILE`",
            ),
            Self::ImportFile(ImportFileError::Damaged { .. }) => text(
                "remove it, or give another `--state FILE`: what is on the platform is found by name and version",
            ),
            Self::ImportFile(ImportFileError::Locked { .. }) => {
                text("wait for its end, or stop it")
            }
            Self::NothingDelivered => text(
                "it was made by an older version: export it once more, with `--force` or under another name",
            ),
            Self::Sum { .. }
            | Self::ImportFile(ImportFileError::Io { .. })
            | Self::Read(
                ReadError::Io { .. }
                | ReadError::NotABag { .. }
                | ReadError::Identity { .. }
                | ReadError::NoIdentityFile { .. }
                | ReadError::TooManyFiles { .. },
            )
            | Self::Encryption(_)
            | Self::Folder { .. }
            | Self::Connection(_)
            | Self::Url { .. }
            | Self::Scenario(_) => None,
        }
    }
}

impl Hint for RunError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unauthorized { .. } => text(
                "for an API key pair use `--publickey` with `--secretkey-file`; for someone else's data add `--as UID`",
            ),
            Self::Platform(error) => error.hint(),
            Self::WrongAddress { .. } => text(API_URL),
            Self::NothingAvailable {
                source: ApiError::NotFound { .. },
                ..
            } => text("the platform does not know this login: check `--user` and `--as`"),
            Self::NothingAvailable { .. } => {
                text("an administrator, or the person, has to sign in; `plan` says what may be had")
            }
            Self::UnknownIds { .. } => text("`uforge-export plan` lists what there is"),
            Self::Sink(error) => error.hint(),
            Self::Journal(_) => text(RESUMES),
        }
    }
}

/// What is true where nothing was kept: `plan` and `verify`, standard output, what is encrypted.
fn hint_of_lost(error: &RunError) -> Option<String> {
    match error {
        RunError::Platform(error) if is_of_first_request(error) => error.hint(),
        RunError::Platform(ApiError::Stalled { .. }) => {
            text("`--timeout SECS` waits longer; the same command begins anew")
        }
        RunError::Sink(SinkError::NoSpace { .. }) => text("free some space and begin again"),
        RunError::Sink(error @ SinkError::Io { .. }) if is_of_naming(error) => error.hint(),
        RunError::Sink(SinkError::Io { path, .. }) if is_stdout(path) => None,
        RunError::Platform(
            ApiError::Overloaded { .. }
            | ApiError::ServerFault { .. }
            | ApiError::NoAnswer { .. }
            | ApiError::Interrupted { .. },
        )
        | RunError::Journal(_)
        | RunError::Sink(SinkError::Io { .. }) => text("try again: the same command begins anew"),
        _ => error.hint(),
    }
}

/// Whether a complete bag could not have its name.
fn is_of_naming(error: &SinkError) -> bool {
    matches!(error, SinkError::Io { action, .. } if *action == "rename to")
}

/// Whether the bag went to standard output.
fn is_stdout(path: &Path) -> bool {
    path == Path::new("standard output")
}

const RESUMES: &str = "the same command resumes where it stopped";

impl Hint for SinkError {
    fn hint(&self) -> Option<String> {
        match self {
            // Nothing that went into a pipe can be resumed.
            Self::NoSpace { path, .. } if is_stdout(path) => {
                text("free some space and begin again")
            }
            Self::Io { path, .. } if is_stdout(path) => None,
            Self::NoSpace {
                needed: Some(needed),
                ..
            } => Some(format!(
                "some {} more are needed; with them the same command resumes where it stopped",
                super::size(*needed)
            )),
            Self::NoSpace { needed: None, .. } => {
                text("free some space; the same command then resumes where it stopped")
            }
            Self::Exists { .. } => text("`--force` replaces it"),
            Self::Io { .. } if is_of_naming(self) => text(
                "the complete bag was kept: once a file may be made there, the same command gives it its name; \
                 else copy `bag` out of its work folder",
            ),
            Self::Io { source, .. }
                if matches!(
                    source.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                text("once it can be written to, the same command resumes where it stopped")
            }
            Self::Io { source, .. } if source.kind() == ErrorKind::NotFound => text(
                "what was kept of the run may be gone: the same command resumes with what is there",
            ),
            Self::Io { .. } => text(RESUMES),
            Self::CheckFailed { .. }
            | Self::Duplicate { .. }
            | Self::Lost
            | Self::Unavailable(_)
            | Self::Stopped => None,
        }
    }
}

/// What a run begins with: nothing has been done before that could be continued.
const FIRST_REQUEST: &str = "GET status";

/// Whether nothing was answered yet: what is wrong is on the way, not in what was begun.
fn is_of_first_request(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Overloaded { request, .. }
        | ApiError::ServerFault { request, .. }
        | ApiError::NoAnswer { request, .. }
        if request == FIRST_REQUEST
    )
}

impl Hint for ApiError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotOffered { .. } => text("`--documents xml` asks for no JSON"),
            Self::NoAnswer { request, .. } if request == FIRST_REQUEST => {
                text("check the URL's port, and whether it begins with `http://` or `https://`")
            }
            Self::Overloaded { request, .. } | Self::ServerFault { request, .. }
                if request == FIRST_REQUEST =>
            {
                text("try again when the platform, or what stands before it, is back")
            }
            Self::Overloaded { .. }
            | Self::ServerFault { .. }
            | Self::NoAnswer { .. }
            | Self::Interrupted { .. } => text(RESUMES),
            Self::Stalled { .. } => {
                text("`--timeout SECS` waits longer; the same command resumes where it stopped")
            }
            _ => self
                .remedy()
                .map(|remedy| super::printable(&remedy).into_owned()),
        }
    }
}
