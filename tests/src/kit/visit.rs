//! One run over the HTTP adapter against a sandbox, into memory, and what can be said of it afterwards.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use adapters_http::{ApiSettings, UforgeApi};
use domain::model::{BagPath, ItemKind, Order, Section, Strictness};
use domain::ports::{Event, Receipt};
use domain::report::{Completeness, Failure, Report, SectionReport, SectionStatus, Stage};
use domain::testing::{MemoryJournal, MemorySink, RecordingProgress};
use domain::workflow::{Ports, RunError, export};
use sandbox::scenario::ItemKind as SandboxKind;
use sandbox::{OutputFormat, Running, Scenario};

use super::payload::{CHANGES, archive_key};
use super::{HastyClock, Payload, expected_of, order_for, settings_for, start};

/// No run of a test may take longer.
const PATIENCE: Duration = Duration::from_mins(1);
/// How much faster the run's time passes than the system's.
const HURRY: u32 = 50;

/// A platform, and how it is visited.
pub struct Visit {
    /// The platform.
    pub platform: Running,
    /// How the adapter is set up.
    pub settings: ApiSettings,
    /// What is asked for.
    pub order: Order,
    tickets_stay: Cell<Option<&'static str>>,
}

impl Visit {
    /// Starts a platform; everything that its person has is asked for.
    pub async fn to(scenario: Scenario) -> Self {
        let platform = start(scenario).await;
        let mut order = order_for(&platform);
        // One export that does not move is given up after four simulated minutes: five seconds, so that a busy machine does not look
        // like a platform that stands still.
        order.max_wait = Duration::from_mins(4);
        Self {
            settings: settings_for(&platform),
            order,
            platform,
            tickets_stay: Cell::new(None),
        }
    }

    /// Tickets of ours may be on the platform when the test ends, for this reason.
    pub fn leaves_tickets(&self, why: &'static str) {
        self.tickets_stay.set(Some(why));
    }

    /// Asks for these sections only.
    #[must_use]
    pub fn only(mut self, sections: impl IntoIterator<Item = Section>) -> Self {
        self.order.selection.sections = sections.into_iter().collect();
        self
    }

    /// A server may be silent for so long.
    #[must_use]
    pub fn with_silence(mut self, silence: Duration) -> Self {
        self.settings.silence = silence;
        self
    }

    /// Runs once. Whatever the platform does, the promises of [`Visited::check`] hold.
    ///
    /// # Panics
    ///
    /// Where the run does not end, or a promise is broken.
    pub async fn export(&self) -> Visited {
        let api = UforgeApi::new(self.settings.clone()).expect("settings");
        let (sink, journal, progress) = (
            MemorySink::durable(),
            MemoryJournal::default(),
            RecordingProgress::default(),
        );
        let ports = Ports {
            api: &api,
            clock: &HastyClock::running(HURRY),
            journal: &journal,
            progress: &progress,
        };
        let run = export(ports, Box::new(sink.clone()), &self.order);
        let result = tokio::time::timeout(PATIENCE, run)
            .await
            .expect("the run ends");
        let ended = Visited {
            result: result.map(|outcome| outcome.report),
            sink,
            events: progress.events(),
        };
        ended.check(self);
        ended
    }

    /// What an undisturbed run of this order exports.
    pub fn expected(&self) -> Payload {
        let sections: Vec<Section> = self.order.selection.sections.iter().copied().collect();
        expected_of(self.platform.platform(), &sections)
    }
}

impl Drop for Visit {
    /// A test that ends well leaves no ticket on the platform, unless it says why it does.
    fn drop(&mut self) {
        if !std::thread::panicking() && self.tickets_stay.get().is_none() {
            assert_eq!(self.platform.platform().open_tickets(), []);
        }
    }
}

/// A run that has ended.
pub struct Visited {
    /// The report, or why there is no bag.
    pub result: Result<Report, RunError>,
    /// The bag.
    pub sink: MemorySink,
    /// What was heard meanwhile.
    pub events: Vec<Event>,
}

impl Visited {
    /// The report.
    ///
    /// # Panics
    ///
    /// Where there is no bag.
    pub fn report(&self) -> &Report {
        self.result.as_ref().expect("a bag")
    }

    /// One section of the report.
    ///
    /// # Panics
    ///
    /// Where there is no bag.
    pub fn section(&self, section: Section) -> &SectionReport {
        let mut sections = self.report().sections.iter();
        sections
            .find(|report| report.section == section)
            .expect("every section is reported")
    }

    /// The failures, as a person reads them.
    pub fn failures(&self) -> Vec<String> {
        self.report().failures.iter().map(in_words).collect()
    }

    /// The only failure.
    ///
    /// # Panics
    ///
    /// Where there is none, or more than one.
    pub fn only_failure(&self) -> &Failure {
        match self.report().failures.as_slice() {
            [failure] => failure,
            _ => panic!("not one failure: {:#?}", self.failures()),
        }
    }

    /// What the bag holds, by what it is.
    pub fn payload(&self) -> Payload {
        let state = self.sink.state();
        let receipts = state.entries.values().map(|(receipt, _)| receipt);
        receipts.map(named).collect()
    }

    /// What an undisturbed run would have exported and this one did not, or exported otherwise.
    pub fn missing(&self, visit: &Visit) -> BTreeSet<String> {
        let have = self.payload();
        let right = |name: &String, sum: &String| {
            have.get(name)
                .is_some_and(|have| have == sum || sum == CHANGES)
        };
        let expected = visit.expected();
        expected
            .into_iter()
            .filter(|(name, sum)| !right(name, sum))
            .map(|(name, _)| name)
            .collect()
    }

    /// Asserts that everything is in the bag as the platform has it, and nothing else.
    ///
    /// # Panics
    ///
    /// Where it is not so.
    pub fn assert_whole(&self, visit: &Visit) {
        assert_eq!(self.failures(), [""; 0]);
        assert_eq!(self.report().completeness, Completeness::Complete);
        assert_eq!(self.missing(visit), BTreeSet::new());
        let expected = visit.expected();
        let more: Vec<String> = self
            .payload()
            .into_keys()
            // Comments are blanked on their way: they are not what the platform sent.
            .filter(|name| !expected.contains_key(name) && !name.contains("/comments"))
            .collect();
        assert_eq!(more, [""; 0]);
        assert_eq!(visit.platform.platform().open_tickets(), []);
    }

    /// What holds of every run against every platform.
    fn check(&self, visit: &Visit) {
        self.check_archives(visit);
        check_requests(visit);
        match &self.result {
            Ok(report) => {
                self.check_report(report, visit);
                check_tickets(report, visit);
            }
            Err(error) => check_words(&chain_of(error), visit),
        }
    }

    /// No archive is in the bag that is not, byte for byte, one that the platform made.
    fn check_archives(&self, visit: &Visit) {
        let platform = visit.platform.platform();
        let state = self.sink.state();
        assert!(state.open.is_empty(), "entries were left open");
        for (receipt, bytes) in state.entries.values() {
            if let Some(item) = receipt.origin.item {
                let kind = sandbox_kind(item.kind);
                let made = platform.archive_content(kind, item.id.get(), OutputFormat::Yaml);
                let edited = !platform.scenario().mutations.is_empty();
                assert!(edited || made.as_ref() == Some(bytes), "{}", receipt.path);
            }
        }
    }

    fn check_report(&self, report: &Report, visit: &Visit) {
        let files: BTreeSet<&str> = report.files.iter().map(|file| file.path.as_str()).collect();
        let state = self.sink.state();
        let entries: BTreeSet<&str> = state.entries.keys().map(BagPath::as_str).collect();
        assert_eq!(files, entries, "the report and the bag differ");
        let dark = report.sections.iter().any(|section| {
            let matters =
                section.section.is_core() || visit.order.strictness == Strictness::EverySection;
            section.status == SectionStatus::Unavailable && matters
        });
        let cut = report
            .sections
            .iter()
            .any(|s| s.status == SectionStatus::Partial);
        let failed = report.failures.iter().any(|f| f.stage != Stage::Delete);
        match report.completeness {
            Completeness::Complete => assert!(!dark && !cut && !failed, "{:#?}", report.sections),
            Completeness::Partial => assert!(dark || failed, "{:#?}", report.sections),
        }
        for failure in &report.failures {
            check_words(&failure.message, visit);
        }
        for section in &report.sections {
            if section.status == SectionStatus::Partial {
                check_words(section.reason.as_deref().unwrap_or_default(), visit);
            }
        }
    }
}

/// Nothing is asked for that a path of ids would not spell.
fn check_requests(visit: &Visit) {
    let user = &visit.platform.platform().scenario().user.login;
    for request in visit.platform.platform().requests() {
        let first: Vec<&str> = request.path.iter().map(String::as_str).take(2).collect();
        let known = match first.as_slice() {
            ["status"] | ["orgs", _] => true,
            ["users", login] => login == user,
            _ => false,
        };
        assert!(known, "{request:?}");
    }
}

/// A ticket of ours that is left behind is named; one of somebody else's is left in peace.
fn check_tickets(report: &Report, visit: &Visit) {
    let platform = visit.platform.platform();
    for ticket in platform.open_tickets() {
        let id = ticket.id.to_string();
        let item = match ticket.kind {
            SandboxKind::Software => ItemKind::MySoftware,
            _ => ItemKind::Appliance,
        };
        let doubt = format!("a start of {item} {} was lost", ticket.item);
        let reported = report
            .failures
            .iter()
            .any(|failure| names(&failure.message, &id))
            || report.notes.iter().any(|note| note.contains(&doubt));
        assert!(
            reported,
            "no report names {ticket:?}: {:#?} {:#?}",
            report.failures, report.notes
        );
    }
    let foreign = platform
        .tickets()
        .into_iter()
        .filter(|ticket| ticket.foreign);
    let there = platform.scenario().data.foreign_tickets.try_into();
    assert_eq!(Ok(foreign.count()), there, "somebody else's ticket is gone");
}

/// Whether these words name an export ticket by this id.
fn names(words: &str, id: &str) -> bool {
    let mut numbers = words.split(|c: char| !c.is_ascii_digit());
    words.contains("export ticket") && numbers.any(|number| number == id)
}

/// One line of words that can be read, and no secret.
fn check_words(words: &str, visit: &Visit) {
    let user = visit.platform.announcement();
    assert!(
        !words.trim().is_empty() && words.chars().count() < 1_000,
        "{words}"
    );
    assert!(!words.contains(char::is_control), "{words}");
    assert!(
        !words.contains(&user.password) && !words.contains(&user.secretkey),
        "{words}"
    );
}

/// An error with its causes, as a person reads it.
pub(super) fn chain_of(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn in_words(failure: &Failure) -> String {
    let of = failure.id.map(|id| format!(" {id}")).unwrap_or_default();
    format!(
        "{}{of} ({:?}): {}",
        failure.section, failure.stage, failure.message
    )
}

fn sandbox_kind(kind: ItemKind) -> SandboxKind {
    match kind {
        ItemKind::Appliance => SandboxKind::Appliance,
        ItemKind::MySoftware => SandboxKind::Software,
    }
}

fn named(receipt: &Receipt) -> (String, String) {
    let sum = receipt.sha256.to_string();
    if let Some(item) = receipt.origin.item {
        return (archive_key(sandbox_kind(item.kind), item.id.get()), sum);
    }
    let source = receipt.origin.source.trim_start_matches("GET ").to_owned();
    let ending = receipt.path.as_str().rsplit('.').next().unwrap_or_default();
    let is_document = matches!(
        receipt.media_type.as_str(),
        "application/xml" | "application/json"
    );
    (
        if is_document {
            format!("{source} {ending}")
        } else {
            source
        },
        sum,
    )
}
