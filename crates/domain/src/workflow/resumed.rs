//! What an interrupted run left in the bag and in the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{BagPath, Facts, Resource};
use crate::ports::{ArchiveSink, JournalState, Receipt};

/// The entries that are in the bag, and what is recorded of documents: also of some whose entries were lost.
#[derive(Debug, Default)]
pub(crate) struct Resumed {
    pub(crate) receipts: BTreeMap<BagPath, Receipt>,
    pub(crate) documents: Arc<BTreeMap<Resource, Facts>>,
    pub(crate) as_json: Arc<BTreeSet<Resource>>,
    pub(crate) not_as_json: Arc<BTreeSet<Resource>>,
}

impl Resumed {
    /// What the sink and the journal hold at the start of this run.
    pub(crate) fn of(sink: &dyn ArchiveSink, checkpoint: &JournalState) -> Self {
        let receipts = sink.resumed_receipts().into_iter();
        Self {
            receipts: receipts
                .map(|receipt| (receipt.path.clone(), receipt))
                .collect(),
            documents: Arc::clone(&checkpoint.facts_before),
            as_json: Arc::clone(&checkpoint.as_json),
            not_as_json: Arc::clone(&checkpoint.not_as_json),
        }
    }
}
