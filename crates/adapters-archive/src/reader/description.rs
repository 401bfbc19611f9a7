//! What a bag says of itself: its `export.json`, byte for byte, and what a receipt says of it.

use std::io::{self, Read};

use domain::bag::layout::Tag;
use domain::bag::receipt::Delivered;
use domain::bag::verify::{Damage, Finding, RecordedExport};
use domain::model::Sha256;

use super::visit::{Content, Visitor};
use super::{BagSource, ReadError};
use crate::verify::tag_limit;

/// Reads `export.json` out of a bag; `None` where it has none.
pub fn export_json(bag: BagSource) -> Result<Option<Vec<u8>>, ReadError> {
    Ok(read(bag)?.export_json)
}

/// What a receipt says of a bag that was made before; `None` where the bag does not say enough of itself.
pub fn delivered(bag: BagSource) -> Result<Option<Delivered>, ReadError> {
    let found = read(bag)?;
    let (Some(export_json), Some(tag_manifest)) = (&found.export_json, &found.tag_manifest) else {
        return Ok(None);
    };
    let recorded = RecordedExport::read(export_json.as_slice()).ok();
    let sums = [tag_manifest, export_json].map(|bytes| Sha256::of(bytes));
    Ok(recorded.and_then(|recorded| Delivered::of_recorded(&recorded, sums[0], sums[1])))
}

fn read(bag: BagSource) -> Result<Description, ReadError> {
    let mut description = Description::default();
    bag.visit(&mut description)?;
    Ok(description)
}

#[derive(Default)]
struct Description {
    export_json: Option<Vec<u8>>,
    tag_manifest: Option<Vec<u8>>,
}

impl Description {
    fn of_tag(&mut self, path: &str) -> Option<&mut Option<Vec<u8>>> {
        if path == Tag::ExportJson.name() {
            Some(&mut self.export_json)
        } else if path == Tag::TagManifest.name() {
            Some(&mut self.tag_manifest)
        } else {
            None
        }
    }
}

impl Visitor for Description {
    fn file(&mut self, path: &str, _: u64, content: &mut dyn Content) -> io::Result<()> {
        if let Some(place) = self.of_tag(path)
            && let Some(limit) = tag_limit(path)
        {
            let mut bytes = Vec::new();
            match content.take(limit).read_to_end(&mut bytes) {
                Ok(_) => *place = Some(bytes),
                Err(error) => {
                    super::judge(error)?;
                }
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, _: &str, _: Damage) {}

    fn finding(&mut self, _: Finding) {}

    fn broke_off(&mut self) {}
}
