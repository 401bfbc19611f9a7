//! What a bag says of itself: its `export.json`, byte for byte.

use std::io::{self, Read};

use domain::bag::layout::Tag;
use domain::bag::verify::{Damage, Finding};

use super::visit::Visitor;
use super::{BagSource, ReadError};
use crate::verify::tag_limit;

/// Reads `export.json` out of a bag; `None` where it has none.
pub fn export_json(bag: BagSource) -> Result<Option<Vec<u8>>, ReadError> {
    let mut description = Description::default();
    bag.visit(&mut description)?;
    Ok(description.0)
}

#[derive(Default)]
struct Description(Option<Vec<u8>>);

impl Visitor for Description {
    fn file(&mut self, path: &str, _: u64, content: &mut dyn Read) -> io::Result<()> {
        if path == Tag::ExportJson.name()
            && let Some(limit) = tag_limit(path)
        {
            let mut bytes = Vec::new();
            match content.take(limit).read_to_end(&mut bytes) {
                Ok(_) => self.0 = Some(bytes),
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
