//! Bags as they are read by somebody else's program.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

/// Every file of a zip by its path below the top folder.
pub(crate) fn unpack(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let name = file.name().unwrap().split_once('/').unwrap().1.to_owned();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (name, bytes)
        })
        .filter(|(name, _)| !name.is_empty() && !name.ends_with('/'))
        .collect()
}
