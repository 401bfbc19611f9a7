//! Readers that stand somewhere in a bag. One that has given an archive away goes on from there when a later one is wanted: archives
//! that are asked for in the order in which they lie in the bag cost one pass.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use domain::bag::verify::{Damage, Finding};
use domain::ports::{ArchiveBytes, BagReadError, ListedArchive};
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc;

use super::bag::{Bag, unreadable};
use crate::reader::visit::{Content, Visitor, judge};

/// One piece of an archive.
const PIECE_BYTES: usize = 64 * 1024;
/// Pieces that wait to be taken.
const PIECES: usize = 2;
/// Readers that wait for another request. More are ended.
const MOST_IDLE: usize = 8;

type Piece = Result<Bytes, BagReadError>;

/// An archive that is wanted.
struct Request {
    path: String,
    place: u64,
    pieces: mpsc::Sender<Piece>,
}

/// A reader that waits.
struct Idle {
    /// The place of the next file that it comes to.
    place: u64,
    requests: Sender<Request>,
}

type Pool = Mutex<Vec<Idle>>;

/// All readers of one bag. When this is dropped, they end.
pub(super) struct Cursors {
    bag: Arc<Bag>,
    idle: Arc<Pool>,
}

impl Cursors {
    pub(super) fn of(bag: Arc<Bag>) -> Self {
        Self {
            bag,
            idle: Arc::default(),
        }
    }

    /// The bytes of an archive, by the nearest reader before it, or by a new one.
    pub(super) fn open(&self, archive: &ListedArchive) -> ArchiveBytes {
        let (pieces, receiver) = mpsc::channel(PIECES);
        let mut request = Request {
            path: archive.path.clone(),
            place: archive.place,
            pieces,
        };
        loop {
            let Some(idle) = self.nearest(archive.place) else {
                self.begin(request);
                break;
            };
            match idle.requests.send(request) {
                Ok(()) => break,
                // It ended meanwhile.
                Err(returned) => request = returned.0,
            }
        }
        stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|piece| (piece, receiver))
        })
        .boxed()
    }

    fn nearest(&self, place: u64) -> Option<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let before = idle.iter().enumerate();
        let nearest = before
            .filter(|(_, idle)| idle.place <= place)
            .max_by_key(|(_, idle)| idle.place)?;
        let at = nearest.0;
        Some(idle.swap_remove(at))
    }

    fn begin(&self, request: Request) {
        let (bag, idle) = (Arc::clone(&self.bag), Arc::downgrade(&self.idle));
        std::thread::spawn(move || read(&bag, idle, request));
    }
}

/// Reads the bag once from its beginning, for as many requests as come.
fn read(bag: &Bag, idle: Weak<Pool>, request: Request) {
    let source = match bag.open() {
        Ok(source) => source,
        Err(error) => {
            let _ = request.pieces.blocking_send(Err(unreadable(error)));
            return;
        }
    };
    let mut cursor = Cursor {
        idle,
        place: 0,
        wanted: Some(request),
    };
    let read = source.visit(&mut cursor);
    // What is still wanted was not found, or could not be reached.
    if let Some(request) = cursor.wanted.take() {
        let error = match read {
            Err(error) => unreadable(error),
            Ok(_) => BagReadError::Damaged {
                what: format!("`{}` is no longer in the bag", request.path),
            },
        };
        let _ = request.pieces.blocking_send(Err(error));
    }
}

struct Cursor {
    idle: Weak<Pool>,
    place: u64,
    wanted: Option<Request>,
}

impl Cursor {
    /// Waits for the next request; an error where none will come.
    fn wait(&mut self) -> io::Result<()> {
        let (requests, receiver): (Sender<Request>, Receiver<Request>) = channel();
        let nobody = || io::Error::other("nobody reads any further");
        {
            let idle = self.idle.upgrade().ok_or_else(nobody)?;
            let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() >= MOST_IDLE {
                return Err(nobody());
            }
            idle.push(Idle {
                place: self.place,
                requests,
            });
        }
        self.wanted = Some(receiver.recv().map_err(|_| nobody())?);
        Ok(())
    }

    /// Gives a file away; it stops where nobody takes any more of it.
    fn give(request: &Request, content: &mut dyn Read) -> io::Result<()> {
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let piece = match read_full(content, &mut piece) {
                Ok(0) => return Ok(()),
                Ok(read) => {
                    piece.truncate(read);
                    Ok(piece.into())
                }
                Err(error) => match judge(error) {
                    Ok(damage) => Err(damaged(&request.path, &damage)),
                    Err(error) => {
                        let copy = io::Error::from(error.kind());
                        let _ = request
                            .pieces
                            .blocking_send(Err(BagReadError::Unreadable(Box::new(error))));
                        return Err(copy);
                    }
                },
            };
            let is_end = piece.is_err();
            if request.pieces.blocking_send(piece).is_err() || is_end {
                return Ok(());
            }
        }
    }
}

fn damaged(path: &str, damage: &Damage) -> BagReadError {
    BagReadError::Damaged {
        what: format!("`{path}` cannot be read: {damage}"),
    }
}

/// Fills the buffer as far as there is something.
fn read_full(content: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match content.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl Visitor for Cursor {
    fn file(&mut self, path: &str, _: u64, content: &mut dyn Content) -> io::Result<()> {
        if self.wanted.is_none() {
            self.wait()?;
        }
        let is_wanted = |wanted: &Request| wanted.place == self.place && wanted.path == path;
        let found = self.wanted.take_if(|wanted| is_wanted(wanted));
        self.place += 1;
        match found {
            Some(request) => Self::give(&request, content),
            None => Ok(()),
        }
    }

    fn unreadable(&mut self, _: &str, _: Damage) {
        self.place += 1;
    }

    fn finding(&mut self, _: Finding) {}

    fn broke_off(&mut self) {}
}
