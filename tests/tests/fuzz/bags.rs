//! Bags of anybody, and what a run records beside its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use adapters_archive::testing::{JournalRead, read_journal};
use adapters_archive::{Depth, Listing, list, open_bag, verify};
use domain::bag::manifest;
use domain::bag::verify::RecordedExport;
use domain::model::BagFormat;
use tempfile::TempDir;
use tests::contract::{archive_sink, journal};
use tests::kit::{Bag, Site, open, quick, settings};

use crate::check_words;
use crate::material::Material;

/// A small bag of the program, as it lies in its file.
fn bag(name: &str) -> Vec<u8> {
    let mut scenario = quick();
    scenario.data.appliances = 1;
    scenario.data.software = 0;
    scenario.data.accounts = 1;
    scenario.data.others = 1;
    scenario.data.archive_bytes = 300;
    scenario.timing.export_millis = 1;
    let site = Site::new(env!("CARGO_BIN_EXE_uforge-export-under-test"), scenario);
    let mut export = site.export_to(name);
    export.args(["--include", "profile,appliances,cloud-accounts"]);
    site.program.run(export).expect_status(0);
    fs::read(site.path(name)).expect("a bag")
}

/// The payload as a listing describes it.
fn payload(listing: &Listing) -> BTreeMap<&str, u64> {
    let files = listing.files.iter();
    files
        .filter(|file| file.path.starts_with("data/"))
        .map(|file| (file.path.as_str(), file.bytes))
        .collect()
}

/// Feeds the readers with a bag to which something was done: it is read to its end, what is wrong is said in words, and a bag that is
/// called sound has all that it had.
struct Damaged {
    folder: TempDir,
    material: Material,
    before: Listing,
}

impl Damaged {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let whole = bag(name);
        let path = folder.path().join("bag");
        fs::write(&path, &whole).expect("written");
        let before = open_bag(&path, None).and_then(list).expect("a bag");
        assert!(is_sound(&path));
        Self {
            folder,
            material: Material::new([whole], MARKS),
            before,
        }
    }

    fn check(&self, choices: &[u8]) {
        let path = self.folder.path().join("bag");
        fs::write(&path, self.material.make(choices)).expect("written");
        match open_bag(&path, None).and_then(list) {
            Ok(listing) => {
                let listed: Vec<&String> = listing.files.iter().map(|file| &file.path).collect();
                assert!(listed.is_sorted(), "{listed:?}");
                if is_sound(&path) {
                    assert_eq!(payload(&listing), payload(&self.before));
                }
            }
            Err(error) => check_words(&error.to_string()),
        }
    }
}

const MARKS: &[&str] = &[
    "PK\u{1}\u{2}",
    "PK\u{3}\u{4}",
    "PK\u{5}\u{6}",
    "PK\u{6}\u{6}",
    "\0\0\0\0",
    "ustar",
    "../",
    "/",
    "data/",
    "x",
    "7777777",
    "0",
];

fn is_sound(path: &Path) -> bool {
    match open_bag(path, None).and_then(|bag| verify(bag, Depth::Inner)) {
        Ok(report) => report.is_sound(),
        Err(error) => {
            check_words(&error.to_string());
            false
        }
    }
}

#[test]
fn zip_reader() {
    let bag = Damaged::new("bag.zip");
    bolero::check!().for_each(|choices: &[u8]| bag.check(choices));
}

#[test]
fn tar_reader() {
    let bag = Damaged::new("bag.tar");
    bolero::check!().for_each(|choices: &[u8]| bag.check(choices));
}

#[test]
fn tar_gz_reader() {
    let bag = Damaged::new("bag.tar.gz");
    bolero::check!().for_each(|choices: &[u8]| bag.check(choices));
}

/// What is read can be written and read again; lines are reported in their order.
#[test]
fn manifest_reader() {
    let real = bag("bag.tar");
    let real = Bag::of_bytes("bag.tar", real);
    let material = Material::new(
        ["manifest-sha256.txt", "tagmanifest-sha256.txt"].map(|name| real.file(name).to_vec()),
        &[
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            " ",
            "  ",
            " *",
            "\t",
            "./",
            "\n",
            "\r",
            "\r\n",
            "%0A",
            "%0d",
            "%25",
            "%",
            "data/x",
            "\u{feff}",
            "é",
            "0",
        ],
    );
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = material.make(choices);
        let (mut last, mut entries) = (0, Vec::new());
        for entry in manifest::entries(&bytes) {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    assert!(error.line > last);
                    last = error.line;
                    check_words(&error.to_string());
                }
            }
        }
        // These begin like the marks that checksum programs put before a name.
        let marks = [' ', '\t', '*'];
        entries.retain(|entry| !entry.path.starts_with(marks) && !entry.path.starts_with("./"));
        let files = entries
            .iter()
            .map(|entry| (entry.path.as_str(), &entry.sha256));
        let mut text = Vec::new();
        manifest::write(files, &mut text).expect("it is memory");
        let again: Result<Vec<_>, _> = manifest::entries(&text).collect();
        assert_eq!(again.as_ref(), Ok(&entries));
    });
}

/// `export.json` of anybody: fields that are not known change nothing, and a refusal names a line of the file.
#[test]
fn export_json_reader() {
    let real = Bag::of_bytes("bag.tar", bag("bag.tar"));
    let material = Material::new(
        [real.file("export.json").to_vec()],
        &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"format\"",
            "\"files\"",
            "\"path\"",
            "\"bytes\"",
            "null",
            "-1",
            "1e999",
            "\"",
            "\\u0000",
            "18446744073709551616",
        ],
    );
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = material.make(choices);
        match RecordedExport::read(bytes.as_slice()) {
            Ok(recorded) => {
                let (begin, rest) =
                    bytes.split_at(1 + bytes.iter().position(|byte| *byte == b'{').unwrap_or(0));
                let more = [begin, b"\"of another version\": [{}],", rest].concat();
                let again = RecordedExport::read(more.as_slice()).expect("readable");
                assert_eq!(format!("{recorded:?}"), format!("{again:?}"));
                assert_eq!(recorded.is_known(), recorded.format == "uforge-export/1");
            }
            Err(error) => {
                let lines = line_ends(&bytes) + 1;
                assert!(error.line() <= lines, "line {} of {lines}", error.line());
            }
        }
    });
}

/// The journal of a run that was killed after some entries and facts.
fn journal_of_a_killed_run() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let run = open(settings(folder.path(), BagFormat::Zip));
        journal::record_some(run.journal.as_ref()).await;
        for name in ["data/a.xml", "data/b.xml"] {
            let entry = archive_sink::document(name, 5);
            let put = archive_sink::put(run.sink.as_ref(), entry, b"<a/>\n", 3).await;
            put.expect("a receipt");
        }
    });
    find(folder.path(), "journal").expect("a journal")
}

fn find(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let mut entries = fs::read_dir(folder).expect("a folder");
    entries.find_map(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            find(&path, name)
        } else {
            path.ends_with(name)
                .then(|| fs::read(&path).expect("a file"))
        }
    })
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

/// What is kept of a journal is a sound journal of its own that says the same; a write that was cut short is no damage.
#[test]
fn journal_reader() {
    let whole = journal_of_a_killed_run();
    let all = read(&whole);
    assert!(
        all.lines > 8 && !all.is_damaged && all.end == whole.len() as u64,
        "{all:?}"
    );
    let material = Material::new(
        [whole.clone()],
        &[
            "\n",
            " ",
            "0 ",
            "00000000 ",
            "1 1 ",
            "{\"fact\":",
            "{\"complete\":{\"bytes\":0}}",
            "\"",
            "}",
            "data/a.xml",
            "9",
        ],
    );
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = material.make(choices);
        let seen = read(&bytes);
        let end = usize::try_from(seen.end).expect("an offset");
        let kept = bytes.get(..end).expect("within the file");
        assert_eq!(seen.lines, line_ends(kept) as u64);
        let again = read(kept);
        assert_eq!(
            again,
            JournalRead {
                is_damaged: false,
                ..seen
            }
        );
        let cut = whole
            .len()
            .min(choices.len().wrapping_mul(31) % (whole.len() + 1));
        let cut = whole.get(..cut).unwrap_or_default();
        let seen = read(cut);
        assert!(!seen.is_damaged);
        assert_eq!(seen.lines, line_ends(cut) as u64);
    });
}

fn read(bytes: &[u8]) -> JournalRead {
    read_journal(bytes).expect("a file that can be read")
}
