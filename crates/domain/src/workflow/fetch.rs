//! Documents and small files, one at a time: asked for, blanked where that was ordered, put into the bag, remembered.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::Limits;
use super::patience::{Failed, attempt};
use super::retry::{Jitter, Verdict, backoff, verdict};
use super::run::{Ports, RunError};
use super::transfer::{TransferFailure, fetch_file};
use super::twins::{Twins, not_offered};
use crate::model::{
    BagPath, BinaryRef, Facts, Order, Representation, Resource, Secrets, Section, Sha256,
    UploadFacts,
};
use crate::ports::{
    ApiError, ArchiveSink, Check, Document, Durability, Event, Fact, NewEntry, Origin, Receipt,
    Redaction, RedactionRule, Storage,
};
use crate::redact;

/// What an interrupted run left, as far as documents go.
#[derive(Debug, Default)]
pub(crate) struct Resumed {
    pub(crate) receipts: BTreeMap<BagPath, Receipt>,
    pub(crate) documents: BTreeMap<Resource, Facts>,
    pub(crate) not_as_json: BTreeSet<Resource>,
}

/// What fetching needs.
#[derive(Clone, Copy)]
pub(crate) struct Fetch<'a> {
    pub(crate) ports: Ports<'a>,
    /// `None` where nothing is kept: the survey of a plan, the recount.
    pub(crate) sink: Option<&'a dyn ArchiveSink>,
    pub(crate) order: &'a Order,
    pub(crate) resumed: &'a Resumed,
    pub(crate) twins: &'a Twins,
}

/// A document that was brought home.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    pub(crate) facts: Facts,
    pub(crate) receipts: Vec<Receipt>,
    /// The bytes that the facts were read from; none where an interrupted run read them.
    pub(crate) xml: Option<Bytes>,
    /// A representation that could not be had although the other could.
    pub(crate) twin_failed: Option<Failed>,
}

/// Why a small file is not in the bag.
#[derive(Debug)]
pub(crate) struct FileLoss {
    pub(crate) message: String,
    pub(crate) http_status: Option<u16>,
    pub(crate) attempts: u32,
}

const FORMS: [Representation; 2] = [Representation::Xml, Representation::Json];

impl Fetch<'_> {
    /// Brings one document in every form that is kept. `Err(Ok(…))` is a document that cannot be had, `Err(Err(…))` ends the run.
    pub(crate) async fn document(
        self,
        section: Section,
        resource: Resource,
        path_of: impl Fn(Representation) -> BagPath,
    ) -> Result<Brought, Result<Failed, RunError>> {
        if let Some(brought) = self.checkpoint(resource, &path_of) {
            for receipt in &brought.receipts {
                self.report_stored(section, receipt);
            }
            return Ok(brought);
        }
        let xml = self.ask(resource, Representation::Xml).await?;
        let mut brought = Brought {
            facts: xml.facts.clone(),
            xml: Some(xml.bytes.clone()),
            ..Brought::default()
        };
        let Some(sink) = self.sink else {
            return Ok(brought);
        };
        let mut complete = true;
        for form in FORMS
            .into_iter()
            .filter(|form| self.order.documents.keeps(*form))
        {
            let document = match form {
                Representation::Xml => xml.clone(),
                Representation::Json => match self.twin(resource).await {
                    Ok(Some(document)) => document,
                    Ok(None) if self.order.documents.keeps(Representation::Xml) => {
                        self.record(Fact::NotAsJson { resource }).await?;
                        continue;
                    }
                    Ok(None) => {
                        brought.twin_failed = Some(not_offered(resource));
                        complete = false;
                        continue;
                    }
                    Err(Ok(failed)) => {
                        brought.twin_failed = Some(failed);
                        complete = false;
                        continue;
                    }
                    Err(fatal) => return Err(fatal),
                },
            };
            brought.receipts.push(
                self.keep(sink, section, form, document, path_of(form))
                    .await?,
            );
        }
        if complete {
            let fact = Fact::Read {
                resource,
                facts: brought.facts.clone(),
            };
            self.record(fact).await?;
        }
        Ok(brought)
    }

    async fn record(self, fact: Fact) -> Result<(), Result<Failed, RunError>> {
        let recorded = self.ports.journal.record(fact).await;
        recorded.map_err(|error| Err(error.into()))
    }

    /// A document of an interrupted run, where all of it is safe.
    fn checkpoint(
        &self,
        resource: Resource,
        path_of: &impl Fn(Representation) -> BagPath,
    ) -> Option<Brought> {
        let facts = self
            .resumed
            .documents
            .get(&resource)
            .filter(|_| self.sink.is_some())?;
        let is_xml_only = self.order.documents.keeps(Representation::Xml)
            && self.resumed.not_as_json.contains(&resource);
        let forms = FORMS.into_iter().filter(|form| {
            self.order.documents.keeps(*form) && !(is_xml_only && *form == Representation::Json)
        });
        let receipts = forms
            .map(|form| self.resumed.receipts.get(&path_of(form)).cloned())
            .collect::<Option<Vec<_>>>()?;
        Some(Brought {
            facts: facts.clone(),
            receipts,
            xml: None,
            twin_failed: None,
        })
    }

    pub(super) async fn ask(
        self,
        resource: Resource,
        form: Representation,
    ) -> Result<Document, Result<Failed, RunError>> {
        let what = format!("{} as {form}", words_for(resource));
        let api = self.ports.api;
        attempt(self.ports, self.order.seed, &what, || {
            api.document(resource, form)
        })
        .await
        .map_err(|failed| failed.into_fatal(&self.order.user))
    }

    async fn keep(
        self,
        sink: &dyn ArchiveSink,
        section: Section,
        form: Representation,
        document: Document,
        path: BagPath,
    ) -> Result<Receipt, Result<Failed, RunError>> {
        // Kept by an interrupted run whose other form was lost: what is in the bag stays.
        if let Some(receipt) = self.resumed.receipts.get(&path) {
            return Ok(receipt.clone());
        }
        let (bytes, redactions) = self.blank(section, form, &document).map_err(Ok)?;
        let entry = NewEntry {
            path,
            media_type: document.media_type,
            storage: Storage::Compressed,
            size: Some(bytes.len() as u64),
            check: Check::None,
            durability: Durability::AtFinish,
            validator: None,
            origin: Origin {
                section,
                source: document.request,
                fetched: self.ports.clock.now(),
                item: None,
                ticket: None,
                redactions,
            },
        };
        let receipt = store(sink, entry, bytes).await.map_err(Err)?;
        self.report_stored(section, &receipt);
        Ok(receipt)
    }

    fn report_stored(self, section: Section, receipt: &Receipt) {
        self.ports.progress.on(&Event::DocumentStored {
            section,
            path: receipt.path.to_string(),
            bytes: receipt.bytes,
        });
    }

    fn blank(
        self,
        section: Section,
        form: Representation,
        document: &Document,
    ) -> Result<(Bytes, Vec<Redaction>), Failed> {
        let unreadable = |error: redact::RedactError| Failed {
            error: ApiError::Unreadable {
                request: document.request.clone(),
                detail: error.to_string(),
            },
            attempts: 1,
        };
        let (mut bytes, mut redactions) = (document.bytes.clone(), Vec::new());
        let mut note = |rule, count| {
            if count > 0 {
                redactions.push(Redaction { rule, count });
            }
        };
        if section == Section::WorkspaceComments {
            let blanked =
                redact::redact_other_people(form, &bytes, &self.order.user).map_err(unreadable)?;
            note(RedactionRule::OtherPerson, blanked.count);
            bytes = blanked.bytes.into();
        }
        if self.order.secrets == Secrets::Redact {
            let blanked = redact::redact_secrets(form, &bytes).map_err(unreadable)?;
            note(RedactionRule::Secret, blanked.count);
            bytes = blanked.bytes.into();
        }
        Ok((bytes, redactions))
    }

    /// A file of an interrupted run. Its ending came from the server, so it is looked for under any.
    fn kept_file(&self, path_of: &impl Fn(&str) -> BagPath) -> Option<Receipt> {
        let probe = path_of("bin");
        let stem = probe.as_str().strip_suffix("bin").unwrap_or(probe.as_str());
        let is_it = |path: &BagPath| {
            path.as_str()
                .strip_prefix(stem)
                .is_some_and(|ending| !ending.contains(['/', '.']))
        };
        self.resumed
            .receipts
            .iter()
            .find(|(path, _)| is_it(path))
            .map(|(_, receipt)| receipt.clone())
    }

    /// Brings a photo, a logo or a certificate.
    pub(crate) async fn file(
        self,
        section: Section,
        binary: BinaryRef,
        facts: &UploadFacts,
        path_of: impl Fn(&str) -> BagPath,
    ) -> Result<Result<Receipt, FileLoss>, RunError> {
        let Some(sink) = self.sink else {
            return Ok(Err(FileLoss {
                message: "nothing is resumed".to_owned(),
                http_status: None,
                attempts: 0,
            }));
        };
        if let Some(receipt) = self.kept_file(&path_of) {
            return Ok(Ok(receipt));
        }
        let mut jitter = Jitter::new(self.order.seed);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let answer = match self.ports.api.binary(binary).await {
                Ok(download) => {
                    fetch_file(
                        self.ports,
                        sink,
                        section,
                        download,
                        published(facts),
                        &path_of,
                    )
                    .await
                }
                Err(error) => Err(TransferFailure::Api(error, None)),
            };
            let (wait, message, http_status) = match answer {
                Ok(receipt) => return Ok(Ok(receipt)),
                Err(TransferFailure::Sink(error)) => return Err(error.into()),
                Err(TransferFailure::Damaged(failure)) => {
                    let again = attempts < Limits::DAMAGED_DOWNLOADS;
                    (
                        again.then(|| backoff(attempts, &mut jitter)),
                        failure.to_string(),
                        None,
                    )
                }
                Err(TransferFailure::Api(error, _)) => match verdict(&error, attempts, &mut jitter)
                {
                    Verdict::Again(wait) => (Some(wait), error.to_string(), error.http_status()),
                    Verdict::GiveUp => {
                        let failed = Failed { error, attempts }.into_fatal(&self.order.user)?;
                        (None, failed.error.to_string(), failed.error.http_status())
                    }
                },
            };
            match wait {
                Some(wait) => self.ports.clock.sleep(wait).await,
                None => {
                    return Ok(Err(FileLoss {
                        message,
                        http_status,
                        attempts,
                    }));
                }
            }
        }
    }
}

/// Puts bytes that are in memory into the bag.
async fn store(sink: &dyn ArchiveSink, entry: NewEntry, bytes: Bytes) -> Result<Receipt, RunError> {
    let mut writer = sink.open_entry(entry).await?;
    writer.write(bytes).await?;
    Ok(writer.close().await?)
}

fn published(facts: &UploadFacts) -> Check {
    let sha256 = facts
        .sha256
        .as_deref()
        .and_then(|sum| Sha256::parse(sum.trim()));
    match (facts.size.filter(|size| *size > 0), sha256) {
        (None, None) => Check::None,
        (size, sha256) => Check::Published { size, sha256 },
    }
}

pub(super) fn words_for(resource: Resource) -> String {
    match resource {
        Resource::User => "the profile".to_owned(),
        Resource::List(list, _) => format!("the list of {}", list.name()),
        Resource::Item(item) => item.to_string(),
        Resource::CloudAccount(id) => format!("cloud account {id}"),
        Resource::WorkspaceTemplates { workspace, .. } => {
            format!("the templates of workspace {workspace}")
        }
        Resource::WorkspaceComments { workspace, .. } => {
            format!("the comments of workspace {workspace}")
        }
        Resource::TemplateComments { template, .. } => {
            format!("the comments of shared template {template}")
        }
    }
}
