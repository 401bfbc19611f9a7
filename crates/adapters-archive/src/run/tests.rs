use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use bytes::Bytes;
use domain::model::{BagFormat, ExportId, ItemKind, ItemRef, ObjectId, Sha256, Ticket};
use domain::ports::{Fact, SinkError};

use super::{
    OpenError, OpenedRun, RunSettings, Target, UnfinishedPolicy, find_unfinished, lock_unfinished,
};
use super::{open_run, read_header, remove_unfinished};
use crate::Replace;
use crate::test_kit::{FORMATS, Kit, Run, archive, document, download, names};

fn ticket(id: i64) -> Ticket {
    Ticket {
        item: ItemRef {
            kind: ItemKind::Appliance,
            id: ObjectId::try_from(id).unwrap(),
        },
        id: ExportId::try_from(id).unwrap(),
    }
}

/// A run that is killed with: a document and an archive in the container, one beside it, one in flight in each place.
async fn killed_half_way(format: BagFormat) -> Kit {
    let kit = Kit::new(format);
    let run = kit.open();
    run.put(document("data/user.xml", b"<user/>"), b"<user/>")
        .await
        .unwrap();
    run.put(download("data/placed"), &archive(1, 50_000))
        .await
        .unwrap();
    // More than is gathered, so that it has reached the file.
    let flying = archive(3, 400_000);
    let _in_place = kit.hold(&run, download("data/in-place"), &flying).await;
    run.put(download("data/spooled"), &archive(2, 60_000))
        .await
        .unwrap();
    let mut beside = run.begin(download("data/beside")).await;
    beside.write(archive(4, 400_000).into()).await.unwrap();
    let ticket = ticket(7);
    run.journal.record(Fact::Started { ticket }).await.unwrap();
    kit.killed()
}

async fn finish_and_compare(kit: &Kit, run: Run, seeds: &[(&str, u64, usize)]) {
    run.finish().await.unwrap();
    let bag = kit.read_back();
    assert_eq!(bag["data/user.xml"], b"<user/>");
    for &(name, seed, length) in seeds {
        assert_eq!(bag[name], archive(seed, length), "{name}");
    }
    assert_eq!(bag.len(), seeds.len() + 2);
    assert_eq!(kit.names().len(), 1);
}

#[tokio::test]
async fn a_killed_run_is_resumed_with_what_was_safe_and_nothing_else() {
    for format in FORMATS {
        let kit = killed_half_way(format).await;
        let run = kit.open();
        assert!(run.resumed);
        assert_eq!(
            run.resumed_receipts(),
            ["data/user.xml", "data/placed", "data/spooled"]
        );
        assert!(run.journal.checkpoint().open.contains(&ticket(7)));
        assert!(matches!(
            run.sink.open_entry(download("data/spooled")).await,
            Err(SinkError::Duplicate { .. })
        ));
        run.put(download("data/in-place"), &archive(3, 400_000))
            .await
            .unwrap();
        let seeds = [
            ("data/placed", 1, 50_000),
            ("data/spooled", 2, 60_000),
            ("data/in-place", 3, 400_000),
        ];
        finish_and_compare(&kit, run, &seeds).await;
    }
}

#[tokio::test]
async fn a_run_killed_again_and_again_loses_nothing() {
    for format in FORMATS {
        let mut kit = killed_half_way(format).await;
        for round in 0..3 {
            let run = kit.open();
            assert_eq!(run.resumed_receipts().len(), 3 + round);
            let name = format!("data/round-{round}");
            run.put(download(&name), &archive(round as u64, 10_000))
                .await
                .unwrap();
            kit = kit.killed();
        }
        let seeds = [
            ("data/placed", 1, 50_000),
            ("data/spooled", 2, 60_000),
            ("data/round-0", 0, 10_000),
            ("data/round-1", 1, 10_000),
            ("data/round-2", 2, 10_000),
        ];
        let run = kit.open();
        finish_and_compare(&kit, run, &seeds).await;
    }
}

/// The instant between a flush of the container and the journal's line, or within either.
#[tokio::test]
async fn wherever_the_journal_was_cut_the_run_is_resumed_with_the_entries_before() {
    let kit = killed_half_way(BagFormat::TarGz).await;
    let journal = fs::read(kit.work().join("journal")).unwrap();
    let all = ["data/user.xml", "data/placed", "data/spooled"];
    let mut most = 0;
    // The first line was flushed before there was a bag.
    let first = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for length in (first..=journal.len()).step_by(41) {
        let cut = kit.killed();
        fs::write(cut.work().join("journal"), &journal[..length]).unwrap();
        let run = cut.open();
        let recovered = run.resumed_receipts();
        assert!(recovered.len() >= most && recovered == all[..recovered.len()]);
        most = recovered.len();
        for (name, seed, size) in [("data/placed", 1, 50_000), ("data/spooled", 2, 60_000)] {
            if !recovered.iter().any(|path| path == name) {
                run.put(download(name), &archive(seed, size)).await.unwrap();
            }
        }
        if recovered.is_empty() {
            run.put(document("data/user.xml", b"<user/>"), b"<user/>")
                .await
                .unwrap();
        }
        let seeds = [("data/placed", 1, 50_000), ("data/spooled", 2, 60_000)];
        finish_and_compare(&cut, run, &seeds).await;
    }
    assert_eq!(most, 3);
}

#[tokio::test]
async fn a_container_shorter_than_its_journal_says_is_refused() {
    let kit = killed_half_way(BagFormat::Zip).await;
    let bag = fs::OpenOptions::new()
        .write(true)
        .open(kit.work().join("bag"))
        .unwrap();
    bag.set_len(1000).unwrap();
    assert!(matches!(kit.try_open(), Err(OpenError::BagDamaged { .. })));
}

#[tokio::test]
async fn an_archive_that_waited_and_was_damaged_is_fetched_again() {
    let kit = killed_half_way(BagFormat::Zip).await;
    let spool_file = kit.work().join("spool-0");
    let mut bytes = fs::read(&spool_file).unwrap();
    bytes[30_000] ^= 1;
    fs::write(&spool_file, bytes).unwrap();
    let run = kit.open();
    assert_eq!(run.resumed_receipts(), ["data/user.xml", "data/placed"]);
    assert_eq!(names(&kit.work()), ["bag", "journal"]);
    run.put(download("data/spooled"), &archive(2, 60_000))
        .await
        .unwrap();
    let again = kit.killed().open();
    assert_eq!(again.resumed_receipts().len(), 3);
    let seeds = [("data/placed", 1, 50_000), ("data/spooled", 2, 60_000)];
    finish_and_compare(&kit, run, &seeds).await;
}

#[tokio::test]
async fn a_damaged_journal_is_refused_until_the_run_begins_anew() {
    let kit = killed_half_way(BagFormat::Zip).await;
    let path = kit.work().join("journal");
    let mut journal = fs::read(&path).unwrap();
    journal[100] ^= 1;
    fs::write(&path, journal).unwrap();
    let error = kit.try_open().err().unwrap();
    assert!(matches!(error, OpenError::JournalDamaged { line: 1, .. }));
    assert!(error.hint().unwrap().contains("--restart"));
    let OpenedRun::Ready(run) = open_run(RunSettings {
        unfinished: UnfinishedPolicy::Discard,
        ..kit.settings()
    })
    .unwrap() else {
        panic!("nothing was complete")
    };
    assert!(!run.resumed && run.sink.resumed_receipts().is_empty());
    assert_eq!(names(&kit.work()), ["bag", "journal"]);
}

/// It was taken for a run that had not begun: the bag was thrown away without a word, and the tickets stayed on the server.
#[tokio::test]
async fn a_journal_that_was_emptied_beside_a_bag_is_damage() {
    let kit = killed_half_way(BagFormat::Tar).await;
    let journal = kit.work().join("journal");
    for length in [40, 0] {
        let file = fs::OpenOptions::new().write(true).open(&journal).unwrap();
        file.set_len(length).unwrap();
        let error = kit.try_open().err().unwrap();
        assert!(matches!(error, OpenError::JournalDamaged { line: 1, .. }));
    }
}

#[tokio::test]
async fn another_order_does_not_go_on_with_it() {
    let kit = killed_half_way(BagFormat::Zip).await;
    let mut other = kit.settings();
    other.fingerprint = Sha256::of(b"other");
    let error = open_run(other).err().unwrap();
    assert!(matches!(error, OpenError::OtherOrder { .. }), "{error}");
    let mut other = kit.settings();
    other.user = domain::model::UserId::parse("mary").unwrap();
    let error = open_run(other).err().unwrap();
    assert!(error.to_string().contains("another user"), "{error}");
    // It is all still there for the right one.
    assert_eq!(kit.open().resumed_receipts().len(), 3);
}

#[tokio::test]
async fn a_second_run_for_the_same_bag_is_refused() {
    let kit = Kit::new(BagFormat::Zip);
    let run = kit.open();
    let second = open_run(kit.settings());
    assert!(matches!(second, Err(OpenError::Locked { .. })));
    assert!(matches!(
        remove_unfinished(&kit.target()),
        Err(OpenError::Locked { .. })
    ));
    run.finish().await.unwrap();
    assert_eq!(kit.names().len(), 1);
}

/// The journal says `complete`, the name is missing: what stands in its way is a file of that name.
async fn killed_before_the_rename(format: BagFormat) -> Kit {
    let kit = Kit::new(format);
    let run = kit.open();
    run.put(document("data/user.xml", b"<user/>"), b"<user/>")
        .await
        .unwrap();
    let ticket = ticket(7);
    run.journal.record(Fact::Started { ticket }).await.unwrap();
    fs::write(kit.target(), "in the way").unwrap();
    assert!(run.finish().await.is_err());
    fs::remove_file(kit.target()).unwrap();
    kit
}

fn check_complete(kit: &Kit) {
    let Ok(OpenedRun::AlreadyComplete { bag, run_files }) = kit.try_open() else {
        panic!("not complete")
    };
    assert_eq!(bag.path, Some(kit.target()));
    assert_eq!(bag.bytes, fs::metadata(kit.target()).unwrap().len());
    assert!(run_files.journal().checkpoint().open.contains(&ticket(7)));
    assert_eq!(kit.read_back()["data/user.xml"], b"<user/>");
    run_files.remove();
    assert_eq!(kit.names().len(), 1);
}

/// Killed between the bag's name and the word of it, the same command was refused because of its own bag, and the tickets that
/// wait for the end of a bag (all those of an encrypted one) were forgotten with the journal.
#[tokio::test]
async fn a_bag_that_was_not_reported_is_reported_by_the_next_run_with_the_tickets_that_are_left() {
    for format in FORMATS {
        let kit = Kit::new(format);
        let run = kit.open();
        let user = document("data/user.xml", b"<user/>");
        run.put(user, b"<user/>").await.unwrap();
        let ticket = ticket(7);
        run.journal.record(Fact::Started { ticket }).await.unwrap();
        drop(run.finish_unreported().await.unwrap());
        assert!(lock_unfinished(&kit.target()).unwrap().unwrap().complete);
        check_complete(&kit);
    }
}

#[tokio::test]
async fn a_bag_that_was_complete_before_the_kill_is_only_given_its_name() {
    for format in FORMATS {
        check_complete(&killed_before_the_rename(format).await);
    }
}

#[tokio::test]
async fn a_bag_that_had_its_name_before_the_kill_is_only_cleaned_up_after() {
    for format in FORMATS {
        let kit = killed_before_the_rename(format).await;
        fs::rename(kit.work().join("bag"), kit.target()).unwrap();
        check_complete(&kit);
        // Where the system cannot rename without replacing, there are two names for a moment.
        let kit = killed_before_the_rename(format).await;
        fs::hard_link(kit.work().join("bag"), kit.target()).unwrap();
        check_complete(&kit);
    }
}

#[tokio::test]
async fn a_complete_bag_that_is_gone_is_an_error() {
    let kit = killed_before_the_rename(BagFormat::Zip).await;
    fs::remove_file(kit.work().join("bag")).unwrap();
    assert!(matches!(kit.try_open(), Err(OpenError::BagDamaged { .. })));
}

#[tokio::test]
async fn an_existing_file_is_replaced_only_when_asked_and_only_at_the_end() {
    let kit = Kit::new(BagFormat::Tar);
    fs::write(kit.target(), "old").unwrap();
    assert!(matches!(kit.try_open(), Err(OpenError::Exists { .. })));
    assert_eq!(kit.names().len(), 1);
    let OpenedRun::Ready(run) = open_run(RunSettings {
        target: Target::File {
            path: kit.target(),
            replace: Replace::Force,
        },
        ..kit.settings()
    })
    .unwrap() else {
        panic!("nothing was complete")
    };
    assert_eq!(fs::read(kit.target()).unwrap(), b"old");
    Run::from(run).finish().await.unwrap();
    assert_eq!(kit.read_back().len(), 1);
    assert_eq!(kit.names().len(), 1);
}

/// Another run may publish between looking and locking: what this one made is taken away again.
#[test]
fn looking_at_a_name_that_is_taken_leaves_nothing_behind() {
    let kit = Kit::new(BagFormat::Tar);
    fs::write(kit.target(), "old").unwrap();
    fs::create_dir(kit.work()).unwrap();
    assert!(matches!(kit.try_open(), Err(OpenError::Exists { .. })));
    assert_eq!(kit.names().len(), 1);
}

#[test]
fn a_place_where_no_bag_can_be_is_named_before_anything_is_written() {
    let kit = Kit::new(BagFormat::Zip);
    let open = |path| {
        let target = Target::File {
            path,
            replace: Replace::Refuse,
        };
        open_run(RunSettings {
            target,
            ..kit.settings()
        })
        .err()
        .unwrap()
    };
    let missing = open(kit.folder.path().join("missing/x.zip"));
    assert!(matches!(missing, OpenError::NoFolder { .. }));
    let folder = open(kit.folder.path().to_path_buf());
    assert!(matches!(folder, OpenError::IsFolder { .. }));
    assert!(kit.names().is_empty());
}

/// A folder in place of the bag was reported as a damaged journal, to be begun anew.
#[test]
fn a_folder_where_a_file_of_the_run_is_to_be_has_a_hint() {
    for name in ["bag", "journal"] {
        let kit = Kit::new(BagFormat::Zip);
        fs::create_dir_all(kit.work().join(name)).unwrap();
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(kit.work(), mode).unwrap();
        let error = kit.try_open().err().unwrap();
        let is_said = error
            .hint()
            .is_some_and(|hint| hint.contains("a folder is where"));
        assert!(is_said, "{name}: {error:?}");
    }
}

#[tokio::test]
async fn unfinished_runs_are_found_read_and_removed() {
    let kit = killed_half_way(BagFormat::Zip).await;
    fs::create_dir(kit.folder.path().join(".other.uforge-run")).unwrap();
    let found = find_unfinished(kit.folder.path()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, kit.target());
    assert_eq!(found[0].header.user.as_str(), "john");
    assert_eq!(
        read_header(&kit.target()).unwrap().as_ref(),
        Some(&found[0].header)
    );
    let unfinished = lock_unfinished(&kit.target()).unwrap().unwrap();
    assert!(unfinished.journal.checkpoint().open.contains(&ticket(7)));
    let ticket = ticket(7);
    unfinished
        .journal
        .record(Fact::Gone { ticket })
        .await
        .unwrap();
    unfinished.remove().unwrap();
    assert_eq!(kit.names(), [".other.uforge-run"]);
    assert!(lock_unfinished(&kit.target()).unwrap().is_none());
    remove_unfinished(&kit.target()).unwrap();
}

#[tokio::test]
async fn an_unfinished_run_with_a_damaged_journal_can_be_removed() {
    let kit = killed_half_way(BagFormat::Zip).await;
    let path = kit.work().join("journal");
    let mut journal = fs::read(&path).unwrap();
    let length = journal.len();
    journal[length / 2] ^= 1;
    fs::write(&path, &journal).unwrap();
    let unfinished = lock_unfinished(&kit.target()).unwrap().unwrap();
    assert!(unfinished.header.is_some());
    let ticket = ticket(7);
    unfinished
        .journal
        .record(Fact::Gone { ticket })
        .await
        .unwrap();
    assert_eq!(fs::read(&path).unwrap(), journal);
    unfinished.remove().unwrap();
    assert!(kit.names().is_empty());
}

/// A run that is dropped, as an interrupt does it, rather than killed.
#[tokio::test]
async fn a_dropped_run_is_resumed_where_it_stopped() {
    for format in FORMATS {
        let kit = Kit::new(format);
        let run = kit.open();
        run.put(download("data/placed"), &archive(1, 50_000))
            .await
            .unwrap();
        let mut open = run.begin(download("data/x")).await;
        open.write(Bytes::from(archive(3, 400_000))).await.unwrap();
        run.put(download("data/spooled"), &archive(2, 60_000))
            .await
            .unwrap();
        drop((open, run));
        let run = kit.open();
        assert_eq!(run.resumed_receipts(), ["data/placed", "data/spooled"]);
        run.finish().await.unwrap();
        assert_eq!(kit.read_back().len(), 3);
    }
}

#[test]
fn a_journal_of_one_byte_is_a_run_that_never_began() {
    let kit = Kit::new(BagFormat::Zip);
    fs::create_dir(kit.work()).unwrap();
    let mut journal = fs::File::create(kit.work().join("journal")).unwrap();
    journal.write_all(b"4").unwrap();
    drop(journal);
    assert!(find_unfinished(kit.folder.path()).unwrap().is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let run = runtime.block_on(async { kit.open() });
    assert!(!run.resumed);
}
