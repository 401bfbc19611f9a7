//! The files that a bag has of its own, made when all its payload is there.

use std::sync::Arc;

use crate::bag::layout::Tag;
use crate::bag::receipt::Delivered;
use crate::ports::{PayloadInPlace, SinkError, TagFiles};
use crate::report::{Report, TagSums, delivered, rendered, tags, write_export_json};
use crate::view;

/// The tag files of a run: pages first, since the others say what pages there are, `export.json`, the others, and the manifest over
/// all of them last.
pub(super) struct OwnFiles(pub(super) Arc<Report>);

impl TagFiles for OwnFiles {
    fn write(
        self: Box<Self>,
        bag: &mut dyn PayloadInPlace,
    ) -> Result<Option<Box<Delivered>>, SinkError> {
        let report = &self.0;
        let pages = view::write(report, bag)?;
        let export_json = write_export_json(report, bag)?;
        let mut written = pages.sums;
        written.push((Tag::ExportJson.path(), export_json));
        let described = rendered(report, &pages.views);
        let mut sums = TagSums::after(export_json);
        for file in tags::tag_files(report, described, &written) {
            sums.add(&file);
            bag.add(file)?;
        }
        Ok(Some(Box::new(delivered(report, sums))))
    }
}
