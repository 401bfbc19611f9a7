//! One archive on its way from the bag to the platform: read, hashed, recorded, sent. The body of the request and its source run
//! side by side in one future; between them are two pieces at most.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_channel::mpsc::{Receiver, Sender, channel};
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};

use super::context::{ImportError, Importing};
use super::item::Seen;
use crate::model::{ImportTicket, ItemRef, Sha256Hasher};
use crate::ports::{
    BagReadError, Event, ImportFact, JournalError, ListedArchive, Upload, UploadStopped,
};

/// Pieces that wait between the bag and the connection.
const PIECES: usize = 1;

type Body = Sender<Result<Bytes, UploadStopped>>;

/// Why an archive was not read to its end.
enum Stopped {
    /// The connection takes no more: its error says why.
    NotTaken,
    Bag(BagReadError),
    Journal(JournalError),
}

/// Sends an archive. That it may have arrived is recorded before its last byte is given away.
pub(super) async fn upload(
    importing: Importing<'_>,
    item: ItemRef,
    ticket: ImportTicket,
    archive: &ListedArchive,
    replaces: Option<String>,
) -> Result<Seen, ImportError> {
    let with = importing.with;
    let source = match with.bag.open(archive).await {
        Ok(source) => source,
        Err(error) => return damaged(error),
    };
    let beginning = ImportFact::Uploading { item, replaces };
    with.journal.record(beginning).await?;
    let (body, receiver): (Body, Receiver<_>) = channel(PIECES);
    let sent = AtomicBool::new(false);
    let answer = pin!(with.imports.upload(
        ticket,
        Upload {
            length: archive.bytes,
            body: receiver.boxed(),
        },
    ));
    let pump = pin!(pump(importing, item, archive, source, body, &sent));
    let (answer, pumped) = match select(answer, pump).await {
        // An answer before the end: whatever it says, nobody reads any further.
        Either::Left((answer, _)) => (answer, Ok(())),
        Either::Right((pumped, answer)) => (answer.await, pumped),
    };
    match pumped {
        Err(Stopped::Bag(error)) => return damaged(error),
        Err(Stopped::Journal(error)) => return Err(error.into()),
        Err(Stopped::NotTaken) | Ok(()) => {}
    }
    let sent = sent.load(Ordering::SeqCst);
    match answer {
        // An answer that is good before all was sent is none.
        Ok(status) if sent => {
            with.journal.record(ImportFact::Uploaded { item }).await?;
            Ok(Seen::Uploaded(status))
        }
        Ok(_) => Ok(Seen::UploadFailed {
            error: crate::ports::ApiError::NoAnswer {
                request: format!("the upload to {ticket}"),
                sent: true,
                detail: "the platform answered before it had the archive".to_owned(),
            },
            sent,
        }),
        Err(error) => Ok(Seen::UploadFailed { error, sent }),
    }
}

/// What is wrong with the bag fails the item; what is wrong with the disk ends the import.
fn damaged(error: BagReadError) -> Result<Seen, ImportError> {
    match error {
        BagReadError::Damaged { what } => Ok(Seen::Damaged(what)),
        error @ BagReadError::Unreadable(_) => Err(error.into()),
    }
}

/// Feeds the body. The last piece is given away only when all bytes are known to be those that were checked.
async fn pump(
    importing: Importing<'_>,
    item: ItemRef,
    archive: &ListedArchive,
    mut source: crate::ports::ArchiveBytes,
    mut body: Body,
    sent: &AtomicBool,
) -> Result<(), Stopped> {
    let mut hasher = Sha256Hasher::default();
    let mut passed = 0;
    while let Some(piece) = source.next().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => return Err(stop(&mut body, Stopped::Bag(error)).await),
        };
        if piece.is_empty() {
            continue;
        }
        hasher.update(&piece);
        passed += piece.len() as u64;
        if passed >= archive.bytes {
            finish(
                importing,
                item,
                archive,
                (hasher, passed, piece),
                &mut body,
                sent,
            )
            .await?;
            report(importing, item, archive, passed);
            return Ok(());
        }
        give(&mut body, Ok(piece)).await?;
        report(importing, item, archive, passed);
    }
    Err(stop(&mut body, Stopped::Bag(changed(archive))).await)
}

/// The last piece.
async fn finish(
    importing: Importing<'_>,
    item: ItemRef,
    archive: &ListedArchive,
    (hasher, passed, piece): (Sha256Hasher, u64, Bytes),
    body: &mut Body,
    sent: &AtomicBool,
) -> Result<(), Stopped> {
    if passed != archive.bytes || hasher.finish() != archive.sha256 {
        return Err(stop(body, Stopped::Bag(changed(archive))).await);
    }
    let fact = ImportFact::Sent { item };
    if let Err(error) = importing.with.journal.record(fact).await {
        return Err(stop(body, Stopped::Journal(error)).await);
    }
    sent.store(true, Ordering::SeqCst);
    give(body, Ok(piece)).await
}

/// Breaks the request off.
async fn stop(body: &mut Body, why: Stopped) -> Stopped {
    // Where nobody takes it, the request has ended by itself.
    let _ = give(body, Err(UploadStopped)).await;
    why
}

async fn give(body: &mut Body, piece: Result<Bytes, UploadStopped>) -> Result<(), Stopped> {
    poll_fn(|context| body.poll_ready(context))
        .await
        .and_then(|()| body.start_send(piece))
        .map_err(|_| Stopped::NotTaken)
}

fn changed(archive: &ListedArchive) -> BagReadError {
    BagReadError::Damaged {
        what: format!(
            "`{}` is no longer what it was when it was checked",
            archive.path
        ),
    }
}

fn report(importing: Importing<'_>, item: ItemRef, archive: &ListedArchive, received: u64) {
    importing.with.ports.progress.on(&Event::Bytes {
        item,
        received,
        total: Some(archive.bytes),
    });
}
