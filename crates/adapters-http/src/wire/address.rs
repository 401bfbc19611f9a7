//! Ids read out of the platform's own addresses (`users/john/appliances/201`). Nothing else of an address is believed, and nothing
//! is ever asked for at one.

use roxmltree::Node;

use super::xml::{number, word};

/// The id of an object: its `dbId` or, as the schema lets that be absent, the number at the end of its `uri`.
pub(super) fn object_id(node: Node<'_, '_>) -> Option<i64> {
    match word(node, "dbId") {
        Some(_) => number(node, "dbId"),
        None => last_number(&word(node, "uri")?),
    }
}

/// The number that an address ends in.
pub(super) fn last_number(uri: &str) -> Option<i64> {
    uri.trim_end_matches('/').rsplit('/').next()?.parse().ok()
}

/// The number in the path segment after this one.
pub(super) fn id_after(uri: &str, name: &str) -> Option<i64> {
    let mut segments = uri.split(['/', '?', '#']).rev();
    let mut after = segments.next()?;
    for segment in segments {
        if segment == name {
            return after.parse().ok();
        }
        after = segment;
    }
    None
}
