//! One document: asked for, blanked where that was ordered, put into the bag, recorded.

use bytes::Bytes;

use crate::model::{BagPath, Facts, Order, Representation, Resource, Secrets, Section, Sha256};
use crate::ports::{
    ApiError, ArchiveSink, Check, Document, Durability, Event, Fact, NewEntry, Origin, Receipt,
    Redaction, RedactionRule, SinkError, Storage,
};
use crate::redact;
use crate::workflow::attempt::{Failed, Problem, ask, attempt_while, settle};
use crate::workflow::context::Ports;
use crate::workflow::json::{Json, not_offered};
use crate::workflow::resumed::Resumed;

/// What fetching needs.
#[derive(Clone, Copy)]
pub(crate) struct Fetch<'a> {
    pub(crate) ports: Ports<'a>,
    /// `None` where nothing is kept: the survey of a plan, the recount.
    pub(crate) sink: Option<&'a dyn ArchiveSink>,
    pub(crate) order: &'a Order,
    pub(crate) resumed: &'a Resumed,
    pub(crate) json: &'a Json,
}

/// A document that was fetched.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) facts: Facts,
    pub(crate) receipts: Vec<Receipt>,
    /// The sum of the bytes that the facts were read from; none where an interrupted run read them.
    pub(crate) sum: Option<Sha256>,
    /// A representation that could not be had although the other could.
    pub(crate) json_failed: Option<Failed>,
}

impl Fetched {
    /// Takes the facts of a document; its bytes stay.
    fn of(xml: &mut Document) -> Self {
        Self {
            facts: std::mem::take(&mut xml.facts),
            sum: Some(Sha256::of(&xml.bytes)),
            ..Self::default()
        }
    }
}

/// The first of them that is kept is the document.
const FORMS: [Representation; 2] = [Representation::Xml, Representation::Json];

impl Fetch<'_> {
    /// The same, and nothing of what is fetched goes into the bag.
    pub(crate) fn without_sink(self) -> Self {
        Self { sink: None, ..self }
    }

    /// Fetches one document in every form that is kept.
    pub(crate) async fn document(
        self,
        section: Section,
        resource: Resource,
        path_of: impl Fn(Representation) -> BagPath,
    ) -> Result<Fetched, Problem> {
        let Some(sink) = self.sink else {
            return self.unkept(resource).await;
        };
        let mut fetched = match self.resumed_document(section, resource, &path_of) {
            Some(fetched) => fetched,
            None => Box::pin(self.xml(sink, section, resource, &path_of)).await?,
        };
        if self.order.documents.keeps(Representation::Json) {
            let path = path_of(Representation::Json);
            Box::pin(self.json(sink, section, resource, path, &mut fetched)).await?;
        }
        Ok(fetched)
    }

    /// What is in a document that is not kept.
    pub(crate) async fn unkept(self, resource: Resource) -> Result<Fetched, Problem> {
        let what = format!("{resource} as {}", Representation::Xml);
        let api = self.ports.api;
        let read = ask(self.ports, self.order, &what, || api.facts(resource)).await?;
        Ok(Fetched {
            facts: read.facts,
            sum: Some(read.sha256),
            ..Fetched::default()
        })
    }

    /// Whether an interrupted run put this document into the bag.
    pub(crate) fn is_resumed(
        self,
        resource: Resource,
        path_of: impl Fn(Representation) -> BagPath,
    ) -> bool {
        self.sink.is_some() && self.recorded(resource, &path_of).is_some()
    }

    /// The facts that an interrupted run has recorded of a document, where the form that counts is in the bag.
    fn recorded(
        &self,
        resource: Resource,
        path_of: &impl Fn(Representation) -> BagPath,
    ) -> Option<(&Facts, Representation, &Receipt)> {
        let facts = self.resumed.documents.get(&resource)?;
        let form = FORMS
            .into_iter()
            .find(|form| self.order.documents.keeps(*form))?;
        let receipt = self.resumed.receipts.get(&path_of(form))?;
        Some((facts, form, receipt))
    }

    /// A document whose facts an interrupted run has recorded, and of which the form that counts is in the bag: what the report says
    /// of it then is what the bag holds, whatever the platform says by now.
    fn resumed_document(
        &self,
        section: Section,
        resource: Resource,
        path_of: &impl Fn(Representation) -> BagPath,
    ) -> Option<Fetched> {
        let (facts, form, receipt) = self.recorded(resource, path_of)?;
        let mut fetched = Fetched {
            facts: facts.clone(),
            ..Fetched::default()
        };
        if form == Representation::Xml {
            self.report_stored(section, receipt);
            fetched.receipts.push(receipt.clone());
        }
        Some(fetched)
    }

    /// A document as XML, which is kept where that was ordered. What was read from it is recorded first: no entry of it is resumed
    /// without its facts.
    async fn xml(
        self,
        sink: &dyn ArchiveSink,
        section: Section,
        resource: Resource,
        path_of: &impl Fn(Representation) -> BagPath,
    ) -> Result<Fetched, Problem> {
        let form = Representation::Xml;
        let mut xml = self.ask_for(resource, form).await?;
        let mut fetched = Fetched::of(&mut xml);
        let facts = fetched.facts.clone();
        let fact = Fact::Read { resource, facts };
        self.ports.journal.record(fact).await?;
        if self.order.documents.keeps(form) {
            let kept = self.keep(sink, section, form, xml, path_of(form)).await?;
            fetched.receipts.push(kept);
        }
        Ok(fetched)
    }

    /// The same document as JSON, by now without its XML in memory: a list may be tens of megabytes.
    async fn json(
        self,
        sink: &dyn ArchiveSink,
        section: Section,
        resource: Resource,
        path: BagPath,
        fetched: &mut Fetched,
    ) -> Result<(), Problem> {
        let keeps_xml = self.order.documents.keeps(Representation::Xml);
        if let Some(receipt) = self.resumed.receipts.get(&path) {
            self.report_stored(section, receipt);
            fetched.receipts.push(receipt.clone());
            return Ok(());
        }
        if keeps_xml && self.resumed.not_as_json.contains(&resource) {
            return Ok(());
        }
        let form = Representation::Json;
        let fact = match settle(self.as_json(resource).await)? {
            Ok(Some(document)) => {
                let kept = self.keep(sink, section, form, document, path).await?;
                fetched.receipts.push(kept);
                Fact::AsJson { resource }
            }
            Ok(None) if keeps_xml => Fact::NotAsJson { resource },
            Ok(None) => {
                fetched.json_failed = Some(not_offered(resource));
                return Ok(());
            }
            Err(failed) => {
                fetched.json_failed = Some(failed);
                return Ok(());
            }
        };
        self.ports.journal.record(fact).await?;
        Ok(())
    }

    async fn ask_for(self, resource: Resource, form: Representation) -> Result<Document, Problem> {
        self.ask_for_while(resource, form, |_| true).await
    }

    /// As it says, as long as another attempt is worth it after an error.
    pub(super) async fn ask_for_while(
        self,
        resource: Resource,
        form: Representation,
        is_worth_it: impl Fn(&ApiError) -> bool,
    ) -> Result<Document, Problem> {
        let what = format!("{resource} as {form}");
        let api = self.ports.api;
        let worth_it = |error: &ApiError, _| is_worth_it(error);
        let answer = attempt_while(self.ports, self.order.seed, &what, worth_it, || {
            api.document(resource, form)
        });
        match answer.await {
            Ok(document) => Ok(document),
            Err(failed) => Err(failed.classify(self.ports, self.order).await),
        }
    }

    async fn keep(
        self,
        sink: &dyn ArchiveSink,
        section: Section,
        form: Representation,
        document: Document,
        path: BagPath,
    ) -> Result<Receipt, Problem> {
        // A run of another version may have stored it without its facts: what is in the bag stays.
        if let Some(receipt) = self.resumed.receipts.get(&path) {
            return Ok(receipt.clone());
        }
        let (bytes, redactions) = self.blank(section, form, &document)?;
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
        let receipt = store(sink, entry, bytes).await?;
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
}

/// Puts bytes that are in memory into the bag.
async fn store(
    sink: &dyn ArchiveSink,
    entry: NewEntry,
    bytes: Bytes,
) -> Result<Receipt, SinkError> {
    let mut writer = sink.open_entry(entry).await?;
    writer.write(bytes).await?;
    writer.close().await
}
