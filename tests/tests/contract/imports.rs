//! What imports need: the platform's imports, the archives of a bag in every container, and the state file.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adapters_archive::{BagArchives, ImportFile, ImportFileError, ImportHeader, Unlock};
use age::secrecy::ExposeSecret as _;
use domain::bag::verify::RecordedExport;
use domain::model::{ImportId, ImportTicket, ItemKind, ItemRef, ObjectId, Sha256, UserId};
use domain::ports::{
    BagReader as _, Clock as _, ImportApi, ImportFact, ImportJournal as _, MemoryImportJournal,
};
use domain::testing::{FakeImports, MemoryBag, SimClock};
use sandbox::{InProcess, Platform, Scenario};
use tests::contract::bag_reader::{self, Holds};
use tests::contract::{import_api, import_journal};
use tests::kit;

fn scenario() -> Scenario {
    let mut scenario = Scenario::default();
    scenario.timing.import_millis = 40;
    scenario
}

fn gzipped(tar: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(tar).expect("it is packed");
    encoder.finish().expect("it is packed")
}

/// As the platform makes them.
fn archive(kind: ItemKind, name: &str) -> Vec<u8> {
    let (file, text) = match kind {
        ItemKind::Appliance => (
            "template.yml",
            format!("stack: {{name: {name}, version: '1'}}\n"),
        ),
        ItemKind::MySoftware => ("bundle.yml", format!("{{name: {name}, version: '1'}}\n")),
    };
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    tar.append_data(&mut header, file, text.as_bytes())
        .expect("it is appended");
    gzipped(&tar.into_inner().expect("a tar file"))
}

async fn every_promise(api: &dyn ImportApi) {
    import_api::every_promise(api, &archive, &|| {
        Box::pin(tokio::time::sleep(Duration::from_millis(5)))
    })
    .await;
}

#[tokio::test]
async fn the_http_adapter_imports_as_promised() {
    let platform = kit::start(scenario()).await;
    every_promise(&kit::api_for(&platform)).await;
}

#[tokio::test]
async fn the_platform_in_process_imports_as_promised() {
    every_promise(&InProcess::new(Platform::new(scenario()))).await;
}

#[test]
fn the_fake_platform_imports_as_promised() {
    let clock = SimClock::default();
    let fake = FakeImports::new(&clock);
    let archive = |_: ItemKind, name: &str| format!("{name} 1 and the rest of it").into_bytes();
    let pause = || {
        let clock = clock.clone();
        Box::pin(async move { clock.sleep(Duration::from_secs(1)).await }) as _
    };
    clock.run(import_api::every_promise(&fake, &archive, &pause));
}

const TOP: &str = "uforge-john";

/// A bag with archives of all sizes, of which some are not what the manifest says.
fn files() -> (Vec<(String, Vec<u8>)>, Holds) {
    let (mut files, mut holds) = (Vec::new(), Holds::default());
    let mut manifest = String::new();
    let mut list = |path: &str, content: &[u8]| {
        let line = format!("{}  {path}\n", Sha256::of(content));
        manifest += line.as_str();
    };
    for (place, bytes) in [0_usize, 1, 700, 70_000, 300_000].into_iter().enumerate() {
        let section = if place < 3 {
            "appliances"
        } else {
            "mysoftware"
        };
        let path = format!("data/{section}/{}-x/archive.tar.gz", place + 1);
        let mut noise = u32::try_from(place).expect("few");
        let content: Vec<u8> = (0..=bytes)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                noise.to_be_bytes()[0]
            })
            .collect();
        list(&path, &content);
        holds.sound.insert(path.clone(), content.clone());
        files.push((path, content));
    }
    let changed = "data/appliances/8-x/archive.tar.gz";
    list(changed, b"what it was");
    files.push((changed.to_owned(), b"what it is".to_vec()));
    let unlisted = "data/appliances/9-x/archive.tar.gz";
    files.push((unlisted.to_owned(), b"a stranger".to_vec()));
    let missing = "data/appliances/10-x/archive.tar.gz";
    list(missing, b"it is gone");
    let outside = "archive.tar.gz";
    list(outside, b"outside");
    files.push((outside.to_owned(), b"outside".to_vec()));
    for path in [changed, unlisted, missing, outside, "../archive.tar.gz", ""] {
        holds.damaged.insert(path.to_owned());
    }
    files.push(("bagit.txt".to_owned(), b"BagIt-Version: 1.0\n".to_vec()));
    files.push(("manifest-sha256.txt".to_owned(), manifest.into_bytes()));
    let export_json = br#"{"format": "uforge-export/1", "items": []}"#;
    files.push(("export.json".to_owned(), export_json.to_vec()));
    (files, holds)
}

fn zip_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (place, (path, content)) in files.iter().enumerate() {
        // By turns as they are, and packed.
        let method = match place % 2 {
            0 => zip::CompressionMethod::Stored,
            _ => zip::CompressionMethod::Deflated,
        };
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        zip.start_file(format!("{TOP}/{path}"), options)
            .expect("an entry");
        zip.write_all(content).expect("its bytes");
    }
    zip.finish().expect("a zip file").into_inner()
}

fn tar_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        tar.append_data(&mut header, format!("{TOP}/{path}"), content.as_slice())
            .expect("an entry");
    }
    tar.into_inner().expect("a tar file")
}

/// The bag in every container, each also encrypted.
fn bags(folder: &Path, files: &[(String, Vec<u8>)]) -> Vec<(PathBuf, Option<PathBuf>)> {
    let identity = age::x25519::Identity::generate();
    let key = folder.join("identity");
    fs::write(&key, identity.to_string().expose_secret()).expect("a file");
    let plain = [
        ("bag.zip", zip_of(files)),
        ("bag.tar", tar_of(files)),
        ("bag.tar.gz", gzipped(&tar_of(files))),
    ];
    let mut bags = Vec::new();
    for (name, bytes) in plain {
        let path = folder.join(name);
        fs::write(&path, &bytes).expect("a bag");
        bags.push((path, None));
        let recipient = identity.to_public();
        let recipient: &dyn age::Recipient = &recipient;
        let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient));
        let mut encrypted = encryptor
            .expect("a recipient")
            .wrap_output(Vec::new())
            .expect("a header");
        encrypted.write_all(&bytes).expect("its bytes");
        let path = folder.join(format!("{name}.age"));
        fs::write(&path, encrypted.finish().expect("an end")).expect("a bag");
        bags.push((path, Some(key.clone())));
    }
    let unpacked = folder.join(TOP);
    for (path, content) in files {
        let path = unpacked.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    bags.push((unpacked, None));
    bags
}

#[tokio::test]
async fn archives_of_a_bag_are_read_as_promised_out_of_every_container() {
    let folder = tempfile::tempdir().expect("a folder");
    let (files, holds) = files();
    for (path, key) in bags(folder.path(), &files) {
        let unlock = key.map(|key| Unlock::IdentityFiles(vec![key]));
        let bag = BagArchives::open(&path, unlock).expect("a bag");
        bag_reader::every_promise(&bag, &holds).await;
    }
}

#[tokio::test]
async fn what_is_neither_packed_nor_encrypted_is_found_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (files, holds) = files();
    for (path, key) in bags(folder.path(), &files) {
        let unlock = key.map(|key| Unlock::IdentityFiles(vec![key]));
        let bag = BagArchives::open(&path, unlock).expect("a bag");
        let asked = holds.sound.keys().cloned().collect();
        let located = bag.locate(&asked).await.expect("an answer");
        let mut found = 0;
        for archive in located.into_values() {
            let archive = archive.expect("it is there");
            found += usize::from(bag.stored(&archive).await.is_some());
        }
        let expected = match path.file_name().and_then(|name| name.to_str()) {
            Some("bag.zip") => 3,
            Some("bag.tar") => 5,
            _ => 0,
        };
        assert_eq!(found, expected, "{}", path.display());
    }
}

#[tokio::test]
async fn a_link_in_a_bag_is_no_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let (files, mut holds) = files();
    let unpacked = folder.path().join(TOP);
    bags(folder.path(), &files);
    let (linked, _) = holds.sound.pop_last().expect("an archive");
    let original = folder.path().join("elsewhere");
    fs::rename(unpacked.join(&linked), &original).expect("it is moved");
    std::os::unix::fs::symlink(&original, unpacked.join(&linked)).expect("a link");
    holds.damaged.insert(linked);
    let bag = BagArchives::open(&unpacked, None).expect("a bag");
    bag_reader::every_promise(&bag, &holds).await;
}

#[tokio::test]
async fn a_bag_in_memory_is_read_as_promised() {
    let recorded = RecordedExport::read(&br#"{"format": "uforge-export/1"}"#[..]);
    let mut bag = MemoryBag::new(recorded.expect("export.json"));
    let (_, holds) = files();
    for (path, content) in &holds.sound {
        bag.insert(path, content);
    }
    bag_reader::every_promise(&bag, &holds).await;
}

fn header(user: &str) -> ImportHeader {
    ImportHeader {
        fingerprint: Sha256::of(user.as_bytes()),
        user: UserId::parse(user).expect("a login"),
        source: "https://uforge.example.com/api".to_owned(),
    }
}

#[tokio::test]
async fn the_state_file_keeps_what_is_recorded_of_an_import() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state");
    let file = ImportFile::open(&path, &header("john")).expect("a file");
    import_journal::a_new_import_has_nothing_recorded(&file);
    import_journal::record_some_import_facts(&file).await;
    import_journal::the_import_s_checkpoint_holds_what_was_recorded(&file);
    let mode = fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let second = ImportFile::open(&path, &header("john"));
    assert!(
        matches!(second, Err(ImportFileError::Locked { .. })),
        "{second:?}"
    );
    drop(file);
    let other = ImportFile::open(&path, &header("jane"));
    assert!(
        matches!(other, Err(ImportFileError::OtherOrder { .. })),
        "{other:?}"
    );
    // A write that was cut short by a kill.
    let bytes = fs::read(&path).expect("its bytes");
    fs::write(&path, [bytes.as_slice(), b"0123abcd 99 "].concat()).expect("written");
    let again = ImportFile::open(&path, &header("john")).expect("the same order");
    import_journal::the_import_s_checkpoint_holds_what_was_recorded(&again);
    again.remove().expect("it is removed");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
    fs::write(&path, "a diary").expect("written");
    let foreign = ImportFile::open(&path, &header("john"));
    assert!(
        matches!(foreign, Err(ImportFileError::Damaged { .. })),
        "{foreign:?}"
    );
    assert!(fs::read(&path).expect("its bytes").starts_with(b"a diary"));
}

#[tokio::test]
async fn the_state_of_an_import_that_has_ended_blocks_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state");
    let item = |kind, id| ItemRef {
        kind,
        id: ObjectId::parse(id).expect("an id"),
    };
    let ticket = |kind, id| ImportTicket {
        kind,
        id: ImportId::parse(id).expect("an id"),
    };
    let (software, appliance) = (ItemKind::MySoftware, ItemKind::Appliance);
    let file = ImportFile::open(&path, &header("john")).expect("a file");
    let of_software = [
        ImportFact::Intent {
            item: item(software, "1"),
            at: None,
        },
        ImportFact::Opened {
            item: item(software, "1"),
            ticket: ticket(software, "5"),
        },
        ImportFact::Imported {
            item: item(software, "1"),
            object: None,
        },
        ImportFact::Opened {
            item: item(appliance, "2"),
            ticket: ticket(appliance, "6"),
        },
    ];
    for fact in of_software {
        file.record(fact).await.expect("it is recorded");
    }
    drop(file);
    let other = ImportFile::open(&path, &header("jane"));
    assert!(
        matches!(other, Err(ImportFileError::OtherOrder { .. })),
        "a ticket is on the platform: {other:?}"
    );
    let file = ImportFile::open(&path, &header("john")).expect("the same order");
    let gone = ImportFact::Gone {
        ticket: ticket(appliance, "6"),
    };
    file.record(gone).await.expect("it is recorded");
    drop(file);
    let other = ImportFile::open(&path, &header("jane")).expect("nothing is under way");
    import_journal::a_new_import_has_nothing_recorded(&other);
    drop(other);
    let again = ImportFile::open(&path, &header("jane")).expect("hers");
    import_journal::a_new_import_has_nothing_recorded(&again);
}

#[tokio::test]
async fn the_record_of_an_import_in_memory_keeps_its_promises() {
    let memory = MemoryImportJournal::default();
    import_journal::a_new_import_has_nothing_recorded(&memory);
    import_journal::record_some_import_facts(&memory).await;
    import_journal::the_import_s_checkpoint_holds_what_was_recorded(&memory);
}
