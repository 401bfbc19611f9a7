//! The partition table of an install profile: one disk, a boot partition, an extended one with a logical one in it.

use crate::document::{Element, flag, number, text};
use crate::platform::items::Item;

use super::{Part, is, part_id};
use crate::platform::data::fields::drawn_fields;

const DISK: i64 = 11;
const BOOT: i64 = 12;
const EXTENDED: i64 = 13;
const LOGICAL: i64 = 14;
const GIB: i64 = 1024;

fn table_uri(item: &Item, base: &str) -> String {
    format!(
        "{base}/installProfile/{}/pt/{}",
        item.id * 10 + 1,
        item.id * 10 + 5
    )
}

/// `partitionTable`, whose lists have addresses of their own.
pub(in crate::platform::data) fn partition_table(item: &Item, base: &str) -> Element {
    let uri = table_uri(item, base);
    let id = item.id * 10 + 5;
    let mut fields = drawn_fields(id, item.seed ^ id.unsigned_abs());
    fields.extend([
        text("btrfsStoragePoolsUri", format!("{uri}/pools")),
        text("btrfsSubvolumesUri", format!("{uri}/subvolumes")),
        Element::list("disks", "disk", vec![disk(item, base)]),
        text("disksUri", format!("{uri}/disks")),
        text("logicalGroupsUri", format!("{uri}/groups")),
        text("logicalVolumesUri", format!("{uri}/volumes")),
        text("uri", uri.as_str()),
    ]);
    Element::object("partitionTable", fields)
}

/// What lies at this path below the partition table.
pub(super) fn part(item: &Item, base: &str, path: &[&str]) -> Option<Part> {
    match path {
        ["disks"] => Some(Part::List("disks", "disk", vec![disk(item, base)])),
        ["disks", id, rest @ ..] if is(id, part_id(item, DISK)) => disk_part(item, base, rest),
        ["groups"] => Some(Part::List("logicalGroups", "logicalGroup", Vec::new())),
        ["volumes"] => Some(Part::List("logicalVolumes", "logicalVolume", Vec::new())),
        ["pools"] => Some(Part::List(
            "btrfsStoragePools",
            "btrfsStoragePool",
            Vec::new(),
        )),
        ["subvolumes"] => Some(Part::List("btrfsSubvolumes", "btrfsSubvolume", Vec::new())),
        _ => None,
    }
}

fn disk_part(item: &Item, base: &str, path: &[&str]) -> Option<Part> {
    let partitions = || [boot(item, base), extended(item, base)];
    match path {
        [] => Some(Part::Object(disk(item, base))),
        ["partitions"] => Some(Part::List("partitions", "partition", partitions().into())),
        ["partitions", id] if is(id, part_id(item, BOOT)) => Some(Part::Object(boot(item, base))),
        ["partitions", id, rest @ ..] if is(id, part_id(item, EXTENDED)) => match rest {
            [] => Some(Part::Object(extended(item, base))),
            ["lpartitions"] => Some(Part::List(
                "partitions",
                "partition",
                vec![logical(item, base)],
            )),
            ["lpartitions", id] if is(id, part_id(item, LOGICAL)) => {
                Some(Part::Object(logical(item, base)))
            }
            _ => None,
        },
        ["partitions", id, "lpartitions"] if is(id, part_id(item, BOOT)) => {
            Some(Part::List("partitions", "partition", Vec::new()))
        }
        _ => None,
    }
}

fn disk(item: &Item, base: &str) -> Element {
    let table = table_uri(item, base);
    let id = part_id(item, DISK);
    let uri = format!("{table}/disks/{id}");
    let mut fields = drawn_fields(id, item.seed ^ id.unsigned_abs());
    fields.extend([
        text("name", "sda"),
        text("partitionsUri", format!("{uri}/partitions")),
        text("partitionTableUri", table),
        text("partitionType", "MSDOS"),
        number("size", 12 * GIB),
        text("uri", uri),
    ]);
    Element::object("disk", fields)
}

fn boot(item: &Item, base: &str) -> Element {
    let at = format!("disks/{}/partitions", part_id(item, DISK));
    partition(item, base, BOOT, (&at, "ext4", "/boot", GIB))
}

fn extended(item: &Item, base: &str) -> Element {
    let at = format!("disks/{}/partitions", part_id(item, DISK));
    partition(item, base, EXTENDED, (&at, "Extended", "", 11 * GIB))
}

fn logical(item: &Item, base: &str) -> Element {
    let at = format!(
        "disks/{}/partitions/{}/lpartitions",
        part_id(item, DISK),
        part_id(item, EXTENDED)
    );
    partition(item, base, LOGICAL, (&at, "xfs", "/", 11 * GIB))
}

fn partition(
    item: &Item,
    base: &str,
    place: i64,
    (at, kind, mount_point, size): (&str, &'static str, &'static str, i64),
) -> Element {
    let table = table_uri(item, base);
    let id = part_id(item, place);
    let mut fields = drawn_fields(id, item.seed ^ place.unsigned_abs());
    fields.extend([text("fstype", kind), flag("growable", false)]);
    if !mount_point.is_empty() {
        fields.push(text("mpoint", mount_point));
    }
    fields.extend([
        text("name", format!("sda{}", place - DISK)),
        text("partitionTableUri", table.as_str()),
        number("size", size),
        text("uri", format!("{table}/{at}/{id}")),
    ]);
    Element::object("partition", fields)
}
