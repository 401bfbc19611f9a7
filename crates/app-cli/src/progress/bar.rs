//! A calm display for a terminal: whose data, how far, and a line for each item that is being exported.

use std::time::Duration;

use console::style;
use domain::model::ItemRef;
use domain::ports::{Event, ItemStage};
use domain::progress::{ActiveItem, Phase, RunProgress};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::board::Board;
use super::screen::Screen;
use super::view::{Subject, View};
use crate::render::{column, count, fit, printable, roughly, size, terminal_columns, wrapped};

/// Everything fits in this.
const COLUMNS: usize = 79;
const FRAMES_A_SECOND: u8 = 8;
const BAR: usize = 16;
/// Lines of items shown; more are counted.
const LINES: usize = 6;

pub(super) struct Bar {
    screen: MultiProgress,
    subject: Subject,
    board: Board,
    lines: Vec<ProgressBar>,
}

impl Bar {
    pub(super) fn new(screen: &MultiProgress, subject: Subject) -> Self {
        screen.set_draw_target(match Screen::of_stderr() {
            Some(drawn) => ProgressDrawTarget::term_like_with_hz(Box::new(drawn), FRAMES_A_SECOND),
            None => ProgressDrawTarget::hidden(),
        });
        Self {
            screen: screen.clone(),
            subject,
            board: Board::default(),
            lines: Vec::new(),
        }
    }

    /// What stays on the screen above the display.
    fn remark(&self, text: &str) {
        let text = fit(text, COLUMNS * 3);
        let _ = self.screen.println(wrapped(&text, terminal_columns()));
    }

    fn draw(&mut self, now: Duration) {
        let texts = lines(&self.board, &self.subject, now);
        while self.lines.len() > texts.len() {
            if let Some(line) = self.lines.pop() {
                line.finish_and_clear();
                self.screen.remove(&line);
            }
        }
        while self.lines.len() < texts.len() {
            let line = ProgressBar::no_length().with_style(ProgressStyle::default_spinner());
            if let Ok(whole_line) = ProgressStyle::with_template("{wide_msg}") {
                line.set_style(whole_line);
            }
            self.lines.push(self.screen.add(line));
        }
        for (line, text) in self.lines.iter().zip(texts) {
            if line.message() != text {
                line.set_message(text);
            }
        }
    }
}

impl View for Bar {
    fn on(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Item {
                item,
                name,
                stage: ItemStage::Failed { reason },
            } => self.remark(&format!("{item}, {name}: failed: {reason}")),
            Event::SectionUnavailable { section, reason } => {
                self.remark(&format!("{section}: unavailable: {reason}"));
            }
            Event::Note { message } => self.remark(&format!("note: {message}")),
            _ => {}
        }
        self.board.observe(event, now);
    }

    fn tick(&mut self, now: Duration) {
        self.board.tick(now);
        self.draw(now);
    }

    fn end(&mut self) {
        // First the screen, then the lines: a line that ends by itself would be left standing.
        let _ = self.screen.clear();
        self.screen.set_draw_target(ProgressDrawTarget::hidden());
        self.lines.clear();
    }
}

/// The whole display as text, each line at most 79 columns.
pub(super) fn lines(board: &Board, subject: &Subject, now: Duration) -> Vec<String> {
    let progress = &board.progress;
    let mut lines = vec![heading(progress, subject), overall(board, now)];
    let mut active: Vec<_> = progress.active.iter().collect();
    // What moves comes first; within that the order is that of the ids, so that lines stay where they are.
    active.sort_by_key(|(item, active)| (order(&active.stage), **item));
    for (item, active) in active.iter().take(LINES) {
        lines.push(item_line(**item, active));
    }
    if active.len() > LINES {
        lines.push(format!("  and {} more in progress", active.len() - LINES));
    }
    if let Some(retry) = &progress.retry {
        let secs = retry.wait_ms.div_ceil(1000);
        let (what, reason) = (&retry.what, &retry.reason);
        let text = format!("  trying again: {what}: {reason}; again in {secs} s");
        let text = fit(&text, COLUMNS);
        lines.push(style(text).for_stderr().yellow().to_string());
    }
    lines
}

fn order(stage: &ItemStage) -> u8 {
    match stage {
        ItemStage::Downloading | ItemStage::Copying | ItemStage::Uploading => 0,
        ItemStage::Ready => 1,
        ItemStage::Waiting { .. } | ItemStage::Importing { .. } => 2,
        ItemStage::Starting
        | ItemStage::Stored { .. }
        | ItemStage::Resumed { .. }
        | ItemStage::Reused { .. }
        | ItemStage::Imported { .. }
        | ItemStage::Failed { .. } => 3,
    }
}

fn heading(progress: &RunProgress, subject: &Subject) -> String {
    let platform = match &progress.platform_version {
        Some(version) => format!(", UForge {}", fit(version, 16)),
        None => String::new(),
    };
    let text = format!(
        "{} {} {}{platform}",
        fit(&subject.user, 28),
        subject.preposition,
        fit(&subject.host, 28)
    );
    let right = match progress.documents.stored {
        0 => String::new(),
        documents => count(documents, "document", "documents"),
    };
    let left = COLUMNS.saturating_sub(right.len() + 1);
    let text = style(column(&text, left)).for_stderr().bold();
    format!("{text} {right}").trim_end().to_owned()
}

fn overall(board: &Board, now: Duration) -> String {
    let progress = &board.progress;
    let mut parts = vec![doing(progress)];
    if progress.bytes() > 0 {
        parts.push(size(progress.bytes()));
    }
    if let Some(rate) = board.rate() {
        parts.push(format!("{}/s", size(rate)));
    }
    if let Some(left) = board.left(now) {
        parts.push(format!("{} left", roughly(left)));
    }
    format!(
        "{} {}",
        gauge(progress.thousandths(), BAR),
        fit(&parts.join("  "), COLUMNS - BAR - 1)
    )
}

fn doing(progress: &RunProgress) -> String {
    match (progress.phase, progress.planned_items()) {
        (Phase::Waiting, _) => "connecting".to_owned(),
        (Phase::Recounting, _) => "reading the lists once more".to_owned(),
        (Phase::Finishing, _) => "closing the bag".to_owned(),
        (Phase::Listing | Phase::Fetching, None) => {
            format!("reading the lists, {} so far", progress.sections())
        }
        (Phase::Listing | Phase::Fetching, Some(0)) => "documents only".to_owned(),
        (Phase::Listing | Phase::Fetching, Some(planned)) => {
            let failed = match progress.items.failed {
                0 => String::new(),
                failed => format!(", {failed} failed"),
            };
            let archives = if planned == 1 { "archive" } else { "archives" };
            let ended = progress.ended_items();
            format!("{ended} of {planned} {archives}{failed}")
        }
    }
}

fn gauge(thousandths: u64, columns: usize) -> String {
    let full = usize::try_from(thousandths).unwrap_or(1000).min(1000) * columns / 1000;
    format!(
        "{}{}",
        style("━".repeat(full)).for_stderr().green(),
        style("─".repeat(columns - full)).for_stderr().dim()
    )
}

fn item_line(item: ItemRef, active: &ActiveItem) -> String {
    let name = format!("{} {}", item.id, printable(&active.name));
    let (doing, percent, rest) = match &active.stage {
        ItemStage::Starting => ("starting", None, String::new()),
        ItemStage::Waiting { percent, message } | ItemStage::Importing { percent, message } => (
            "on the server",
            percent.map(u64::from),
            message.clone().unwrap_or_default(),
        ),
        ItemStage::Ready => ("ready", None, "waits for its turn".to_owned()),
        ItemStage::Downloading
        | ItemStage::Copying
        | ItemStage::Uploading
        | ItemStage::Stored { .. }
        | ItemStage::Resumed { .. }
        | ItemStage::Reused { .. }
        | ItemStage::Imported { .. }
        | ItemStage::Failed { .. } => {
            let percent = active
                .total
                .filter(|total| *total > 0)
                .and_then(|total| active.received.saturating_mul(100).checked_div(total));
            let of = active
                .total
                .map_or_else(String::new, |total| format!(" of {}", size(total)));
            let doing = match active.stage {
                ItemStage::Uploading => "uploading",
                ItemStage::Copying => "copying",
                _ => "downloading",
            };
            (doing, percent, format!("{}{of}", size(active.received)))
        }
    };
    let percent = percent.map_or_else(String::new, |percent| format!("{} %", percent.min(100)));
    let line = format!(
        "  {} {doing:<13} {percent:>5}  {}",
        column(&name, 28),
        printable(&rest)
    );
    fit(line.trim_end(), COLUMNS)
}
