//! Which fields are shown, and in which of them a number or a text means more than it says.

/// Names with such an end are addresses on the platform, or sums that only programs compare.
const NO_VALUES: [&str; 8] = [
    "uri",
    "uris",
    "uuid",
    "digest",
    "checksum",
    "md5sum",
    "sha1sum",
    "sha256sum",
];
/// Numbers of bytes.
const BYTES: [&str; 7] = [
    "bytesloaded",
    "bytestotal",
    "completeinstalledsize",
    "completesize",
    "filesize",
    "installedsize",
    "size",
];
/// What has a `size` that is no number of bytes.
const OTHER_SIZES: [&str; 8] = [
    "btrfsstoragepool",
    "btrfssubvolume",
    "disk",
    "logicalvolume",
    "lvm",
    "partition",
    "volumegroup",
    "raid",
];
/// Ends of the names of times.
const TIMES: [&str; 11] = [
    "date",
    "time",
    "created",
    "modified",
    "updated",
    "expires",
    "timestamp",
    "update",
    "eta",
    "dob",
    "loggedin",
];

/// Letters and digits of a name, in lower case.
fn normal(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether a field is a value for people: no link, digest, uuid or checksum.
pub(super) fn is_shown(name: &str) -> bool {
    let name = normal(name);
    !NO_VALUES.iter().any(|end| name.ends_with(end))
}

/// Whether a field of this name, held by `parent`, is a number of bytes.
pub(super) fn is_bytes(name: &str, parent: &str) -> bool {
    let parent = normal(parent);
    BYTES.contains(&normal(name).as_str())
        && !OTHER_SIZES.iter().any(|other| parent.starts_with(other))
}

/// Whether a field of this name is a time, also where it is written as a number.
pub(super) fn is_time(name: &str) -> bool {
    let name = normal(name);
    TIMES.iter().any(|end| name.ends_with(end)) && name != "totaltime" && name != "simulationtime"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_sums_are_no_values() {
        for name in [
            "uri",
            "baseImagesUri",
            "applianceUris",
            "uuid",
            "applianceUUID",
            "digest",
            "checksum",
            "md5sum",
            "sha256sum",
        ] {
            assert!(!is_shown(name), "{name}");
        }
        for name in ["name", "keystoneUrl", "sumAdded", "security", "uriCount"] {
            assert!(is_shown(name), "{name}");
        }
    }

    #[test]
    fn the_size_of_a_partition_is_no_number_of_bytes() {
        assert!(is_bytes("size", "appliance"));
        assert!(is_bytes("bytesTotal", "status"));
        for holder in ["partition", "disk", "logicalVolume"] {
            assert!(!is_bytes("size", holder), "{holder}");
        }
        assert!(!is_bytes("diskSize", "statTicket"));
    }

    #[test]
    fn times_are_known_by_their_names() {
        for name in ["created", "lastModified", "osEOLDate", "expires", "dob"] {
            assert!(is_time(name), "{name}");
        }
        for name in ["name", "totalTime", "nb", "timezone"] {
            assert!(!is_time(name), "{name}");
        }
    }
}
