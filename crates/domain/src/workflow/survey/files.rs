//! The small files of an object: its photo, logo or certificates.

use super::task::Task;
use crate::bag::layout;
use crate::model::{
    BagPath, BinaryRef, ItemRef, ObjectId, Secrets, Section, SectionKind, UploadFacts, UploadRole,
};
use crate::report::{ItemStatus, Stage};
use crate::workflow::fetch::Fetch;
use crate::workflow::ledger::{Ledger, Place};

pub(super) fn file_path(
    folder: &BagPath,
    binary: BinaryRef,
    facts: &UploadFacts,
    ending: &str,
) -> BagPath {
    match binary {
        BinaryRef::Photo(_) => layout::photo(ending),
        BinaryRef::Logo(..) => layout::logo(folder, ending),
        BinaryRef::Certificate { certificate, .. } => layout::certificate(
            folder,
            certificate,
            facts.name.as_deref().unwrap_or("certificate"),
        ),
        BinaryRef::Part(part) => {
            layout::part_file(folder, part, facts.name.as_deref().unwrap_or("file"))
        }
    }
}

pub(super) fn in_words(facts: &UploadFacts) -> String {
    let role = match facts.role {
        UploadRole::Photo => "the photo",
        UploadRole::Logo => "the logo",
        UploadRole::Certificate => "the certificate",
        UploadRole::Part => "the file",
    };
    match &facts.name {
        Some(name) => format!("{role} `{name}`"),
        None => role.to_owned(),
    }
}

/// Whose file it is, for a message that says why it is tried again.
pub(super) fn owner_of(binary: BinaryRef) -> String {
    match binary {
        BinaryRef::Photo(_) => "the profile".to_owned(),
        BinaryRef::Logo(item, _) => item.to_string(),
        BinaryRef::Certificate { account, .. } => format!("cloud account {account}"),
        BinaryRef::Part(part) => part.item().to_string(),
    }
}

pub(super) fn file_tasks(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    place: Place,
    owner: Option<ObjectId>,
    folder: &BagPath,
    uploads: &[UploadFacts],
) -> Vec<Task> {
    let mut tasks = Vec::new();
    for upload in uploads.iter().filter(|upload| upload.uploaded) {
        if upload.role == UploadRole::Certificate && fetch.order.secrets == Secrets::Redact {
            ledger.notes.push(format!(
                "{} of {} was left out: secrets are redacted",
                in_words(upload),
                place.section
            ));
            continue;
        }
        if let Some(binary) = binary_of(place.section, owner, upload) {
            tasks.push(Task::File(place, binary, upload.clone(), folder.clone()));
        } else {
            let message = format!(
                "{} has no valid id, so it cannot be asked for",
                in_words(upload)
            );
            let failure = ledger.failure_of(place, Stage::Download, None, message, 1);
            ledger.fail(place, failure, ItemStatus::Failed);
        }
    }
    tasks
}

fn binary_of(section: Section, owner: Option<ObjectId>, upload: &UploadFacts) -> Option<BinaryRef> {
    let id = ObjectId::try_from(upload.id?).ok()?;
    match (section.info().kind, upload.role) {
        (SectionKind::Profile, UploadRole::Photo) => Some(BinaryRef::Photo(id)),
        (SectionKind::Items(kind), UploadRole::Logo) => {
            Some(BinaryRef::Logo(ItemRef { kind, id: owner? }, id))
        }
        (SectionKind::CloudAccounts, UploadRole::Certificate) => Some(BinaryRef::Certificate {
            account: owner?,
            certificate: id,
        }),
        _ => None,
    }
}
