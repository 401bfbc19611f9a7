use age::secrecy::ExposeSecret as _;
use domain::ports::TagFile;

use super::*;
use crate::encrypt::{Encryption, Recipient};
use crate::reader::sample::{
    ARCHIVE, Files, TEMPLATE, USER, files, files_with, gzip, on_disk, packed, stored, tar,
    tar_entry,
};
use crate::reader::{Unlock, open_bag};
use crate::test_kit::{self, FORMATS, Kit, document, download};

mod long;

const PACKED: [StoredFormat; 3] = [StoredFormat::Zip, StoredFormat::Tar, StoredFormat::TarGz];
const ALL: [StoredFormat; 4] = [
    StoredFormat::Zip,
    StoredFormat::Tar,
    StoredFormat::TarGz,
    StoredFormat::Folder,
];

fn check(files: &Files, format: StoredFormat) -> VerifyReport {
    let bag = stored(files, format);
    verify(open_bag(&bag.path, None).unwrap(), Depth::Inner).unwrap()
}

fn check_bytes(bytes: &[u8]) -> Result<VerifyReport, ReadError> {
    let bag = on_disk(bytes);
    verify(open_bag(&bag.path, None)?, Depth::Bytes)
}

fn sentences(report: &VerifyReport) -> Vec<String> {
    report
        .findings
        .list
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn names(report: &VerifyReport, path: &str) -> bool {
    report
        .findings
        .list
        .iter()
        .any(|finding| finding.path() == Some(path))
}

#[test]
fn a_sound_bag_is_sound_in_every_format() {
    for format in ALL {
        let report = check(&files(), format);
        assert_eq!(sentences(&report), [""; 0], "{format:?}");
        assert_eq!((report.archives, report.findings.payload_files), (1, 2));
        assert_eq!(report.folder.as_deref(), Some("bag"));
    }
}

#[test]
fn a_missing_an_added_and_an_altered_file_are_named() {
    for format in ALL {
        let mut spoiled = files();
        spoiled.remove(USER);
        spoiled.insert("data/added".to_owned(), Vec::new());
        spoiled.insert("added.txt".to_owned(), Vec::new());
        spoiled.get_mut("index.html").unwrap()[0] ^= 1;
        assert_eq!(
            sentences(&check(&spoiled, format)),
            [
                "`data/added` does not belong in the bag: manifest-sha256.txt does not list it",
                "`data/profile/user.xml` is missing: manifest-sha256.txt lists it",
                "`added.txt` does not belong in the bag: tagmanifest-sha256.txt does not list it",
                "`index.html` has been altered: its SHA-256 is not the one in tagmanifest-sha256.txt",
            ],
            "{format:?}"
        );
    }
}

/// Where a file's content lies in a bag: the archive is stored in every format but tar.gz.
fn region(bytes: &[u8], content: &[u8]) -> std::ops::Range<usize> {
    let start = bytes
        .windows(content.len())
        .position(|window| window == content)
        .unwrap();
    start..start + content.len()
}

#[test]
fn one_flipped_bit_in_a_payload_file_is_found_and_named() {
    for format in [StoredFormat::Zip, StoredFormat::Tar] {
        let whole = packed(&files(), format);
        for at in region(&whole, &files()[ARCHIVE]) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            let report = check_bytes(&flipped).unwrap();
            assert!(
                names(&report, ARCHIVE),
                "{format:?} {at}: {:?}",
                sentences(&report)
            );
        }
    }
    let mut flipped = files();
    for at in 0..flipped[ARCHIVE].len() {
        flipped.get_mut(ARCHIVE).unwrap()[at] ^= 1;
        assert!(
            names(&check(&flipped, StoredFormat::Folder), ARCHIVE),
            "{at}"
        );
        flipped.get_mut(ARCHIVE).unwrap()[at] ^= 1;
    }
}

#[test]
fn one_flipped_bit_anywhere_ends_in_an_answer_and_changes_no_file_unnoticed() {
    for format in PACKED {
        let whole = packed(&files(), format);
        let mut unnoticed = 0;
        // A tar file is mostly filling: some of its bytes, all of the others'.
        let step = if format == StoredFormat::Tar { 7 } else { 1 };
        for at in (0..whole.len()).step_by(step) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            match check_bytes(&flipped) {
                Ok(report) if report.is_sound() => unnoticed += 1,
                _ => {}
            }
        }
        // Times, modes, versions; of a tar header only how its own checksum is spelled.
        let most = match format {
            StoredFormat::Tar => files().len() * 4,
            StoredFormat::TarGz => files().len() * 10,
            _ => files().len() * 40,
        };
        assert!(
            unnoticed <= most,
            "{format:?}: {unnoticed} of {}",
            whole.len()
        );
    }
}

#[test]
fn a_bag_cut_anywhere_is_damaged_or_no_bag() {
    for format in PACKED {
        let whole = packed(&files(), format);
        let step = if format == StoredFormat::Tar { 31 } else { 1 };
        for length in (0..whole.len()).step_by(step) {
            if let Ok(report) = check_bytes(&whole[..length]) {
                assert!(!report.is_sound(), "{format:?} cut to {length}");
            }
        }
    }
}

#[test]
fn what_is_hidden_in_a_container_is_found() {
    let whole = packed(&files(), StoredFormat::Tar);
    let hidden = [&whole[..], &tar_entry("bag/data/hidden", b"x"), &[0; 1024]].concat();
    let report = check_bytes(&hidden).unwrap();
    assert!(
        sentences(&report)
            .concat()
            .contains("the end of the container is damaged")
    );

    let mut padding = whole;
    let user = region(&padding, &files()[USER]);
    padding[user.end] = 1;
    assert_eq!(
        sentences(&check_bytes(&padding).unwrap()),
        ["`data/profile/user.xml`: 1 bytes lie in the container that belong to no file"]
    );

    let whole = packed(&files(), StoredFormat::Zip);
    for (bytes, expected) in [
        (
            [&whole[..], b"x"].concat(),
            "the end of the container is damaged",
        ),
        (
            [&b"PK\x03\x04 before"[..], &whole].concat(),
            "bytes lie in the container that belong to no file",
        ),
    ] {
        let report = check_bytes(&bytes).unwrap();
        assert!(
            sentences(&report).concat().contains(expected),
            "{:?}",
            sentences(&report)
        );
    }
}

#[test]
fn a_file_that_a_zip_file_s_directory_does_not_list_is_found_by_name() {
    // The entry of index.html is taken out of the directory; its header and data stay.
    let mut bytes = packed(&files(), StoredFormat::Zip);
    let name = b"bag/index.html";
    let found: Vec<_> = bytes
        .windows(name.len())
        .enumerate()
        .filter(|(_, window)| window == name)
        .map(|(at, _)| at)
        .collect();
    let entry = found[1] - 46..found[1] + name.len();
    let length = entry.len();
    bytes.drain(entry);
    let end = bytes.len() - 22;
    let entries = u16::try_from(files().len() - 1).unwrap().to_le_bytes();
    bytes[end + 8..end + 10].copy_from_slice(&entries);
    bytes[end + 10..end + 12].copy_from_slice(&entries);
    let size = u32::from_le_bytes(bytes[end + 12..end + 16].try_into().unwrap());
    let size = size - u32::try_from(length).unwrap();
    bytes[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());
    let report = check_bytes(&bytes).unwrap();
    assert_eq!(
        sentences(&report),
        [
            "`index.html`: it lies in the zip file, but the zip file's directory does not list it",
            "`index.html` is missing: tagmanifest-sha256.txt lists it",
        ]
    );
}

#[test]
fn an_archive_that_is_no_whole_gzip_file_is_found_even_if_the_manifest_agrees() {
    let whole = gzip(b"content");
    for (archive, expected) in [
        (&whole[..whole.len() - 1], "the archive ends early, after"),
        (b"<html>", "this is not a gzip archive"),
    ] {
        let report = check(&files_with(archive), StoredFormat::Zip);
        let text = sentences(&report);
        assert_eq!(text.len(), 1, "{text:?}");
        assert!(
            text[0].starts_with(&format!("`{ARCHIVE}`: {expected}")),
            "{text:?}"
        );
    }
}

fn inner(entries: &[(&str, &[u8])]) -> Vec<String> {
    let report = check(&files_with(&gzip(&tar(entries))), StoredFormat::Tar);
    let front = format!("`{ARCHIVE}`: ");
    let reported = sentences(&report);
    reported
        .iter()
        .map(|text| text.strip_prefix(&front).unwrap().to_owned())
        .collect()
}

#[test]
fn what_is_wrong_inside_of_an_archive_is_named() {
    let template = ("template.yml", TEMPLATE.as_bytes());
    let boot: (&str, &[u8]) = ("config/boot.sh", b"#!");
    assert_eq!(inner(&[template, boot]), [""; 0]);
    let nested: [(&str, &[u8]); 2] = [
        ("./a/template.yml", template.1),
        ("./a/config/boot.sh", b""),
    ];
    assert_eq!(inner(&nested), [""; 0]);
    for (entries, expected) in [
        (
            vec![template],
            "`config/boot.sh` is named in its template.yml, but it is not inside",
        ),
        (
            vec![boot],
            "it holds no template.yml, template.json, bundle.yml or bundle.json",
        ),
        (
            vec![template, boot, boot],
            "`config/boot.sh` is inside more than once",
        ),
        (
            vec![("template.json", b"{\n]".as_slice())],
            "`template.json` inside cannot be read as JSON (line 2)",
        ),
        (
            vec![template, boot, ("../evil", b"x".as_slice())],
            "`../evil` inside leads out of the folder that it is unpacked into",
        ),
    ] {
        assert_eq!(inner(&entries), [expected]);
    }
}

#[test]
fn a_gzip_file_without_a_tar_file_is_found_at_depth_only() {
    let bag = stored(&files_with(&gzip(b"no tar file")), StoredFormat::Zip);
    let at = |depth| verify(open_bag(&bag.path, None).unwrap(), depth).unwrap();
    assert_eq!(sentences(&at(Depth::Bytes)), [""; 0]);
    assert_eq!(
        sentences(&at(Depth::Inner)),
        [format!("`{ARCHIVE}`: the tar file inside is damaged")]
    );
}

#[test]
fn links_that_lead_out_of_an_archive_are_found() {
    for (kind, target, escapes) in [
        (tar::EntryType::Symlink, "../../etc/passwd", true),
        (tar::EntryType::Symlink, "/etc/passwd", true),
        (tar::EntryType::Symlink, "../template.yml", false),
        (tar::EntryType::Link, "config/../../x", true),
        (tar::EntryType::Link, "template.yml", false),
    ] {
        let mut entry = tar_entry("config/boot.sh", b"");
        let mut header = tar::Header::from_byte_slice(&entry[..512]).clone();
        header.set_entry_type(kind);
        header.set_link_name_literal(target).unwrap();
        header.set_cksum();
        entry[..512].copy_from_slice(header.as_bytes());
        let template = tar_entry("template.yml", TEMPLATE.as_bytes());
        let archive = gzip(&[template, entry, vec![0; 1024]].concat());
        let text = sentences(&check(&files_with(&archive), StoredFormat::Tar));
        assert_eq!(
            text.iter().any(|t| t.contains("leads out")),
            escapes,
            "{target}: {text:?}"
        );
    }
}

/// Writes the sample bag with the product's own sink, with an entry taken back in its middle and one spooled beside it.
async fn written(kit: &Kit) {
    let run = kit.open();
    let taken_back = run
        .begin(download("data/appliances/1-x/archive.tar.gz"))
        .await;
    let files = files();
    let archive = run.begin(download(ARCHIVE)).await;
    run.put(document(USER, &files[USER]), &files[USER])
        .await
        .unwrap();
    taken_back.discard().await.unwrap();
    let mut archive = archive;
    archive
        .write(bytes::Bytes::from(files[ARCHIVE].clone()))
        .await
        .unwrap();
    archive.close().await.unwrap();
    let tags = files.iter().filter(|(path, _)| !path.starts_with("data/"));
    let tags = tags.map(|(path, content)| TagFile {
        path: test_kit::path(path),
        bytes: content.clone().into(),
    });
    run.sink
        .finish(Box::new(tags.collect::<Vec<_>>()))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_the_sink_writes_is_sound() {
    let key = age::x25519::Identity::generate();
    let identity = on_disk(key.to_string().expose_secret().as_bytes());
    let recipient = Recipient::parse(&key.to_public().to_string()).unwrap();
    for format in FORMATS {
        for encryption in [None, Some(Encryption::Recipients(vec![recipient.clone()]))] {
            let mut kit = Kit::new(format);
            kit.encryption = encryption;
            written(&kit).await;
            let unlock = Unlock::IdentityFiles(vec![identity.path.clone()]);
            let bag = open_bag(&kit.target(), Some(&unlock)).unwrap();
            assert_eq!(bag.is_encrypted(), kit.encryption.is_some());
            let report = verify(bag, Depth::Inner).unwrap();
            assert_eq!(sentences(&report), [""; 0], "{format:?}");
            assert_eq!(report.folder.as_deref(), Some(test_kit::TOP));
        }
    }
}
