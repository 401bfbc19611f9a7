//! The writing half: the [`ArchiveSink`](domain::ports::ArchiveSink) port over the three containers.
//!
//! What entries share has four owners. Each keeps its state to itself, in a file that begins with its invariant:
//!
//! | owner | decides |
//! | --- | --- |
//! | `slot` | who may write where in the container now |
//! | `queue` | what waits for the container, in bounded memory |
//! | `commits` | what has its place, and in which order the journal records it |
//! | `paths` | which paths are in use |
//!
//! `bag` holds the four and does what needs several of them. Bytes go into the container while they arrive (`streamed`,
//! `open_entry`), or at once where an entry is small (`small`). Where an arriving entry goes is said in `place`; what the next run can
//! use of it, in `partial`; how gaps are closed, in `closing`.
//!
//! **Lock order.** No owner calls another while it has its own lock, so their locks never nest, in whatever order they are
//! asked. Two things are held for longer, always in this order: a [`slot::Claim`] on the container, then the turn to commit;
//! whoever flushes has the turn, and takes short locks inside (of the commits, of the journal). `health` is locked last and
//! calls nobody.
//!
//! **Order on disk**, which every kill has to respect:
//!
//! 1. the container's bytes are flushed before the journal records them;
//! 2. the journal is flushed before a receipt says `durable`;
//! 3. a spool file is removed after the journal records its copy in the container;
//! 4. a member that is moved is copied to where no recorded member is, the copy is flushed, the journal records it, and then its former
//!    place may be written over;
//! 5. the finished container is flushed, then the journal says `complete`, then it gets its final name, then the work folder
//!    is removed, the journal last.
//!
//! So what the journal does not name is free at the next start, and nothing has to be repaired.
//!
//! Where the output cannot be patched (standard output, anything encrypted), every entry that is not small waits in a file
//! without a name until its size and sums are known; receipts are then never durable before the bag is finished.
//!
//! Tag files are made when the payload is in place, and may read it back (`in_place`): from the container, or from the copies that are
//! kept where that cannot be read (`copies`).

mod bag;
mod checks;
mod chunks;
mod closed;
mod closing;
mod commits;
mod copies;
mod entry_end;
mod forward;
mod gaps;
mod health;
mod in_place;
#[cfg(test)]
mod known_tests;
mod member;
mod open_entry;
mod output;
mod partial;
mod paths;
mod place;
mod queue;
mod region;
mod sink;
mod slot;
mod small;
mod streamed;
#[cfg(test)]
mod tests;

pub(crate) use checks::Checks;
pub use chunks::Chunks;
pub(crate) use member::MemberWriter;
pub(crate) use partial::{SavedPartial, SavedPlace};
pub use paths::{Paths, Reservation};
pub(crate) use sink::{ArchiveWriter, Destination, Parts, Resumed};
