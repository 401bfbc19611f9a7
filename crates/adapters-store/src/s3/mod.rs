//! Bags on an object store: each is a rope, a list of pieces in the order in which they are read.
//!
//! Small pieces (heads of members, small documents, tails) are in the run's records, bodies are objects that are never changed once they
//! are whole. An entry's body goes straight to `jobs/<job>/<token>/<n>` while it is encoded and checked. When it is closed, its exact head
//! is known, and one record makes all of it part of the bag. The token is that of the lease, so no two runs ever write the same object;
//! the record is refused where the lease is lost. Nothing rests on conditions of the object store
//! (`docs/adr/0011-bags-in-pieces.md`).
//!
//! **Order**, which every kill has to respect: an object is whole before a record names it; a record is durable before there is a
//! receipt; the objects that no record names are listed before the record that completes the bag, and deleted after it. So what no record
//! names is never read, and deleted at the job's end or with the job.
//!
//! | file | what it is |
//! | --- | --- |
//! | `connect` | from a URL to an object store |
//! | `objects` | names of objects; uploads, reading, listing, deletion |
//! | `record` | what a record says |
//! | `history` | what all records of a job say together |
//! | `rope` | the pieces of a bag, and any part of them as a stream |
//! | `log` | the run's records: the journal, and what the sink records to |
//! | `entry` · `gathered` | an open entry whose bytes arrive · one that is gathered in memory |
//! | `shared` | what the entries of one run share; how one becomes part of the bag |
//! | `sink` · `finish` | opens entries · ends the bag |
//! | `runs` · `bags` | the ports |

mod bags;
mod connect;
mod entry;
mod error;
mod finish;
mod gathered;
mod history;
mod in_place;
mod log;
mod objects;
mod record;
mod rope;
mod runs;
mod shared;
mod sink;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::jobs::RunRecords;
use object_store::ObjectStore;

pub use connect::S3StoreError;
use objects::Objects;
pub(crate) use record::FORMAT_VERSION;

/// Runs and bags on an object store. What is small, and in which order the pieces are read, is in the records.
#[derive(Clone)]
pub struct S3Store {
    objects: Objects,
    records: Arc<dyn RunRecords>,
}

impl S3Store {
    /// The store of this URL, `s3://BUCKET[/PREFIX]`, at this endpoint, or at that of the region. Credentials and the region are those
    /// of the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`), or of the machine's role.
    /// Nothing is sent yet: see [`S3Store::check`].
    pub fn open(
        url: &str,
        endpoint: Option<&str>,
        records: Arc<dyn RunRecords>,
    ) -> Result<Self, S3StoreError> {
        let place = connect::connect(url, endpoint)?;
        Ok(Self::on(place.store, &place.prefix, records))
    }

    /// Whether [`S3Store::open`] would take these, as far as that is known without asking anybody.
    pub fn check_url(url: &str, endpoint: Option<&str>) -> Result<(), S3StoreError> {
        connect::connect(url, endpoint).map(drop)
    }

    /// Runs and bags below this prefix of an object store.
    pub fn on(
        store: Arc<dyn ObjectStore>,
        prefix: &object_store::path::Path,
        records: Arc<dyn RunRecords>,
    ) -> Self {
        Self {
            objects: Objects::new(store, prefix.clone()),
            records,
        }
    }

    /// Whether the bucket answers, and lets us in.
    pub async fn check(&self) -> Result<(), S3StoreError> {
        let listed = self.objects.first_job().await;
        listed.map(drop).map_err(S3StoreError::of)
    }
}
