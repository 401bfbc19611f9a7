//! The files that a bag has of its own, made when all its payload is there.

use std::sync::Arc;

use crate::bag::receipt::Delivered;
use crate::ports::{PayloadInPlace, SinkError, TagFiles};
use crate::report::{Report, TagSums, delivered, rendered, tags};
use crate::view;

/// The tag files of a run: pages first, since the others say what pages there are, and the manifest over all of them last.
pub(super) struct OwnFiles(pub(super) Arc<Report>);

impl TagFiles for OwnFiles {
    fn write(
        self: Box<Self>,
        bag: &mut dyn PayloadInPlace,
    ) -> Result<Option<Box<Delivered>>, SinkError> {
        let report = &self.0;
        let pages = view::write(report, bag)?;
        let described = rendered(report, &pages.views);
        let mut sums = TagSums::default();
        for file in tags::tag_files(report, described, &pages.sums) {
            sums.add(&file);
            bag.add(file)?;
        }
        Ok(Some(Box::new(delivered(report, sums))))
    }
}
