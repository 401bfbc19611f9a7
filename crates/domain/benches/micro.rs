//! What the pure parts cost, each alone: sums, checks, redaction, the report. `cargo xtask bench micro` runs it.

#![expect(clippy::expect_used, reason = "benchmarks run on data of their own")]

use std::fmt::Write as _;
use std::io::Write as _;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use domain::bag::GzipCheck;
use domain::model::{BagPath, Representation, Sha256};
use domain::ports::Receipt;
use domain::redact::redact_secrets;
use domain::report::{Report, export_json, sample};
use flate2::Compression;
use flate2::write::GzEncoder;

const PIECE_BYTES: usize = 256 * 1024;
const CONTENT_BYTES: usize = 8 << 20;
const OBJECTS: usize = 1000;
const FILES: usize = 30_000;

fn main() {
    divan::main();
}

/// Bytes that do not compress, the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
    .take(length)
    .collect()
}

/// Words with numbers between them: compresses about as software does.
fn words(length: usize) -> Vec<u8> {
    let noise = noise(length);
    let mut words = Vec::with_capacity(length + 16);
    for drawn in noise.chunks_exact(4) {
        if words.len() >= length {
            break;
        }
        let name = usize::from(drawn[0]) * usize::from(drawn[1]) / 64;
        let _ = write!(words, "package-{name}/{} ", drawn[2]);
    }
    words.truncate(length);
    words
}

fn gzip(content: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(content).expect("into memory");
    encoder.finish().expect("into memory")
}

#[divan::bench]
fn sha_256(bencher: Bencher<'_, '_>) {
    let bytes = noise(PIECE_BYTES);
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .bench(|| Sha256::of(black_box(&bytes)));
}

fn check(bencher: Bencher<'_, '_>, archive: &[u8]) {
    bencher.counter(BytesCount::of_slice(archive)).bench(|| {
        let mut check = GzipCheck::new();
        for piece in archive.chunks(PIECE_BYTES) {
            check.update(piece).expect("it is sound");
        }
        check.finish().expect("it is whole")
    });
}

/// The bytes counted are those that arrive.
#[divan::bench]
fn inflate_check_of_what_compresses(bencher: Bencher<'_, '_>) {
    check(
        bencher,
        &gzip(&words(CONTENT_BYTES), Compression::default()),
    );
}

#[divan::bench]
fn inflate_check_of_stored_blocks(bencher: Bencher<'_, '_>) {
    check(bencher, &gzip(&noise(CONTENT_BYTES), Compression::none()));
}

fn accounts_as_xml() -> Vec<u8> {
    let mut text = "<credAccounts><credAccounts>".to_owned();
    for id in 0..OBJECTS {
        let _ = write!(
            text,
            "<credAccount><dbId>{id}</dbId><name>account {id}</name><login>john</login><password>pass-{id}-word</password><description>what it is for</description></credAccount>"
        );
    }
    text.push_str("</credAccounts></credAccounts>");
    text.into_bytes()
}

fn accounts_as_json() -> Vec<u8> {
    let mut text = "{\"credAccounts\": [".to_owned();
    for id in 0..OBJECTS {
        let comma = if id > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma}{{\"dbId\": {id}, \"name\": \"account {id}\", \"login\": \"john\", \"password\": \"pass-{id}-word\", \"description\": \"what it is for\"}}"
        );
    }
    text.push_str("]}");
    text.into_bytes()
}

fn redact(bencher: Bencher<'_, '_>, form: Representation, document: &[u8]) {
    bencher
        .counter(BytesCount::of_slice(document))
        .bench(|| redact_secrets(form, black_box(document)).expect("it can be read"));
}

#[divan::bench]
fn redaction_of_1000_accounts_xml(bencher: Bencher<'_, '_>) {
    redact(bencher, Representation::Xml, &accounts_as_xml());
}

#[divan::bench]
fn redaction_of_1000_accounts_json(bencher: Bencher<'_, '_>) {
    redact(bencher, Representation::Json, &accounts_as_json());
}

/// JSON is read with the place of each value: what reading alone costs, since nothing is blanked.
#[divan::bench]
fn json_with_places_of_1000_objects(bencher: Bencher<'_, '_>) {
    let document = String::from_utf8(accounts_as_json()).expect("it is text");
    let document = document.replace("password", "comment");
    redact(bencher, Representation::Json, document.as_bytes());
}

/// A report with this many files.
fn report() -> Report {
    let mut report = sample::complete();
    let file = report.files.first().expect("it has files").clone();
    report.files = (0..FILES)
        .map(|number| Receipt {
            path: BagPath::parse(&format!("data/appliances/{number}-web/archive.tar.gz"))
                .expect("it is safe"),
            ..file.clone()
        })
        .collect();
    report
}

#[divan::bench(sample_count = 20)]
fn export_json_of_30000_files(bencher: Bencher<'_, '_>) {
    let report = report();
    bencher
        .counter(ItemsCount::new(FILES))
        .bench(|| export_json(black_box(&report)));
}
