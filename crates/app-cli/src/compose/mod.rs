//! Puts the program together: the only module that names concrete adapters.
//!
//! [`process`] and [`address`] are what settings and credentials need of adapters; they import nothing of the rest.

mod address;
pub(crate) mod process;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use adapters_archive::{
    BagArchives, BagSource, Depth, EncryptionError, ImportFile, ImportFileError, ImportHeader,
    Listing, LockedRun, OpenError, OpenRun, OpenedRun, ReadError, ReceiptFile, ReceiptFileError,
    RunFiles, RunHeader, SecretKeyFile, SigningKey, SigningKeyError, StoredFormat, VerifyReport,
    VerifyingKey, VerifyingKeyError, read_receipt_file, signature_beside, signed_with,
};
use adapters_archive::{
    Recipient, Replace, RunSettings, UnfinishedPolicy, UnfinishedRun, Unlock, WholeSum,
};
use adapters_clock::SystemClock;
use adapters_http::{ApiSettings, BaseUrl, BaseUrlError, Credentials, Proxies, TlsTrust};
pub(crate) use adapters_http::{SetUpError, TrackedStarts, UforgeApi};
use domain::bag::receipt::Delivered;
use domain::model::{Order, Sha256};
use domain::ports::Clock;
use domain::workflow::Limits;
use sandbox::{Announcement, Running, Scenario, ScenarioError};
use thiserror::Error;

pub(crate) use address::server_address;
pub(crate) use process::{
    LossyStderr, Signal, Signals, TextFileError, first_line, is_ignored, read_pem, read_text,
};

use crate::args::OpeningArguments;
use crate::credentials::{self, CredentialsError, PASSPHRASE, Secret};
use crate::settings::{self, ConnectionSettings, Existing, OutputSettings, Route, SignIn, Trust};

/// What this program calls itself to servers and in bags.
pub(crate) const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why the adapters cannot be built.
#[derive(Debug, Error)]
pub(crate) enum ComposeError {
    /// The connection cannot be set up; nothing was sent.
    #[error("could not set the connection up")]
    Connection(#[source] SetUpError),
    /// The address of the platform cannot be used.
    #[error("the URL `{url}` cannot be used")]
    Url {
        url: String,
        #[source]
        source: BaseUrlError,
    },
    /// The bag cannot be written where it is to be.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The bag cannot be encrypted as asked for.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
    /// A folder in which an unfinished run is looked for.
    #[error("could not look into `{}`", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A bag cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The passphrase or the identities that a bag is to be opened with.
    #[error(transparent)]
    Opening(#[from] CredentialsError),
    /// The state of an import cannot be kept or used.
    #[error(transparent)]
    ImportFile(#[from] ImportFileError),
    /// The key that a receipt is to be signed with.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// The key that a signature is to be checked with.
    #[error(transparent)]
    VerifyingKey(#[from] VerifyingKeyError),
    /// A receipt cannot be written.
    #[error(transparent)]
    ReceiptFile(#[from] ReceiptFileError),
    /// The finished bag cannot be read again, for the sum in its receipt.
    #[error("could not read `{}`", path.display())]
    Sum {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A bag of an older version that cannot be asked.
    #[error("nothing is recorded of the bag that a receipt could say")]
    NothingDelivered,
    /// The sandbox's scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The sandbox cannot listen.
    #[error("could not listen on `{address}`")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
}

/// The system's clock.
pub(crate) fn clock() -> impl Clock {
    SystemClock::start()
}

/// The platform behind a connection; what is started there is recorded.
pub(crate) fn platform(connection: &ConnectionSettings) -> Result<TrackedStarts, ComposeError> {
    Ok(TrackedStarts::new(Arc::new(uforge(connection)?)))
}

/// The platform behind a connection.
pub(crate) fn uforge(connection: &ConnectionSettings) -> Result<UforgeApi, ComposeError> {
    let base = BaseUrl::parse(&connection.server.url).map_err(|source| ComposeError::Url {
        url: connection.server.url.clone(),
        source,
    })?;
    let settings = ApiSettings {
        base,
        user: connection.user.clone(),
        credentials: adapter_credentials(&connection.sign_in),
        silence: connection.timeout,
        document_limit_bytes: Limits::DOCUMENT_BYTES,
        trust: match &connection.trust {
            Trust::System => TlsTrust::System,
            Trust::Extra { pem } => TlsTrust::ExtraCa(pem.clone()),
            Trust::Any => TlsTrust::AcceptAny,
        },
        proxies: match connection.route {
            Route::AsConfigured => Proxies::FromEnvironment,
            Route::WithinThisMachine => Proxies::Direct,
        },
        user_agent: format!("uforge-export/{TOOL_VERSION}"),
    };
    UforgeApi::new(settings).map_err(ComposeError::Connection)
}

fn adapter_credentials(sign_in: &SignIn) -> Credentials {
    match sign_in {
        SignIn::Direct {
            login,
            secret: Secret::Password(password),
        } => Credentials::Password {
            login: login.as_str().to_owned(),
            password: password.clone(),
        },
        SignIn::Direct {
            secret: Secret::KeyPair { public, secret },
            ..
        } => Credentials::ApiKey {
            public: public.clone(),
            secret: secret.clone(),
        },
        SignIn::Supervisor { login, password } => Credentials::Supervisor {
            login: login.as_str().to_owned(),
            password: password.clone(),
        },
    }
}

/// The unfinished runs whose bags were to be in this folder, the last begun first.
pub(crate) fn unfinished_in(folder: &Path) -> Result<Vec<UnfinishedRun>, ComposeError> {
    adapters_archive::find_unfinished(folder).map_err(|source| ComposeError::Folder {
        path: folder.to_owned(),
        source,
    })
}

/// What the unfinished run for a bag of this name says of itself.
pub(crate) fn unfinished_at(bag: &Path) -> Result<Option<RunHeader>, ComposeError> {
    Ok(adapters_archive::read_header(bag)?)
}

/// Refuses a final name that no bag can have.
pub(crate) fn check_target(bag: &Path, existing: Existing) -> Result<(), ComposeError> {
    Ok(adapters_archive::check_target(bag, replace(existing))?)
}

/// Whether another bag, or another run, has this final name.
pub(crate) fn is_taken(bag: &Path) -> bool {
    adapters_archive::is_taken(bag)
}

/// The bag whose work folder this is.
pub(crate) fn bag_of_work_folder(path: &Path) -> Option<PathBuf> {
    adapters_archive::bag_of_work_folder(path)
}

fn replace(existing: Existing) -> Replace {
    match existing {
        Existing::Refuse => Replace::Refuse,
        Existing::Replace => Replace::Force,
    }
}

/// Locks what an unfinished run left, so that it can be discarded.
pub(crate) fn lock_unfinished(bag: &Path) -> Result<Option<LockedRun>, ComposeError> {
    Ok(adapters_archive::lock_unfinished(bag)?)
}

/// Opens the bag for writing: a file of this name, or standard output.
pub(crate) fn archive(
    file: Option<&Path>,
    order: &Order,
    output: &OutputSettings,
) -> Result<OpenedRun, ComposeError> {
    let target = match file {
        None => adapters_archive::Target::Stdout,
        Some(path) => adapters_archive::Target::File {
            path: path.to_owned(),
            replace: replace(output.existing),
        },
    };
    Ok(adapters_archive::open_run(RunSettings {
        target,
        format: output.format,
        top: order.bag_name.clone(),
        fingerprint: order.fingerprint(),
        user: order.user.clone(),
        source: order.source.clone(),
        encryption: encryption(&output.encryption)?,
        whole_sum: match output.receipt {
            None => WholeSum::None,
            Some(_) => WholeSum::OnTheWay,
        },
        unfinished: match output.unfinished {
            settings::UnfinishedPolicy::Resume => UnfinishedPolicy::Resume,
            settings::UnfinishedPolicy::Discard => UnfinishedPolicy::Discard,
        },
    })?)
}

fn encryption(
    wanted: &settings::Encryption,
) -> Result<Option<adapters_archive::Encryption>, EncryptionError> {
    use adapters_archive::Encryption;
    Ok(match wanted {
        settings::Encryption::None => None,
        settings::Encryption::Passphrase(passphrase) => {
            Some(Encryption::with_passphrase(passphrase.clone())?)
        }
        settings::Encryption::Recipients(given) => {
            let mut recipients = Vec::new();
            for text in given {
                recipients.extend(Recipient::parse_or_read(text)?);
            }
            Some(Encryption::Recipients(recipients))
        }
    })
}

/// The receipt that a run is to write.
pub(crate) fn receipt_file(path: &Path, existing: Existing) -> ReceiptFile {
    ReceiptFile::new(path, replace(existing))
}

/// The size and the SHA-256 of a file.
pub(crate) fn sum_of_file(path: &Path) -> Result<(u64, Sha256), ComposeError> {
    adapters_archive::sum_of_file(path).map_err(|source| ComposeError::Sum {
        path: path.to_owned(),
        source,
    })
}

/// What a receipt says of a bag, by what the bag says of itself.
pub(crate) fn delivered(bag: &Path) -> Result<Delivered, ComposeError> {
    let found = adapters_archive::delivered(open_bag(bag, None)?)?;
    found.ok_or(ComposeError::NothingDelivered)
}

/// Opens a bag for reading.
pub(crate) fn open_bag(path: &Path, unlock: Option<&Unlock>) -> Result<BagSource, ComposeError> {
    Ok(adapters_archive::open_bag(path, unlock)?)
}

/// What a bag is to be opened with, where it is encrypted.
pub(crate) fn unlock(opening: OpeningArguments) -> Result<Option<Unlock>, ComposeError> {
    Ok(match opening.passphrase_file {
        Some(file) => Some(Unlock::Passphrase(credentials::first_line(
            &file, PASSPHRASE,
        )?)),
        None if opening.identities.is_empty() => None,
        None => Some(Unlock::IdentityFiles(opening.identities)),
    })
}

/// The archives of a bag, for an import.
pub(crate) fn archives(path: &Path, unlock: Option<Unlock>) -> Result<BagArchives, ComposeError> {
    Ok(BagArchives::open(path, unlock)?)
}

/// The state file of an import.
pub(crate) fn import_file(path: &Path, header: &ImportHeader) -> Result<ImportFile, ComposeError> {
    Ok(ImportFile::open(path, header)?)
}

/// Checks every byte of a bag.
pub(crate) fn verify(bag: BagSource, depth: Depth) -> Result<VerifyReport, ComposeError> {
    Ok(adapters_archive::verify(bag, depth)?)
}

/// Says what is in a bag.
pub(crate) fn list(bag: BagSource) -> Result<Listing, ComposeError> {
    Ok(adapters_archive::list(bag)?)
}

/// What a bag says of itself: its `export.json`; `None` where it has none.
pub(crate) fn export_json(bag: BagSource) -> Result<Option<Vec<u8>>, ComposeError> {
    Ok(adapters_archive::export_json(bag)?)
}

/// The sandbox's description: from a file, or the built-in one.
pub(crate) fn scenario(file: Option<&Path>) -> Result<Scenario, ComposeError> {
    Ok(file.map(Scenario::load).transpose()?.unwrap_or_default())
}

/// A sandbox that listens.
pub(crate) async fn sandbox(
    listen: SocketAddr,
    scenario: Scenario,
) -> Result<(Running, Announcement), ComposeError> {
    let running =
        sandbox::serve(listen, scenario)
            .await
            .map_err(|source| ComposeError::Listen {
                address: listen,
                source,
            })?;
    let announcement = running.announcement();
    Ok((running, announcement))
}
