//! What the platform has of an appliance or a software bundle.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use crate::model::{BundleReference, ItemKind, ItemRef};

/// An appliance or a software bundle.
#[derive(Clone, Debug)]
pub struct FakeItem {
    /// Which.
    pub item: ItemRef,
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// Its `lastModified`.
    pub last_modified: Option<String>,
    /// What its own document refers to.
    pub bundles: Option<BTreeSet<BundleReference>>,
    /// Its archive.
    pub archive: Vec<u8>,
    /// How long its export takes.
    pub takes: Duration,
    /// The size that its document gives.
    pub size: Option<u64>,
}

impl FakeItem {
    /// An item with a small archive whose export takes ten seconds.
    pub fn new(item: ItemRef) -> Self {
        Self {
            item,
            name: format!("{item}"),
            digest: "d1".to_owned(),
            last_modified: Some("2026-11-02T08:00:00.000Z".to_owned()),
            bundles: (item.kind == ItemKind::Appliance).then(BTreeSet::new),
            archive: gzip(format!("the archive of {item}").as_bytes()),
            takes: Duration::from_secs(10),
            size: None,
        }
    }
}

/// A small gzip stream.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let written = encoder.write_all(content).and_then(|()| encoder.finish());
    written.unwrap_or_else(|error| panic!("{error}"))
}
