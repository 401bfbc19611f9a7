use std::io::{Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, Crc, GzBuilder};
use proptest::prelude::*;

use super::header::FLAG_SUM;
use super::*;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A member with every optional field of the header: the flag of the header's own sum is added by hand.
fn gzip_with_all_fields(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new()
        .filename("archive.tar")
        .comment("a comment")
        .extra(vec![1, 2, 3, 4, 5])
        .write(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    let plain = encoder.finish().unwrap();
    let header_bytes = 10 + 2 + 5 + "archive.tar\0".len() + "a comment\0".len();
    let mut header = plain[..header_bytes].to_vec();
    header[3] |= FLAG_SUM;
    let mut sum = Crc::new();
    sum.update(&header);
    header.extend((sum.sum() & 0xffff).to_le_bytes()[..2].iter());
    header.extend(&plain[header_bytes..]);
    header
}

fn check_in_chunks(bytes: &[u8], chunk_bytes: usize) -> Result<u64, CheckFailure> {
    let mut check = GzipCheck::new();
    for chunk in bytes.chunks(chunk_bytes) {
        if let Err(failure) = check.update(chunk) {
            assert_eq!(check.update(b"more"), Err(failure.clone()));
            assert_eq!(check.finish(), Err(failure.clone()));
            return Err(failure);
        }
    }
    check.finish()
}

fn check(bytes: &[u8]) -> Result<u64, CheckFailure> {
    let whole = check_in_chunks(bytes, usize::MAX);
    for chunk_bytes in [1, 7] {
        let pieces = check_in_chunks(bytes, chunk_bytes);
        match (&whole, &pieces) {
            (Err(CheckFailure::Truncated { .. }), Err(CheckFailure::Truncated { .. })) => {}
            _ => assert_eq!(whole, pieces, "chunks of {chunk_bytes}"),
        }
    }
    whole
}

fn sample() -> Vec<u8> {
    (0..3000_u32).flat_map(|n| (n * n).to_le_bytes()).collect()
}

#[test]
fn a_whole_archive_passes_and_its_size_is_counted() {
    let content = sample();
    let size = content.len() as u64;
    assert_eq!(check(&gzip(&content)), Ok(size));
    assert_eq!(check(&gzip(b"")), Ok(0));
    assert_eq!(check(&gzip_with_all_fields(&content)), Ok(size));
    assert_eq!(
        check(&[gzip(&content), gzip_with_all_fields(b"second")].concat()),
        Ok(size + 6)
    );
}

#[test]
fn an_archive_cut_anywhere_never_passes() {
    let (first, second) = (gzip(&sample()), gzip_with_all_fields(b"the second member"));
    let both = [first.clone(), second].concat();
    for length in 0..both.len() {
        let seen = check_in_chunks(&both[..length], 1000);
        if length == first.len() {
            assert_eq!(
                seen,
                Ok(sample().len() as u64),
                "the first member alone is whole"
            );
        } else {
            assert_eq!(
                seen,
                Err(CheckFailure::Truncated {
                    received: length as u64
                }),
                "{length}"
            );
        }
    }
}

#[test]
fn a_large_archive_cut_at_a_thousand_places_never_passes() {
    let mut state = 1_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let whole = gzip(&noise.take(300_000).collect::<Vec<_>>());
    for place in 0..1000 {
        let length = whole.len() * place / 1000;
        let seen = check_in_chunks(&whole[..length], 64 * 1024);
        let received = length as u64;
        assert_eq!(seen, Err(CheckFailure::Truncated { received }), "{length}");
    }
    assert!(check(&whole).is_ok());
}

#[test]
fn a_flipped_bit_is_found_or_changes_nothing_of_the_content() {
    let content = &sample()[..600];
    for whole in [
        gzip(content),
        gzip_with_all_fields(content),
        [gzip(content), gzip(b"2")].concat(),
    ] {
        let mut harmless = 0;
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if check_in_chunks(&flipped, 64).is_ok() {
                let (mut before, mut after) = (Vec::new(), Vec::new());
                MultiGzDecoder::new(&whole[..])
                    .read_to_end(&mut before)
                    .unwrap();
                MultiGzDecoder::new(&flipped[..])
                    .read_to_end(&mut after)
                    .unwrap();
                assert!(before == after, "bit {bit}");
                harmless += 1;
            }
        }
        // Time, compression level and system of the header, its text flag, and the padding of the last byte.
        assert!(harmless <= 2 * (6 * 8 + 1 + 7), "{harmless}");
    }
}

#[test]
fn a_page_is_not_an_archive() {
    for page in [
        &b"<!DOCTYPE html><html>"[..],
        b"{\"error\": 1}",
        b"PK\x03\x04",
        b"\x1f\x8c",
        b"\x1f\x8b\x07",
    ] {
        assert_eq!(check(page), Err(CheckFailure::NotGzip));
    }
}

#[test]
fn an_empty_body_is_no_archive() {
    assert_eq!(check(b""), Err(CheckFailure::Truncated { received: 0 }));
}

#[test]
fn bytes_after_the_end_are_found_even_zeros() {
    for trailing in [&b"\0"[..], b"\0\0\0\0", b"x", b"\x1fx", b"<html>"] {
        assert_eq!(
            check(&[&gzip(b"content"), trailing].concat()),
            Err(CheckFailure::TrailingBytes)
        );
    }
}

#[test]
fn a_wrong_length_with_a_right_sum_is_damage() {
    let mut bytes = gzip(b"content");
    let last = bytes.len() - 1;
    bytes[last] ^= 0x80;
    assert_eq!(check(&bytes), Err(CheckFailure::Damaged));
}

#[test]
fn a_stream_that_inflates_a_thousandfold_passes_in_the_same_memory() {
    let zeros = 64 * 1024 * 1024;
    let bomb = gzip(&vec![0; zeros]);
    assert!(bomb.len() < zeros / 900);
    assert_eq!(check_in_chunks(&bomb, bomb.len() / 2 + 1), Ok(zeros as u64));
}

#[test]
fn published_size_and_sum_are_compared() {
    let sum = Sha256::of(b"logo");
    let run = |size, sha256, fed: &[u8]| {
        let mut check = ContentCheck::of(&Check::Published { size, sha256 });
        check.update(fed)?;
        check.finish(&Sha256::of(fed))
    };
    assert_eq!(run(Some(4), Some(sum), b"logo"), Ok(()));
    assert_eq!(run(None, None, b"anything"), Ok(()));
    assert_eq!(run(None, Some(sum), b"ogol"), Err(CheckFailure::Sha256));
    for (fed, received) in [(&b"log"[..], 3), (b"logos", 5)] {
        assert_eq!(
            run(Some(4), None, fed),
            Err(CheckFailure::Size {
                received,
                expected: 4
            })
        );
    }
}

#[test]
fn each_kind_of_check_is_made_from_its_order() {
    let judge = |check: &Check, fed: &[u8]| {
        let mut check = ContentCheck::of(check);
        check.update(fed)?;
        check.finish(&Sha256::of(fed))
    };
    assert_eq!(judge(&Check::None, b"x"), Ok(()));
    assert_eq!(judge(&Check::Gzip, b"x"), Err(CheckFailure::NotGzip));
    assert_eq!(judge(&Check::Gzip, &gzip(b"x")), Ok(()));
    let of = |bytes: &[u8]| Check::GzipOf {
        sha256: Sha256::of(bytes),
    };
    assert_eq!(judge(&of(&gzip(b"x")), &gzip(b"x")), Ok(()));
    assert_eq!(
        judge(&of(&gzip(b"y")), &gzip(b"x")),
        Err(CheckFailure::Sha256)
    );
    assert_eq!(judge(&of(b"x"), b"x"), Err(CheckFailure::NotGzip));
}

proptest! {
    #[test]
    fn any_bytes_end_in_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let framed = [&[0x1f, 0x8b, 8], &bytes[..]].concat();
        prop_assert_eq!(check_in_chunks(&framed, 3).is_ok(), check_in_chunks(&framed, 1 << 20).is_ok());
        let _ = check(&bytes);
    }

    #[test]
    fn any_content_passes_in_any_chunks(content in proptest::collection::vec(any::<u8>(), 0..5000), chunk in 1_usize..600) {
        prop_assert_eq!(check_in_chunks(&gzip(&content), chunk), Ok(content.len() as u64));
    }
}
