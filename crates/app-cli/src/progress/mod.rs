//! Progress as a bar, plain lines or JSON lines, all from the domain's one stream of events.
//!
//! A run only puts its events into a queue; a thread of its own draws. So a slow terminal or a reader that stopped reading cannot
//! delay a run.

mod bar;
mod board;
mod json;
mod plain;
mod screen;
mod view;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::ports::{Event, Progress};
use indicatif::MultiProgress;

pub(crate) use json::line as json_line;
pub(crate) use view::Subject;
use view::View;

use crate::settings::ProgressMode;

/// Events that wait to be drawn. When nobody draws, more are dropped.
const QUEUE: usize = 4096;
/// Above this, byte counts are dropped: each is followed by a newer one.
const QUEUE_FOR_BYTES: usize = 512;
const TICK: Duration = Duration::from_millis(250);
/// A terminal that does not take the last lines in this time does not get them.
const LAST_LINES: Duration = Duration::from_millis(800);

/// Takes a run's events.
pub(crate) struct Reporter {
    sender: Option<SyncSender<Event>>,
    queued: Arc<AtomicUsize>,
    /// Only there to make the reporter shareable: nobody locks it.
    ended: Mutex<Receiver<()>>,
}

/// Shows a run's events from now on until the reporter is stopped or dropped.
pub(crate) fn start(mode: ProgressMode, subject: Subject, screen: &MultiProgress) -> Reporter {
    let view: Box<dyn View> = match mode {
        ProgressMode::Auto if console::user_attended_stderr() => {
            Box::new(bar::Bar::new(screen, subject))
        }
        ProgressMode::Bar => Box::new(bar::Bar::new(screen, subject)),
        ProgressMode::Auto | ProgressMode::Plain => {
            Box::new(plain::Plain::new(std::io::stderr(), &subject))
        }
        ProgressMode::Json => Box::new(json::Json::new(std::io::stderr())),
        ProgressMode::None => Box::new(Silent),
    };
    watch(view)
}

fn watch(view: Box<dyn View>) -> Reporter {
    let (sender, events) = sync_channel(QUEUE);
    let (end, ended) = sync_channel(1);
    let queued = Arc::new(AtomicUsize::new(0));
    let taken = Arc::clone(&queued);
    std::thread::spawn(move || {
        show(view, &events, &taken);
        let _ = end.send(());
    });
    Reporter {
        sender: Some(sender),
        queued,
        ended: Mutex::new(ended),
    }
}

fn show(mut view: Box<dyn View>, events: &Receiver<Event>, queued: &AtomicUsize) {
    let began = Instant::now();
    loop {
        match events.recv_timeout(TICK) {
            Ok(event) => {
                queued.fetch_sub(1, Ordering::Relaxed);
                view.on(&event, began.elapsed());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        view.tick(began.elapsed());
    }
    view.end();
}

impl Reporter {
    /// Shows what is still queued and takes the display away.
    pub(crate) fn stop(&mut self) {
        if self.sender.take().is_some() {
            let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
            let _ = ended.recv_timeout(LAST_LINES);
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Progress for Reporter {
    fn on(&self, event: &Event) {
        let Some(sender) = &self.sender else { return };
        let droppable = matches!(event, Event::Bytes { .. });
        if droppable && self.queued.load(Ordering::Relaxed) >= QUEUE_FOR_BYTES {
            return;
        }
        self.queued.fetch_add(1, Ordering::Relaxed);
        if sender.try_send(event.clone()).is_err() {
            self.queued.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Shows nothing.
struct Silent;

impl View for Silent {
    fn on(&mut self, _: &Event, _: Duration) {}
}

#[cfg(test)]
mod tests;
