//! The files that a bag has of its own, made when all its payload is there.

use std::sync::Arc;

use crate::ports::{PayloadInPlace, SinkError, TagFiles};
use crate::report::{Report, rendered, tags};
use crate::view;

/// The tag files of a run: pages first, since the others say what pages there are, and the manifest over all of them last.
pub(super) struct OwnFiles(pub(super) Arc<Report>);

impl TagFiles for OwnFiles {
    fn write(self: Box<Self>, bag: &mut dyn PayloadInPlace) -> Result<(), SinkError> {
        let report = &self.0;
        let pages = view::write(report, bag)?;
        let extra = rendered(report, &pages.views);
        let files = tags::tag_files(report, extra, &pages.sums).into_iter();
        files.into_iter().try_for_each(|file| bag.add(file))
    }
}
