//! What others may have put in a run's way, and what a file system may lack.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use domain::model::BagFormat;
use domain::ports::SinkError;

use super::*;
use crate::publish::Replace;
use crate::spool::{Access, Naming, WorkFolder};
use crate::test_kit::{Kit, Run, document};

const WAYS: [Naming; 4] = [
    Naming::Rename,
    Naming::Link,
    Naming::Placeholder,
    Naming::RemovedPlaceholder,
];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn check_refused<T>(opened: Result<T, OpenError>, word: &str) {
    let error = opened.err().unwrap();
    assert!(matches!(error, OpenError::Distrusted { .. }), "{error:?}");
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains(word), "{why}");
    assert!(error.hint().is_some());
}

#[test]
fn a_link_in_place_of_the_work_folder_is_refused_and_what_it_leads_to_is_left_alone() {
    let kit = Kit::new(BagFormat::Zip);
    let elsewhere = tempfile::tempdir().unwrap();
    set_mode(elsewhere.path(), 0o755);
    fs::write(elsewhere.path().join("journal"), "dear to somebody").unwrap();
    symlink(elsewhere.path(), kit.work()).unwrap();
    check_refused(kit.try_open(), "symbolic link");
    check_refused(lock_unfinished(&kit.target()), "symbolic link");
    check_refused(remove_unfinished(&kit.target()), "symbolic link");
    assert!(find_unfinished(kit.folder.path()).unwrap().is_empty());
    let restarted = open_run(RunSettings {
        unfinished: UnfinishedPolicy::Discard,
        ..kit.settings()
    });
    check_refused(restarted, "symbolic link");
    assert_eq!(mode(elsewhere.path()), 0o755);
    let journal = fs::read(elsewhere.path().join("journal")).unwrap();
    assert_eq!(journal, b"dear to somebody");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
}

#[test]
fn a_work_folder_that_others_can_write_to_is_refused() {
    for open in [0o777, 0o770, 0o1777, 0o702] {
        let kit = Kit::new(BagFormat::Tar);
        fs::create_dir(kit.work()).unwrap();
        set_mode(&kit.work(), open);
        check_refused(kit.try_open(), "can be written to");
        assert_eq!(mode(&kit.work()), open);
        // Nothing of having looked stays.
        assert_eq!(kit.names().len(), 1);
    }
}

#[test]
fn a_file_in_place_of_the_work_folder_is_refused() {
    let kit = Kit::new(BagFormat::Tar);
    fs::write(kit.work(), "x").unwrap();
    check_refused(kit.try_open(), "not a folder");
    check_refused(lock_unfinished(&kit.target()), "not a folder");
}

#[tokio::test]
async fn what_is_no_file_of_this_user_inside_a_work_folder_is_not_written_through() {
    for name in ["journal", "bag", "spool-0"] {
        let kit = Kit::new(BagFormat::Zip);
        let run = kit.open();
        run.put(document("data/user.xml", b"<user/>"), b"<user/>")
            .await
            .unwrap();
        drop(run);
        let dear = kit.folder.path().join("dear");
        fs::write(&dear, "dear to somebody").unwrap();
        let inside = kit.work().join(name);
        let _ = fs::remove_file(&inside);
        symlink(&dear, &inside).unwrap();
        match name {
            // What waited and cannot be opened is removed and fetched again.
            "spool-0" => drop(kit.open()),
            _ => check_refused(kit.try_open(), "symbolic link"),
        }
        fs::remove_file(&inside).ok();
        fs::hard_link(&dear, &inside).unwrap();
        match name {
            "spool-0" => drop(kit.open()),
            _ => check_refused(kit.try_open(), "hard link"),
        }
        assert_eq!(fs::read(&dear).unwrap(), b"dear to somebody", "{name}");
    }
}

#[test]
fn a_pipe_in_a_work_folder_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let work = WorkFolder::beside(folder.path(), "x.zip");
    work.create().unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(work.journal())
        .status();
    assert!(made.unwrap().success());
    for access in [Access::Read, Access::Write, Access::Create] {
        assert!(work.open_file(&work.journal(), access).is_err());
    }
}

#[test]
fn only_a_regular_file_is_replaced() {
    for what in ["a symbolic link", "a pipe"] {
        let kit = Kit::new(BagFormat::Zip);
        let dear = kit.folder.path().join("dear");
        fs::write(&dear, "x").unwrap();
        if what == "a pipe" {
            let made = std::process::Command::new("mkfifo")
                .arg(kit.target())
                .status();
            assert!(made.unwrap().success());
        } else {
            symlink(&dear, kit.target()).unwrap();
        }
        for replace in [Replace::Force, Replace::Refuse] {
            let refused = open_run(RunSettings {
                target: Target::File {
                    path: kit.target(),
                    replace,
                },
                ..kit.settings()
            });
            let error = refused.err().unwrap();
            assert!(matches!(error, OpenError::NotAFile { kind, .. } if kind == what));
        }
        assert_eq!(kit.names().len(), 2);
    }
}

/// A run whose bag is complete and could not have its name, because a file was in the way.
async fn nameless(naming: Naming) -> (Kit, crate::publish::FilePublication) {
    let kit = Kit::new(BagFormat::Zip);
    let run: Run = kit.open();
    run.put(document("data/user.xml", b"<user/>"), b"<user/>")
        .await
        .unwrap();
    fs::write(kit.target(), "in the way").unwrap();
    assert!(run.finish().await.is_err());
    let publication = crate::publish::FilePublication {
        work: WorkFolder::beside(kit.folder.path(), "my-bag.zip"),
        target: kit.target(),
        replace: Replace::Refuse,
        naming,
    };
    (kit, publication)
}

#[tokio::test]
async fn in_every_way_a_bag_gets_a_free_name_and_never_one_that_is_taken() {
    for naming in WAYS {
        let (kit, mut publication) = nameless(naming).await;
        for _ in 0..2 {
            let refused = publication.rename();
            assert!(
                matches!(refused, Err(SinkError::Exists { .. })),
                "{naming:?}"
            );
            assert_eq!(fs::read(kit.target()).unwrap(), b"in the way");
        }
        publication.replace = Replace::Force;
        publication.rename().unwrap();
        assert_eq!(kit.read_back().len(), 2, "{naming:?}");
        publication.clean_up(());
        assert_eq!(kit.names(), ["my-bag.zip"], "{naming:?}");
        let (kit, publication) = nameless(naming).await;
        fs::remove_file(kit.target()).unwrap();
        publication.rename().unwrap();
        assert_eq!(kit.read_back().len(), 2);
        publication.clean_up(());
        assert_eq!(kit.names(), ["my-bag.zip"], "{naming:?}");
    }
}

/// `--force` on a file system that renames to free names only: the old file is moved away first, and a kill may come then.
#[tokio::test]
async fn discarding_a_run_gives_a_file_back_that_was_to_be_replaced() {
    for placeholder in [false, true] {
        let (kit, publication) = nameless(Naming::RemovedPlaceholder).await;
        fs::rename(kit.target(), publication.work.replaced()).unwrap();
        if placeholder {
            fs::write(publication.work.placeholder_mark(), "").unwrap();
            fs::write(kit.target(), "").unwrap();
        }
        publication.work.remove().unwrap();
        assert_eq!(fs::read(kit.target()).unwrap(), b"in the way");
        assert_eq!(kit.names(), ["my-bag.zip"]);
    }
    let (kit, mut publication) = nameless(Naming::RemovedPlaceholder).await;
    fs::rename(kit.target(), publication.work.replaced()).unwrap();
    publication.replace = Replace::Force;
    publication.rename().unwrap();
    publication.clean_up(());
    assert_eq!(kit.read_back().len(), 2, "the new bag has the name");
    assert_eq!(kit.names(), ["my-bag.zip"]);
}

#[tokio::test]
async fn a_run_that_was_killed_with_its_name_taken_is_resumed() {
    for naming in [Naming::Placeholder, Naming::RemovedPlaceholder] {
        let (kit, publication) = nameless(naming).await;
        fs::write(kit.target(), "").unwrap();
        // Without the mark an empty file is somebody else's.
        assert!(matches!(
            publication.rename(),
            Err(SinkError::Exists { .. })
        ));
        fs::write(publication.work.placeholder_mark(), "").unwrap();
        publication.rename().unwrap();
        assert_eq!(kit.read_back().len(), 2);
    }
}

/// Where it is found out at the start, the next run knows the mark whatever way it has.
#[tokio::test]
async fn the_next_run_uses_the_name_that_was_taken() {
    let (kit, publication) = nameless(Naming::Placeholder).await;
    fs::write(kit.target(), "").unwrap();
    fs::write(publication.work.placeholder_mark(), "").unwrap();
    let Ok(OpenedRun::AlreadyComplete { run_files, .. }) = kit.try_open() else {
        panic!("not complete")
    };
    run_files.remove();
    assert_eq!(kit.read_back().len(), 2);
    assert_eq!(kit.names(), ["my-bag.zip"]);
}
