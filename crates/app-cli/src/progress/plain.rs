//! One line for each real change, for logs and pipes.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use domain::model::ItemRef;
use domain::ports::{Event, ItemStage};

use super::view::{Subject, View};
use crate::render::{count, printable, size, stopwatch};

/// One item, or the documents together, are shown at most this often, unless they have ended.
const SHOW_EVERY: Duration = Duration::from_secs(5);
/// How often an item is shown of which only the percentage changes.
const SHOW_UNCHANGED_EVERY: Duration = Duration::from_secs(30);

pub(super) struct Plain<W> {
    output: W,
    said: BTreeMap<ItemRef, Said>,
    documents: u64,
    document_bytes: u64,
    documents_shown: Duration,
}

/// What was said of an item last.
struct Said {
    name: String,
    at: Duration,
    words: String,
}

impl<W: Write> Plain<W> {
    pub(super) fn new(mut output: W, subject: &Subject) -> Self {
        let _ = writeln!(
            output,
            "{} {} {}",
            printable(&subject.user),
            subject.preposition,
            printable(&subject.host)
        );
        Self {
            output,
            said: BTreeMap::new(),
            documents: 0,
            document_bytes: 0,
            documents_shown: Duration::ZERO,
        }
    }

    fn say(&mut self, now: Duration, words: &str) {
        // One write a line, so that lines of other programs do not come between.
        let line = format!("[{}] {}\n", stopwatch(now), printable(words));
        let _ = self.output.write_all(line.as_bytes());
    }

    fn document(&mut self, bytes: u64, now: Duration) {
        self.documents += 1;
        self.document_bytes += bytes;
        if now.saturating_sub(self.documents_shown) >= SHOW_EVERY {
            self.say_documents(now);
        }
    }

    fn say_documents(&mut self, now: Duration) {
        if self.documents > 0 {
            let words = format!(
                "{} so far, {}",
                count(self.documents, "document", "documents"),
                size(self.document_bytes)
            );
            self.say(now, &words);
        }
        self.documents_shown = now;
    }

    fn item(&mut self, item: ItemRef, name: &str, stage: &ItemStage, now: Duration) {
        let words = words(stage);
        let last = self.said.get(&item);
        let since = last.map_or(Duration::MAX, |said| now.saturating_sub(said.at));
        let same = last.is_some_and(|said| said.words == words);
        let waiting = matches!(
            stage,
            ItemStage::Waiting { .. } | ItemStage::Importing { .. }
        );
        if (same && !(waiting && since >= SHOW_UNCHANGED_EVERY)) || (waiting && since < SHOW_EVERY)
        {
            return;
        }
        let percent = match stage {
            ItemStage::Waiting {
                percent: Some(percent),
                ..
            }
            | ItemStage::Importing {
                percent: Some(percent),
                ..
            } => format!(", {percent} %"),
            _ => String::new(),
        };
        self.say(now, &format!("{item}, {name}: {words}{percent}"));
        let said = Said {
            name: name.to_owned(),
            at: now,
            words,
        };
        self.said.insert(item, said);
    }

    fn bytes(&mut self, item: ItemRef, received: u64, total: Option<u64>, now: Duration) {
        let Some(said) = self.said.get_mut(&item) else {
            return;
        };
        if now.saturating_sub(said.at) < SHOW_EVERY {
            return;
        }
        said.at = now;
        let of = total.map_or_else(String::new, |total| format!(" of {}", size(total)));
        let line = format!("{item}, {}: {}{of}", said.name, size(received));
        self.say(now, &line);
    }
}

fn words(stage: &ItemStage) -> String {
    match stage {
        ItemStage::Starting => "asking for its export".to_owned(),
        ItemStage::Waiting { message, .. } => match message {
            Some(message) => format!("the server works on it, \"{message}\""),
            None => "the server works on it".to_owned(),
        },
        ItemStage::Ready => "ready".to_owned(),
        ItemStage::Downloading => "downloading".to_owned(),
        ItemStage::Stored { bytes } => format!("in the bag, {}", size(*bytes)),
        ItemStage::Resumed { bytes } => {
            format!("in the bag since an earlier run, {}", size(*bytes))
        }
        ItemStage::Copying => "copying it from the earlier bag".to_owned(),
        ItemStage::Reused { bytes } => {
            format!("in the bag, from the earlier bag, {}", size(*bytes))
        }
        ItemStage::Failed { reason } => format!("failed: {reason}"),
        ItemStage::Uploading => "uploading".to_owned(),
        ItemStage::Importing { message, .. } => match message {
            Some(message) => format!("the server imports it, \"{message}\""),
            None => "the server imports it".to_owned(),
        },
        ItemStage::Imported { bytes } => format!("on the platform, {}", size(*bytes)),
    }
}

impl<W: Write + Send> View for Plain<W> {
    fn on(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Connected { platform_version } => match platform_version {
                Some(version) => self.say(now, &format!("the platform is UForge {version}")),
                None => self.say(now, "the platform answers"),
            },
            Event::SectionListed { section, items } => {
                self.say(now, &format!("{section}: {items}"));
            }
            Event::SectionUnavailable { section, reason } => {
                self.say(now, &format!("{section}: unavailable, {reason}"));
            }
            Event::Planned { items, .. } => {
                let archives = count(*items, "archive", "archives");
                self.say(now, &format!("{archives} to export"));
            }
            Event::ImportPlanned { items } => {
                let archives = count(*items, "archive", "archives");
                self.say(now, &format!("{archives} to import"));
            }
            Event::DocumentStored { bytes, .. } => self.document(*bytes, now),
            Event::Bytes {
                item,
                received,
                total,
            } => self.bytes(*item, *received, *total, now),
            Event::Retry {
                what,
                attempt,
                reason,
                wait_ms,
            } => {
                let (secs, next) = (wait_ms.div_ceil(1000), attempt + 1);
                self.say(
                    now,
                    &format!("{what}: {reason}; attempt {next} in {secs} s"),
                );
            }
            // A download slot is usually free before the line could be read; that tickets are deleted is expected.
            Event::Item {
                stage: ItemStage::Ready,
                ..
            }
            | Event::TicketDeleted { .. } => {}
            Event::Item { item, name, stage } => self.item(*item, name, stage, now),
            Event::Note { message } => self.say(now, &format!("note: {message}")),
            Event::Recounting => {
                self.say_documents(now);
                self.say(now, "reading the lists once more");
            }
            Event::Finishing => self.say(now, "closing the bag"),
        }
    }
}
