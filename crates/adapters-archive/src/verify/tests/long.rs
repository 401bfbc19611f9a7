//! Files that are summed up and checked in threads of their own.

use super::*;
use crate::pieces::PIECE_BYTES;

fn long_archive() -> Vec<u8> {
    let content = test_kit::noise(7, 3 * PIECE_BYTES);
    let entries: [(&str, &[u8]); 3] = [
        ("template.yml", TEMPLATE.as_bytes()),
        ("config/boot.sh", b"#!"),
        ("config/image", &content),
    ];
    gzip(&tar(&entries))
}

#[test]
fn a_long_archive_is_checked_like_a_short_one() {
    let whole = long_archive();
    let sound = files_with(&whole);
    for format in ALL {
        assert_eq!(sentences(&check(&sound, format)), [""; 0], "{format:?}");
        for at in [0, PIECE_BYTES, whole.len() - 1] {
            let mut spoiled = sound.clone();
            spoiled.get_mut(ARCHIVE).unwrap()[at] ^= 1;
            assert!(names(&check(&spoiled, format), ARCHIVE), "{format:?} {at}");
        }
    }
    for format in [StoredFormat::Zip, StoredFormat::Tar] {
        let bytes = packed(&sound, format);
        let archive = region(&bytes, &whole);
        for at in [archive.start, archive.start + PIECE_BYTES, archive.end - 1] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            let report = check_bytes(&flipped).unwrap();
            assert!(names(&report, ARCHIVE), "{format:?} {at}");
        }
    }
    let cut = check(&files_with(&whole[..whole.len() - 1]), StoredFormat::Tar);
    let text = sentences(&cut).concat();
    assert!(text.contains("the archive ends early, after"), "{text}");
}

#[test]
fn files_whose_length_is_a_number_of_whole_pieces_are_read_to_their_ends() {
    let pieces = Pieces::default();
    for length in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES] {
        let content = test_kit::noise(3, length);
        let seen = Watched::plain(&mut content.as_slice(), &pieces).finish();
        let seen = seen.unwrap();
        assert_eq!(seen.bytes, length as u64);
        assert_eq!(seen.sha256, Sha256::of(&content));
    }
}
