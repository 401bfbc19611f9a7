//! `--receipt`: the record of what was delivered, written once the bag stands under its final name.
//!
//! **Order.** What a receipt says is in the run's journal before the bag has its name; the journal stays beside the bag until the receipt is
//! written. So the same command, given again after a kill at any point, ends with the same receipt.

use std::path::{Path, PathBuf};

use domain::bag::receipt::{BagReceipt, Delivered, ReceivedFile};
use domain::model::UserId;
use domain::ports::FinishedBag;
use jiff::Timestamp;
use serde::Serialize;

use super::session::Session;
use crate::compose::{
    self, ComposeError, ReceiptFile, RunFiles, SecretKeyFile, SigningKey, signature_beside,
};
use crate::credentials;
use crate::error::CommandError;
use crate::render::{Listener, printable};
use crate::settings::{OutputSettings, ReceiptSettings, SettingsError, Target, UnfinishedPolicy};
use crate::signals::Signals;

/// A receipt that a run is to write, with its key open.
#[derive(Clone, Debug)]
pub(super) struct ReceiptJob {
    file: ReceiptFile,
    key: Option<SigningKey>,
}

/// A receipt that was written.
pub(super) struct Written {
    path: PathBuf,
    /// The number of the key that signed it.
    key: Option<String>,
}

/// Refuses a receipt that cannot be written, before a password is asked for. What an interrupted run of this bag has just written is no
/// reason to refuse: that is seen once it is known which run is resumed.
pub(super) fn refuse_impossible_receipt(output: &OutputSettings) -> Result<(), CommandError> {
    let Some(settings) = &output.receipt else {
        return Ok(());
    };
    let file = compose::receipt_file(&settings.path, output.existing);
    file.check_place().map_err(ComposeError::from)?;
    if let Target::File(bag) = &output.target {
        let names = [settings.path.clone(), signature_beside(&settings.path)];
        if let Some(path) = names.into_iter().find(|name| is_same_place(name, bag)) {
            return Err(SettingsError::ReceiptIsBag { path }.into());
        }
    }
    if !may_be_resumed(output)? {
        file.check_free().map_err(ComposeError::from)?;
    }
    Ok(())
}

fn may_be_resumed(output: &OutputSettings) -> Result<bool, CommandError> {
    Ok(match &output.target {
        _ if output.unfinished == UnfinishedPolicy::Discard => false,
        Target::Stdout => false,
        Target::File(bag) => compose::unfinished_at(bag)?.is_some(),
        Target::Folder(folder) => !compose::unfinished_in(folder)?.is_empty(),
    })
}

/// Whether two paths name the same file, whether it is there or not.
fn is_same_place(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    place(one).is_some_and(|place_of_one| Some(place_of_one) == place(other))
}

impl ReceiptJob {
    /// Opens the key, where there is one; at a terminal that may take as long as a person does: this blocks.
    pub(super) fn open(output: &OutputSettings) -> Result<Option<Self>, CommandError> {
        let Some(settings) = &output.receipt else {
            return Ok(None);
        };
        Ok(Some(Self {
            file: compose::receipt_file(&settings.path, output.existing),
            key: open_key(settings)?,
        }))
    }

    /// Refuses names that other files have.
    pub(super) fn check_free(&self) -> Result<(), CommandError> {
        Ok(self.file.check_free().map_err(ComposeError::from)?)
    }

    /// Writes it. Reads the bag where its sum is not known yet: this blocks.
    fn write(
        &self,
        bag: &FinishedBag,
        delivered: Option<Delivered>,
        requested_by: &UserId,
    ) -> Result<(), ComposeError> {
        let delivered = match (delivered, &bag.path) {
            (Some(delivered), _) => delivered,
            (None, Some(path)) => compose::delivered(path)?,
            (None, None) => return Err(ComposeError::NothingDelivered),
        };
        let receipt = BagReceipt::new(file_of(bag)?, delivered, requested_by);
        let comment = self.comment(&receipt);
        let signed = self.key.as_ref().map(|key| (key, comment.as_str()));
        Ok(self.file.write(&receipt.to_json(), signed)?)
    }

    /// As `minisign` makes them: when, which file, and that it was hashed first.
    fn comment(&self, receipt: &BagReceipt) -> String {
        let closed = receipt.finished.parse::<Timestamp>();
        let closed = closed.map_or(0, Timestamp::as_second);
        let name = self.file.path().file_name().unwrap_or_default();
        format!(
            "timestamp:{closed}\tfile:{}\thashed",
            name.to_string_lossy()
        )
    }
}

fn open_key(settings: &ReceiptSettings) -> Result<Option<SigningKey>, CommandError> {
    let Some(path) = &settings.key else {
        return Ok(None);
    };
    let file = SecretKeyFile::read(path).map_err(ComposeError::from)?;
    let passphrase = if file.is_encrypted() {
        let read = credentials::key_passphrase(path, settings.passphrase_file.as_deref());
        Some(read.map_err(SettingsError::from)?)
    } else {
        None
    };
    let key = file.open(passphrase.as_ref()).map_err(ComposeError::from)?;
    Ok(Some(key))
}

fn file_of(bag: &FinishedBag) -> Result<ReceivedFile, ComposeError> {
    let name = bag.path.as_ref().and_then(|path| path.file_name());
    let (bytes, sha256) = match (bag.sha256, &bag.path) {
        (Some(sum), _) => (bag.bytes, sum),
        (None, Some(path)) => compose::sum_of_file(path)?,
        (None, None) => return Err(ComposeError::NothingDelivered),
    };
    Ok(ReceivedFile {
        name: name.map(|name| name.to_string_lossy().into_owned()),
        bytes,
        sha256,
    })
}

/// Writes the receipt of a bag that stands under its final name, where one is wanted. A signal ends that; the same command then writes it.
pub(super) async fn write(
    session: &Session,
    mut signals: Signals,
    (wanted, requested_by): (Option<&ReceiptJob>, &UserId),
    bag: &FinishedBag,
    run_files: &RunFiles,
) -> Result<Option<Written>, CommandError> {
    let Some(receipt) = wanted.cloned() else {
        return Ok(None);
    };
    let written = Written {
        path: receipt.file.path().to_owned(),
        key: receipt.key.as_ref().map(SigningKey::id),
    };
    let delivered = run_files.journal().checkpoint().delivered;
    let (bag, login) = (bag.clone(), requested_by.clone());
    let path = bag.path.clone();
    let writing = move || receipt.write(&bag, delivered.map(|boxed| *boxed), &login);
    match signals.or(tokio::task::spawn_blocking(writing)).await {
        Ok(Ok(Ok(()))) => {
            if session.messages.listener() == Listener::Program {
                session.messages.event(ReceiptEvent::of(&written));
            }
            Ok(Some(written))
        }
        Ok(Ok(Err(error))) => Err(CommandError::NoReceipt {
            bag: path,
            source: Box::new(error),
        }),
        Ok(Err(join)) => Err(CommandError::Runtime(join.into())),
        Err(signal) => {
            signals.end_at_next();
            if path.is_some() {
                session
                    .messages
                    .info("Interrupted. The bag is complete: the same command writes its receipt.");
            }
            Err(CommandError::Interrupted(signal))
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "event", rename = "receipt")]
struct ReceiptEvent {
    /// A path that is not Unicode has no other form in JSON.
    receipt: String,
    signature: Option<String>,
    key: Option<String>,
}

impl ReceiptEvent {
    fn of(written: &Written) -> Self {
        let signature = signature_beside(&written.path);
        Self {
            receipt: written.path.display().to_string(),
            signature: written
                .key
                .as_ref()
                .map(|_| signature.display().to_string()),
            key: written.key.clone(),
        }
    }
}

/// Says where the receipt is.
pub(super) fn report(session: &Session, written: Option<Written>) {
    let Some(Written { path, key }) = written else {
        return;
    };
    if session.messages.listener() != Listener::Person {
        return;
    }
    let path = path.display().to_string();
    let signed = key.map_or_else(String::new, |key| {
        format!(", signed with the key {key}: {}.minisig", printable(&path))
    });
    session
        .messages
        .info(&format!("The receipt is {}{signed}", printable(&path)));
}
