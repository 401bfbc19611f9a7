//! The platform behind the domain's port, without a socket in between.
//!
//! What goes wrong with items goes wrong here too; what a scenario does to requests, it does to HTTP only. Contract suites
//! run against this and against the HTTP adapter: what both promise has to hold for both.

mod answers;
mod facts;
mod imports;
mod paths;

use async_trait::async_trait;
use bytes::Bytes;
use domain::model::{
    BinaryRef, ExportId, ItemKind, ItemRef, ListResource, ObjectId, OutputFormat, Page,
    Representation, Resource, Ticket,
};
use domain::ports::{
    ApiError, Document, Download, ExportStatus, OpenTicket, Platform as PlatformFacts,
    ReadDocument, ResumeAt, Started, UserDataApi,
};
use futures_util::{StreamExt, stream};

use crate::document::{Element, render_json, render_xml};
use crate::platform::{Answer, Call, Caller, Platform, Query, RequestRecord, encoded};
use answers::{archive, meaning};
use paths::Address;

/// The user of a [`Platform`], who asks it directly.
#[derive(Clone)]
pub struct InProcess {
    platform: Platform,
    caller: Caller,
}

impl InProcess {
    /// The port of the user whose data is there.
    pub fn new(platform: Platform) -> Self {
        let login = platform.scenario().user.login.clone();
        Self {
            platform,
            caller: Caller {
                login,
                administrator: false,
            },
        }
    }

    /// The platform behind the port.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    fn call(&self, method: &str, address: &Address) -> Result<Answer, ApiError> {
        self.call_with(method, address, None)
    }

    fn call_with(
        &self,
        method: &str,
        address: &Address,
        body: Option<&Bytes>,
    ) -> Result<Answer, ApiError> {
        let path = address.segments(&self.caller.login);
        self.platform.record(RequestRecord {
            method: method.to_owned(),
            path: path.clone(),
            query: address.query.clone(),
            from: None,
            struck: false,
        });
        let query = Query::parse(&address.query);
        let call = Call {
            method,
            path: &path,
            query: &query,
            caller: Some(&self.caller),
            body,
        };
        let request = request(method, &path);
        self.platform
            .answer(&call)
            .map_err(|refusal| meaning(refusal, request))
    }

    fn root(&self, method: &str, address: &Address) -> Result<Element, ApiError> {
        match self.call(method, address)? {
            Answer::Document { root, .. } => Ok(root),
            Answer::Binary { .. } | Answer::Archive(_) | Answer::Nothing => {
                Err(self.unreadable(method, address, "this is no document"))
            }
        }
    }

    fn unreadable(&self, method: &str, address: &Address, detail: &str) -> ApiError {
        let request = request(method, &address.segments(&self.caller.login));
        ApiError::Unreadable {
            request,
            detail: detail.to_owned(),
        }
    }

    /// The request that brings something, with its query.
    fn source(&self, address: &Address) -> String {
        let request = request("GET", &address.segments(&self.caller.login));
        match address.query.as_str() {
            "" => request,
            query => format!("{request}?{query}"),
        }
    }

    fn body(&self, address: &Address, from: Option<ResumeAt>) -> Result<Download, ApiError> {
        let request = self.source(address);
        match self.call("GET", address)? {
            Answer::Binary { bytes, media_type } => Ok(Download {
                media_type: media_type.to_owned(),
                length: Some(bytes.len() as u64),
                starts_at: 0,
                validator: None,
                request,
                body: stream::iter([Ok(bytes)]).boxed(),
            }),
            Answer::Archive(answer) => Ok(archive(answer, from, request)),
            Answer::Document { .. } | Answer::Nothing => {
                Err(self.unreadable("GET", address, "this is no file"))
            }
        }
    }
}

/// Method and path, percent-encoded, without query.
fn request(method: &str, path: &[String]) -> String {
    let path: Vec<String> = path.iter().map(|segment| encoded(segment)).collect();
    format!("{method} {}", path.join("/"))
}

#[async_trait]
impl UserDataApi for InProcess {
    async fn platform(&self) -> Result<PlatformFacts, ApiError> {
        let status = self.root("GET", &Address::status())?;
        Ok(PlatformFacts {
            version: facts::text(&status, "version"),
        })
    }

    async fn document(&self, what: Resource, form: Representation) -> Result<Document, ApiError> {
        let address = Address::of(what);
        let root = self.root("GET", &address)?;
        let bytes = match form {
            Representation::Xml => render_xml(&root),
            Representation::Json => render_json(&root),
        };
        Ok(Document {
            bytes: bytes.into(),
            media_type: form.media_type().to_owned(),
            request: self.source(&address),
            facts: match form {
                Representation::Xml => facts::of(&root, what),
                Representation::Json => domain::model::Facts::default(),
            },
        })
    }

    async fn facts(&self, what: Resource) -> Result<ReadDocument, ApiError> {
        Ok(self.document(what, Representation::Xml).await?.into())
    }

    async fn binary(&self, what: BinaryRef) -> Result<Download, ApiError> {
        self.body(&Address::of_binary(what), None)
    }

    async fn may_start(&self, _: ItemRef) -> bool {
        true
    }

    async fn start_export(&self, item: ItemRef, format: OutputFormat) -> Result<Started, ApiError> {
        let address = Address::exports(item, format);
        let root = self.root("POST", &address)?;
        let id = root
            .child_number("dbId")
            .and_then(|id| ExportId::try_from(id).ok());
        let id = id.ok_or_else(|| self.unreadable("POST", &address, "the ticket has no id"))?;
        let status = root.child("status").map(facts::status).unwrap_or_default();
        Ok(Started {
            ticket: Ticket { item, id },
            status,
        })
    }

    async fn export_status(&self, ticket: Ticket) -> Result<ExportStatus, ApiError> {
        Ok(facts::status(
            &self.root("GET", &Address::ticket(ticket, &["status"]))?,
        ))
    }

    async fn export_statuses(
        &self,
        tickets: &[Ticket],
    ) -> Result<Vec<(Ticket, ExportStatus)>, ApiError> {
        let uri = |ticket: Ticket| {
            let path: Vec<String> = Address::ticket(ticket, &[])
                .segments(&self.caller.login)
                .iter()
                .map(|segment| encoded(segment))
                .collect();
            path.join("/")
        };
        let asked: Vec<(Ticket, String)> = tickets
            .iter()
            .filter(|ticket| ticket.item.kind == ItemKind::Appliance)
            .map(|ticket| (*ticket, uri(*ticket)))
            .collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let query: Vec<String> = asked
            .iter()
            .map(|(_, uri)| format!("ae={}", encoded(uri)))
            .collect();
        let root = self.root("GET", &Address::statuses(query.join("&")))?;
        let entries = root
            .child("statuses")
            .map(Element::children)
            .unwrap_or_default();
        let known = entries.iter().filter_map(|entry| {
            let parent = facts::text(entry, "parentUri")?;
            let (ticket, _) = asked.iter().find(|(_, uri)| *uri == parent)?;
            Some((*ticket, facts::status(entry)))
        });
        Ok(known.collect())
    }

    async fn open_tickets(&self) -> Result<Vec<OpenTicket>, ApiError> {
        let root = self.root(
            "GET",
            &Address::of(Resource::List(ListResource::Exports, Page::Whole)),
        )?;
        let entries = root
            .child("applianceExports")
            .map(Element::children)
            .unwrap_or_default();
        let open = entries.iter().filter_map(|entry| {
            let id = ExportId::try_from(entry.child_number("dbId")?).ok()?;
            let item = facts::text(entry, "parentUri")?
                .rsplit('/')
                .next()
                .and_then(|id| ObjectId::parse(id).ok())?;
            let item = ItemRef {
                kind: ItemKind::Appliance,
                id: item,
            };
            let status = entry.child("status").map(facts::status).unwrap_or_default();
            Some(OpenTicket {
                ticket: Ticket { item, id },
                status,
                created: facts::text(entry, "created").and_then(|text| text.parse().ok()),
                downloaded: facts::text(entry, "downloaded").is_some_and(|word| word == "true"),
            })
        });
        Ok(open.collect())
    }

    async fn download(&self, ticket: Ticket, from: Option<ResumeAt>) -> Result<Download, ApiError> {
        self.body(&Address::ticket(ticket, &["downloads"]), from)
    }

    async fn cancel_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        match ticket.item.kind {
            ItemKind::MySoftware => Ok(()),
            ItemKind::Appliance => self
                .call("DELETE", &Address::ticket(ticket, &["status"]))
                .map(|_| ()),
        }
    }

    async fn delete_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        match self.call("DELETE", &Address::ticket(ticket, &[])) {
            Err(ApiError::NotFound { .. }) => Ok(()),
            result => result.map(|_| ()),
        }
    }
}

#[cfg(test)]
mod tests;
