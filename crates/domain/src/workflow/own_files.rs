//! The files that a bag has of its own, made when all its payload is there.

use std::sync::Arc;

use crate::bag::receipt::Delivered;
use crate::ports::{PayloadInPlace, SinkError, TagFiles};
use crate::report::{Report, delivered, write_tag_files};
use crate::view;

/// The tag files of a run: pages first, since the others say what pages there are.
pub(super) struct OwnFiles(pub(super) Arc<Report>);

impl TagFiles for OwnFiles {
    fn write(
        self: Box<Self>,
        bag: &mut dyn PayloadInPlace,
    ) -> Result<Option<Box<Delivered>>, SinkError> {
        let report = &self.0;
        let pages = view::write(report, bag)?;
        let sums = write_tag_files(report, (&pages.views, pages.sums), bag)?;
        Ok(Some(Box::new(delivered(report, sums))))
    }
}
