//! The archive adapter: every container, plain and encrypted, as a file and on standard output.

use std::path::Path;
use std::process::{Command, Stdio};

use adapters_archive::{Encryption, OpenRun, Recipient, RunSettings, Target};
use domain::model::BagFormat;
use tests::contract::archive_sink::{self, Opened, Place, Resumes};
use tests::contract::{copied, journal, known_length, tag_files};
use tests::kit;

const FORMATS: [BagFormat; 3] = [BagFormat::Zip, BagFormat::Tar, BagFormat::TarGz];

/// Nobody in particular: what is encrypted here is not read again.
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn encryption() -> Encryption {
    Encryption::Recipients(vec![Recipient::parse(RECIPIENT).expect("a recipient")])
}

fn settings(folder: &Path, format: BagFormat, encrypted: bool) -> RunSettings {
    RunSettings {
        encryption: encrypted.then(encryption),
        ..kit::settings(folder, format)
    }
}

fn opened(run: OpenRun) -> Opened {
    Opened {
        sink: run.sink,
        rest: Box::new((run.journal, run.run_files)),
    }
}

fn target_of(settings: &RunSettings) -> Option<std::path::PathBuf> {
    match &settings.target {
        Target::File { path, .. } => Some(path.clone()),
        Target::Stdout => None,
    }
}

/// Runs a promise in a place of its own.
macro_rules! in_a_place {
    ($settings:expr, |$place:ident| $promise:expr) => {{
        let folder = tempfile::tempdir().expect("a folder");
        let settings: RunSettings = $settings(folder.path());
        let target = target_of(&settings);
        let $place = Place {
            open: &|| opened(kit::open(settings.clone())),
            space: Some(match &target {
                Some(_) => folder.path().to_owned(),
                None => std::env::temp_dir(),
            }),
            target,
        };
        $promise
    }};
}

async fn every_promise(settings: impl Fn(&Path) -> RunSettings, resumes: Resumes) {
    use archive_sink as suite;
    macro_rules! with_a_sink {
        ($($promise:ident),+) => {
            $(in_a_place!(settings, |place| suite::$promise((place.open)().sink.as_ref()).await);)+
        };
    }
    with_a_sink!(
        a_receipt_says_what_was_written,
        open_entries_never_mix,
        what_was_taken_back_may_be_opened_again,
        a_damaged_archive_is_refused,
        a_published_sum_is_checked,
        a_name_is_taken_only_once,
        a_new_bag_has_nothing_to_resume
    );
    in_a_place!(settings, |place| {
        suite::free_space_is_counted_where_the_bag_grows(&place);
    });
    in_a_place!(settings, |place| {
        suite::a_bag_has_its_name_only_when_it_is_finished(&place).await;
    });
    in_a_place!(settings, |place| {
        suite::an_interrupted_run_leaves_no_bag(&place).await;
    });
    in_a_place!(settings, |place| {
        tag_files::documents_and_pictures_are_read_back(&place, resumes).await;
    });
    in_a_place!(settings, |place| {
        suite::closed_entries_survive_a_restart(&place, resumes).await;
    });
    in_a_place!(settings, |place| {
        suite::an_interrupted_entry_is_resumed(&place, resumes).await;
    });
    in_a_place!(settings, |place| {
        copied::bytes_of_a_file_arrive_like_others((place.open)().sink.as_ref()).await;
    });
    in_a_place!(settings, |place| {
        known_length::open_entries_of_known_length_never_mix((place.open)().sink.as_ref()).await;
    });
    in_a_place!(settings, |place| {
        known_length::content_of_another_size_is_refused((place.open)().sink.as_ref()).await;
    });
    in_a_place!(settings, |place| {
        known_length::interrupted_entries_of_known_length_are_resumed(&place, resumes).await;
    });
    in_a_place!(settings, |place| {
        suite::a_resumed_entry_is_checked_as_a_whole(&place).await;
    });
    in_a_place!(settings, |place| {
        suite::a_new_entry_replaces_a_partial_one(&place).await;
    });
}

async fn every_promise_of(format: BagFormat) {
    every_promise(|folder| settings(folder, format, false), Resumes::Yes).await;
    every_promise(|folder| settings(folder, format, true), Resumes::No).await;
}

#[tokio::test]
async fn a_zip_keeps_the_sink_s_promises() {
    every_promise_of(BagFormat::Zip).await;
}

#[tokio::test]
async fn a_tar_keeps_the_sink_s_promises() {
    every_promise_of(BagFormat::Tar).await;
}

#[tokio::test]
async fn a_tar_gz_keeps_the_sink_s_promises() {
    every_promise_of(BagFormat::TarGz).await;
}

/// What the child says at its end: one that ran no test does not.
const KEPT: &str = "standard output keeps every promise";

/// A sink on standard output writes to that of its process, so it gets a process of its own.
#[test]
fn standard_output_keeps_the_sink_s_promises() {
    let own = std::env::current_exe().expect("this program");
    let child = Command::new(own)
        .args(["--exact", "archive::in_a_child_with_standard_output"])
        .args(["--ignored", "--nocapture"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .expect("a child");
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains(KEPT), "{said}");
}

#[tokio::test]
#[ignore = "run by `standard_output_keeps_the_sink_s_promises`, in a process of its own"]
async fn in_a_child_with_standard_output() {
    for (format, encrypted) in FORMATS.into_iter().flat_map(|f| [(f, false), (f, true)]) {
        let settings = |folder: &Path| RunSettings {
            target: Target::Stdout,
            ..settings(folder, format, encrypted)
        };
        every_promise(settings, Resumes::No).await;
    }
    eprintln!("{KEPT}");
}

#[tokio::test]
async fn the_journal_on_disk_keeps_its_promises_across_a_restart() {
    for format in FORMATS {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = kit::settings(folder.path(), format);
        let run = kit::open(settings.clone());
        journal::a_new_journal_is_empty(run.journal.as_ref());
        journal::record_some(run.journal.as_ref()).await;
        journal::the_checkpoint_holds_what_was_recorded(run.journal.as_ref());
        drop(run);
        let again = kit::open(settings);
        assert!(again.resumed);
        journal::the_checkpoint_holds_what_was_recorded(again.journal.as_ref());
        journal::what_was_read_is_there_when_it_is_opened_again(again.journal.as_ref());
    }
}

#[tokio::test]
async fn the_journal_of_a_stream_keeps_its_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = kit::open(RunSettings {
        target: Target::Stdout,
        ..kit::settings(folder.path(), BagFormat::Tar)
    });
    journal::a_new_journal_is_empty(run.journal.as_ref());
    journal::record_some(run.journal.as_ref()).await;
    journal::the_checkpoint_holds_what_was_recorded(run.journal.as_ref());
}
