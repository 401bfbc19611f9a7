//! Outputs that cannot be patched: standard output, and everything encrypted.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;

use domain::model::{BagFormat, ExportId, ItemKind, ItemRef, ObjectId, Resource, Ticket};
use domain::ports::{Fact, SinkError};
use secrecy::SecretString;

use super::open::open_stream;
use super::{OpenError, RunSettings, Target};
use crate::test_kit::{FORMATS, Kit, Run, archive, document, download, names, noise, read_back};
use crate::{Encryption, Recipient};

const MARKER: &[u8] = b"a marker that must not be found on the disk";

/// A pipe, and what is read from it until it is closed.
fn pipe() -> (File, JoinHandle<Vec<u8>>) {
    let (mut reader, writer) = io::pipe().unwrap();
    let reading = std::thread::spawn(move || {
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        read
    });
    (File::from(OwnedFd::from(writer)), reading)
}

/// Two downloads at once, documents between them, one entry taken back.
async fn fill(run: &Run, large_bytes: usize) -> Vec<(String, Vec<u8>)> {
    let mut first = run.begin(download("data/first")).await;
    let mut second = run.begin(download("data/second")).await;
    let contents = [archive(1, 300_000), archive(2, 100_000)];
    first.write(contents[0].clone().into()).await.unwrap();
    second.write(contents[1].clone().into()).await.unwrap();
    let receipt = run
        .put(document("data/user.xml", MARKER), MARKER)
        .await
        .unwrap();
    assert!(!receipt.durable);
    assert!(!second.close().await.unwrap().durable);
    let mut gone = run.begin(download("data/gone")).await;
    gone.write(archive(3, 100_000).into()).await.unwrap();
    gone.discard().await.unwrap();
    assert!(!first.close().await.unwrap().durable);
    let large = noise(5, large_bytes);
    let entry = document("data/large.xml", &large);
    run.put(entry, &large).await.unwrap();
    let [first, second] = contents;
    vec![
        ("data/first".to_owned(), first),
        ("data/second".to_owned(), second),
        ("data/user.xml".to_owned(), MARKER.to_vec()),
        ("data/large.xml".to_owned(), large),
    ]
}

fn check(format: BagFormat, bytes: &[u8], expected: Vec<(String, Vec<u8>)>) {
    let mut bag = read_back(format, bytes);
    assert!(bag.remove("bagit.txt").is_some());
    assert!(bag == expected.into_iter().collect(), "{format:?}");
}

#[tokio::test]
async fn standard_output_gets_the_bag_from_its_first_byte_to_its_last() {
    for format in FORMATS {
        let kit = Kit::new(format);
        let (output, reading) = pipe();
        let settings = RunSettings {
            target: Target::Stdout,
            ..kit.settings()
        };
        let run: Run = open_stream(settings, output).unwrap().into();
        let expected = fill(&run, 1_500_000).await;
        let bag = run.finish().await.unwrap();
        let bytes = reading.join().unwrap();
        assert_eq!(bag.path, None);
        assert_eq!(bag.bytes, bytes.len() as u64);
        check(format, &bytes, expected);
        assert!(kit.names().is_empty());
    }
}

/// Java's stream reader and pipes need sizes in the local headers.
#[tokio::test]
async fn a_zip_on_standard_output_has_no_data_descriptors() {
    let kit = Kit::new(BagFormat::Zip);
    let (output, reading) = pipe();
    let run: Run = open_stream(kit.settings(), output).unwrap().into();
    let expected = fill(&run, 1_500_000).await;
    run.finish().await.unwrap();
    let bytes = reading.join().unwrap();
    let mut pipe = bytes.as_slice();
    let mut files = 0;
    while let Some(mut file) = zip::read::read_zipfile_from_stream(&mut pipe).unwrap() {
        io::copy(&mut file, &mut io::sink()).unwrap();
        files += 1;
    }
    assert_eq!(files, expected.len() + 1);
}

#[tokio::test]
async fn a_reader_that_went_away_ends_the_run_with_an_error_that_names_it() {
    let kit = Kit::new(BagFormat::Tar);
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let run: Run = open_stream(kit.settings(), File::from(OwnedFd::from(writer)))
        .unwrap()
        .into();
    let mut errors = Vec::new();
    for number in 0..4 {
        let bytes = noise(number, 900_000);
        let entry = document(&format!("data/{number}"), &bytes);
        match run.sink.open_entry(entry).await {
            Ok(mut writer) => {
                writer.write(bytes.into()).await.unwrap();
                errors.extend(writer.close().await.err());
            }
            Err(error) => errors.push(error),
        }
    }
    assert_eq!(errors.len(), 4);
    for error in errors {
        assert!(
            matches!(&error, SinkError::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe),
            "{error}"
        );
    }
    assert!(run.finish().await.is_err());
}

fn encrypted(format: BagFormat) -> (Kit, age::x25519::Identity) {
    let identity = age::x25519::Identity::generate();
    let recipient = Recipient::parse(&identity.to_public().to_string()).unwrap();
    let kit = Kit {
        encryption: Some(Encryption::Recipients(vec![recipient])),
        ..Kit::new(format)
    };
    (kit, identity)
}

fn decrypted(kit: &Kit, identity: &dyn age::Identity) -> Vec<u8> {
    let sealed = fs::read(kit.target()).unwrap();
    let mut bytes = Vec::new();
    age::Decryptor::new(sealed.as_slice())
        .unwrap()
        .decrypt(std::iter::once(identity))
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

#[tokio::test]
async fn an_encrypted_bag_is_one_age_stream_around_the_container() {
    for format in FORMATS {
        let (kit, identity) = encrypted(format);
        let run = kit.open();
        let expected = fill(&run, 10).await;
        let bag = run.finish().await.unwrap();
        assert_eq!(bag.bytes, fs::metadata(kit.target()).unwrap().len());
        check(format, &decrypted(&kit, &identity), expected);
        assert_eq!(kit.names().len(), 1);
    }
}

#[tokio::test]
async fn a_passphrase_opens_a_bag_that_was_encrypted_with_it() {
    let mut kit = Kit::new(BagFormat::Zip);
    let passphrase = SecretString::from("correct horse".to_owned());
    kit.encryption = Some(Encryption::Passphrase(passphrase.clone()));
    let run = kit.open();
    run.put(document("data/x", MARKER), MARKER).await.unwrap();
    run.finish().await.unwrap();
    let mut identity = age::scrypt::Identity::new(passphrase);
    identity.set_max_work_factor(30);
    let bag = read_back(BagFormat::Zip, &decrypted(&kit, &identity));
    assert_eq!(bag["data/x"], MARKER);
}

/// The marker goes through every spool: memory, a file beside the container, the container, the journal.
#[tokio::test]
async fn no_plain_text_of_an_encrypted_bag_touches_the_disk() {
    for format in FORMATS {
        let (kit, _) = encrypted(format);
        let run = kit.open();
        let text = MARKER.repeat(10_000);
        let plain = |name: &str| domain::ports::NewEntry {
            check: domain::ports::Check::None,
            ..download(name)
        };
        let mut open = run.begin(plain("data/a")).await;
        open.write(text.clone().into()).await.unwrap();
        run.put(plain("data/b"), &text).await.unwrap();
        run.put(document("data/c", MARKER), MARKER).await.unwrap();
        let object = domain::model::ObjectFacts {
            name: Some(String::from_utf8(MARKER.to_vec()).unwrap()),
            ..Default::default()
        };
        let facts = domain::model::Facts {
            objects: vec![object],
            ..Default::default()
        };
        let resource = Resource::User;
        run.journal
            .record(Fact::Read { resource, facts })
            .await
            .unwrap();
        run.journal
            .record(Fact::Intent {
                item: ticket().item,
                at: None,
            })
            .await
            .unwrap();
        let killed = kit.killed();
        assert_eq!(names(&killed.work()), ["bag", "journal"]);
        let mut nameless = nameless_files(&kit.work());
        while cfg!(target_os = "linux") && nameless.iter().all(Vec::is_empty) {
            nameless = nameless_files(&kit.work());
        }
        open.close().await.unwrap();
        run.finish().await.unwrap();
        let mut files = nameless;
        for folder in [killed.work(), kit.folder.path().to_path_buf()] {
            let paths = names(&folder).into_iter().map(|name| folder.join(name));
            files.extend(paths.map(|path| fs::read(path).unwrap()));
        }
        for bytes in files {
            assert!(marker_in(&bytes).is_none());
        }
    }
}

/// Where the marker is; by its first byte, since tests are not optimised.
fn marker_in(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|&at| bytes[at] == MARKER[0] && bytes[at..].starts_with(&MARKER[..20]))
}

/// What this process holds open in this folder without a name.
fn nameless_files(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let Ok(open) = fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    open.filter_map(|entry| {
        let path = entry.ok()?.path();
        let name = fs::read_link(&path).ok()?;
        let nameless = name.starts_with(folder) && !name.exists();
        nameless.then(|| fs::read(path).ok())?
    })
    .collect()
}

fn ticket() -> Ticket {
    Ticket {
        item: ItemRef {
            kind: ItemKind::Appliance,
            id: ObjectId::parse("201").unwrap(),
        },
        id: ExportId::parse("12").unwrap(),
    }
}

#[tokio::test]
async fn a_killed_encrypted_run_begins_its_payload_again_but_knows_its_tickets() {
    let (kit, identity) = encrypted(BagFormat::TarGz);
    let run = kit.open();
    run.put(download("data/x"), &archive(1, 400_000))
        .await
        .unwrap();
    let ticket = ticket();
    run.journal.record(Fact::Started { ticket }).await.unwrap();
    let kit = kit.killed();
    drop(run);
    let run = kit.open();
    assert!(run.resumed);
    assert!(run.resumed_receipts().is_empty());
    assert!(run.journal.checkpoint().open.contains(&ticket));
    let expected = fill(&run, 10).await;
    run.finish().await.unwrap();
    check(BagFormat::TarGz, &decrypted(&kit, &identity), expected);
}

#[tokio::test]
async fn an_encrypted_run_does_not_go_on_with_one_that_is_not() {
    let mut kit = Kit::new(BagFormat::Zip);
    drop(kit.open());
    kit.encryption = encrypted(BagFormat::Zip).0.encryption;
    assert!(matches!(
        kit.try_open(),
        Err(OpenError::OtherOrder {
            difference: "another encryption",
            ..
        })
    ));
}
