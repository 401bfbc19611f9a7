//! What tests ask the platform: what has happened to it, and what should have been received.

use std::time::Duration;

use domain::model::{OutputFormat, Representation};
use sha2::{Digest, Sha256};

use crate::document::{render_json, render_xml};
use crate::hexadecimal::hexadecimal;
use crate::scenario::{ItemKind, RequestPattern};

use super::calls::{Answer, Call};
use super::collections::COLLECTIONS;
use super::data;
use super::handle::Platform;
use super::people::Caller;
use super::query::Query;
use super::records::{ArchiveFacts, ImportFacts, RequestRecord, TicketFacts};
use super::tickets::Phase;

/// How many of the newest requests are recorded.
const RECORDED_REQUESTS: usize = 50_000;

impl Platform {
    /// All tickets on the platform, oldest first.
    pub fn tickets(&self) -> Vec<TicketFacts> {
        let elapsed = self.shared.clock.elapsed();
        let mut state = self.state();
        state.tickets.settle(elapsed);
        let facts = |ticket: &super::tickets::Ticket| TicketFacts {
            id: ticket.id,
            owner: ticket.order.owner.clone(),
            kind: ticket.order.kind,
            item: ticket.order.item,
            downloads: ticket.downloads,
            foreign: ticket.order.foreign,
            complete: ticket.phase(elapsed) == Phase::Complete,
        };
        state.tickets.iter().map(facts).collect()
    }

    /// The tickets that a request asked for and none deleted yet.
    pub fn open_tickets(&self) -> Vec<TicketFacts> {
        self.tickets()
            .into_iter()
            .filter(|ticket| !ticket.foreign)
            .collect()
    }

    /// The import tickets that requests asked for and none deleted yet, oldest first.
    pub fn open_imports(&self) -> Vec<ImportFacts> {
        let elapsed = self.shared.clock.elapsed();
        let mut state = self.state();
        super::imports::settle(&self.shared, &mut state, elapsed);
        state
            .imports
            .iter()
            .map(super::import_tickets::ImportJob::facts)
            .collect()
    }

    /// SHA-256 of every archive that was ever uploaded whole, in hexadecimal, in their order.
    pub fn uploaded(&self) -> Vec<String> {
        self.state().imports.uploaded.clone()
    }

    /// Name and version of the user's items of a kind.
    pub fn names(&self, kind: ItemKind) -> Vec<(String, String)> {
        let state = self.state();
        let user = state.residents.first();
        let items = user.map(|user| user.items(kind)).unwrap_or_default();
        let name = |item: &super::items::Item| (item.name.clone(), item.version.clone());
        items.iter().map(name).collect()
    }

    /// The newest requests, oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.state().requests.iter().cloned().collect()
    }

    /// How many exports have run at the same time since the platform came to life, at most.
    pub fn most_exports_at_once(&self) -> usize {
        let elapsed = self.shared.clock.elapsed();
        let mut state = self.state();
        state.tickets.settle(elapsed);
        state.tickets.most_at_once()
    }

    /// How many exports were asked for since the platform came to life, those of other clients among them.
    pub fn exports_in_all(&self) -> u64 {
        self.state().tickets.asked()
    }

    /// Waits, from now on, for the next request about this person. Gives the platform's time now.
    pub fn await_request(&self, login: &str) -> Duration {
        self.state().awaited.insert(login.to_owned(), None);
        self.shared.clock.elapsed()
    }

    /// When the awaited request about this person came, by the platform's time.
    pub fn awaited_request(&self, login: &str) -> Option<Duration> {
        self.state().awaited.get(login).copied().flatten()
    }

    /// How many requests came in since the platform came to life.
    pub fn requests_in_all(&self) -> u64 {
        self.state().requests_in_all
    }

    /// How many of the recorded requests match and were made to go wrong.
    pub fn count_struck(&self, pattern: &RequestPattern) -> usize {
        self.state()
            .requests
            .iter()
            .filter(|request| request.struck && pattern.matches(&request.method, &request.path))
            .count()
    }

    /// How many of the recorded requests match.
    pub fn count_requests(&self, pattern: &RequestPattern) -> usize {
        self.state()
            .requests
            .iter()
            .filter(|request| pattern.matches(&request.method, &request.path))
            .count()
    }

    /// From where each of the recorded requests that match asked for its answer; `None` where it asked for all of it.
    pub fn first_bytes(&self, pattern: &RequestPattern) -> Vec<Option<u64>> {
        let state = self.state();
        let matching = state
            .requests
            .iter()
            .filter(|request| pattern.matches(&request.method, &request.path));
        matching.map(|request| request.from).collect()
    }

    pub(crate) fn record(&self, request: RequestRecord) {
        let elapsed = self.shared.clock.elapsed();
        let mut state = self.state();
        if let [users, login, ..] = request.path.as_slice()
            && users == "users"
            && let Some(came) = state.awaited.get_mut(login)
        {
            came.get_or_insert(elapsed);
        }
        state.requests_in_all += 1;
        if state.requests.len() == RECORDED_REQUESTS {
            state.requests.pop_front();
        }
        state.requests.push_back(request);
    }

    /// The archive that an export of the user's item gives now; `None` where there is no such item.
    pub fn archive(&self, kind: ItemKind, id: i64, format: OutputFormat) -> Option<ArchiveFacts> {
        let archive = self.make_archive(kind, id, format)?;
        Some(ArchiveFacts {
            bytes: archive.bytes(),
            sha256: archive.sha256(),
        })
    }

    /// The archive's bytes, all of them at once.
    pub fn archive_content(
        &self,
        kind: ItemKind,
        id: i64,
        format: OutputFormat,
    ) -> Option<Vec<u8>> {
        Some(
            self.make_archive(kind, id, format)?
                .pieces_from(0)
                .flat_map(|piece| piece.to_vec())
                .collect(),
        )
    }

    fn make_archive(
        &self,
        kind: ItemKind,
        id: i64,
        format: OutputFormat,
    ) -> Option<crate::archive::Archive> {
        let state = self.state();
        let item = state.residents.first()?.item(kind, id)?;
        item.archive(&self.shared.scenario, format).ok()
    }

    /// The ids of the user's items of a kind.
    pub fn items(&self, kind: ItemKind) -> Vec<i64> {
        let state = self.state();
        state
            .residents
            .first()
            .map(|user| user.items(kind).iter().map(|item| item.id).collect())
            .unwrap_or_default()
    }

    /// The bytes of a document as the user gets them at `path` (with its query, relative to the base) without faults.
    pub fn document(&self, path: &str, representation: Representation) -> Option<Vec<u8>> {
        match self.read(path)? {
            Answer::Document { root, .. } => Some(match representation {
                Representation::Xml => render_xml(&root),
                Representation::Json => render_json(&root),
            }),
            Answer::Binary { .. } | Answer::Archive(_) | Answer::Nothing => None,
        }
    }

    /// The bytes of a photo, logo or certificate, as the user gets them at `path` without faults.
    pub fn binary(&self, path: &str) -> Option<Vec<u8>> {
        match self.read(path)? {
            Answer::Binary { bytes, .. } => Some(bytes.to_vec()),
            Answer::Document { .. } | Answer::Archive(_) | Answer::Nothing => None,
        }
    }

    /// SHA-256 of some bytes, in hexadecimal: what a manifest should say.
    pub fn sha256(bytes: &[u8]) -> String {
        hexadecimal(&Sha256::digest(bytes))
    }

    /// Reads without counting, so that nothing changes because of it.
    fn read(&self, path: &str) -> Option<Answer> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let decode = |segment: &str| {
            percent_encoding::percent_decode_str(segment)
                .decode_utf8_lossy()
                .into_owned()
        };
        let segments: Vec<String> = path.split('/').map(decode).collect();
        let caller = Caller {
            login: self.shared.scenario.user.login.clone(),
            administrator: false,
        };
        let query = Query::parse(query);
        let call = Call {
            method: "GET",
            path: &segments,
            query: &query,
            caller: Some(&caller),
            body: None,
        };
        super::resources::answer(&self.shared, &mut self.state(), &call).ok()
    }

    /// Every secret in the user's data, each once: what redaction must leave nowhere.
    pub fn secrets(&self) -> Vec<String> {
        let login = data::encoded(&self.shared.scenario.user.login);
        let lists = COLLECTIONS
            .iter()
            .map(|collection| format!("users/{login}/{}", collection.path));
        let mut found = Vec::new();
        for path in lists.chain([format!("users/{login}")]) {
            if let Some(Answer::Document { root, .. }) = self.read(&path) {
                root.collect_secrets(&mut found);
            }
        }
        for account in self
            .state()
            .residents
            .first()
            .map(|user| user.items(ItemKind::Account).to_vec())
            .unwrap_or_default()
        {
            for id in data::certificate_ids(&account) {
                let file = data::certificate_file(&account, id);
                let text = String::from_utf8_lossy(&file);
                found.extend(
                    text.lines()
                        .filter(|line| line.len() == 64)
                        .map(str::to_owned),
                );
            }
        }
        found.sort();
        found.dedup();
        found
    }
}
