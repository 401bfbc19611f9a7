//! Which promise covers which method of a port, and where each implementation keeps them. A test holds this table against the ports,
//! the implementations and the suites: a method that no promise names fails it.

/// A port.
#[derive(Debug)]
pub struct Port {
    /// Its trait.
    pub name: &'static str,
    /// The file that defines it.
    pub file: &'static str,
    /// Its methods, each with the promises that cover it: functions of the suites.
    pub methods: &'static [(&'static str, &'static [&'static str])],
    /// Its implementations, each with the file that runs the suite for it.
    pub implementations: &'static [(&'static str, &'static str)],
}

const SINKS: &str = "tests/tests/contract/archive.rs";
const MEMORY: &str = "tests/tests/contract/memory.rs";
const CLOCKS: &str = "tests/tests/contract/clock.rs";
const PLATFORMS: &str = "tests/tests/contract/user_data_api.rs";

/// Every port.
pub const PORTS: [Port; 8] = [
    Port {
        name: "UserDataApi",
        file: "crates/domain/src/ports/user_data.rs",
        methods: &[
            ("platform", &["the_platform_says_its_version"]),
            (
                "document",
                &[
                    "facts_come_with_the_xml",
                    "every_list_can_be_read",
                    "what_is_not_there_is_not_found",
                ],
            ),
            ("binary", &["a_file_comes_as_bytes"]),
            ("start_export", &["an_export_runs_its_course"]),
            ("export_status", &["an_export_runs_its_course"]),
            (
                "export_statuses",
                &["open_tickets_and_their_statuses_are_listed"],
            ),
            (
                "open_tickets",
                &["open_tickets_and_their_statuses_are_listed"],
            ),
            (
                "download",
                &[
                    "a_download_before_the_end_fails",
                    "a_download_starts_where_it_is_said_to",
                ],
            ),
            ("cancel_export", &["a_cancelled_export_has_no_archive"]),
            ("delete_export", &["an_export_runs_its_course"]),
        ],
        implementations: &[
            ("UforgeApi", PLATFORMS),
            ("TrackedStarts", PLATFORMS),
            ("InProcess", PLATFORMS),
            ("FakePlatform", PLATFORMS),
        ],
    },
    Port {
        name: "ArchiveSink",
        file: "crates/domain/src/ports/sink.rs",
        methods: &[
            (
                "resumed_receipts",
                &[
                    "a_new_bag_has_nothing_to_resume",
                    "closed_entries_survive_a_restart",
                ],
            ),
            (
                "partial_entries",
                &[
                    "a_new_bag_has_nothing_to_resume",
                    "an_interrupted_entry_is_resumed",
                ],
            ),
            ("free_space", &["free_space_is_counted_where_the_bag_grows"]),
            (
                "open_entry",
                &[
                    "open_entries_never_mix",
                    "a_name_is_taken_only_once",
                    "a_new_entry_replaces_a_partial_one",
                ],
            ),
            (
                "resume_entry",
                &[
                    "an_interrupted_entry_is_resumed",
                    "a_resumed_entry_is_checked_as_a_whole",
                ],
            ),
            (
                "finish",
                &[
                    "a_bag_has_its_name_only_when_it_is_finished",
                    "an_interrupted_run_leaves_no_bag",
                ],
            ),
        ],
        implementations: &[("ArchiveWriter", SINKS), ("MemorySink", MEMORY)],
    },
    Port {
        name: "EntryWriter",
        file: "crates/domain/src/ports/sink.rs",
        methods: &[
            ("write", &["a_receipt_says_what_was_written"]),
            (
                "close",
                &[
                    "a_receipt_says_what_was_written",
                    "a_damaged_archive_is_refused",
                    "a_published_sum_is_checked",
                ],
            ),
            ("discard", &["what_was_taken_back_may_be_opened_again"]),
        ],
        // Documents of known size go to the first, archives to the second.
        implementations: &[
            ("Small", SINKS),
            ("Streamed", SINKS),
            ("MemoryWriter", MEMORY),
        ],
    },
    Port {
        name: "Journal",
        file: "crates/domain/src/ports/journal.rs",
        methods: &[
            (
                "checkpoint",
                &[
                    "a_new_journal_is_empty",
                    "the_checkpoint_holds_what_was_recorded",
                ],
            ),
            ("record", &["record_some"]),
        ],
        implementations: &[("RunJournal", SINKS), ("MemoryJournal", MEMORY)],
    },
    Port {
        name: "Clock",
        file: "crates/domain/src/ports/clock.rs",
        methods: &[
            ("now", &["the_time_of_day_is_one"]),
            ("elapsed", &["elapsed_time_never_goes_back"]),
            (
                "sleep",
                &["a_sleep_is_never_too_short", "a_dropped_sleep_is_forgotten"],
            ),
        ],
        implementations: &[
            // Of `adapters-clock` and of `sandbox`.
            ("SystemClock", CLOCKS),
            ("HastyClock", CLOCKS),
            ("SimClock", CLOCKS),
        ],
    },
    Port {
        name: "Progress",
        file: "crates/domain/src/ports/progress.rs",
        methods: &[("on", &["any_events_are_taken"])],
        implementations: &[
            ("NoProgress", MEMORY),
            ("RecordingProgress", MEMORY),
            // Private to their programs, which test them with whole runs.
            ("Reporter", "crates/app-cli/src/progress/mod.rs"),
            ("Live", "crates/app-server/src/runner/live.rs"),
        ],
    },
    Port {
        name: "JobStore",
        file: "crates/domain/src/jobs/ports.rs",
        methods: &[
            ("create", &["new_jobs_are_found_by_their_owner_alone"]),
            ("get", &["new_jobs_are_found_by_their_owner_alone"]),
            ("list", &["a_list_is_newest_first_and_comes_in_pages"]),
            ("update", &["a_late_writer_changes_nothing"]),
            (
                "record_download",
                &["downloads_are_never_lost_to_an_update"],
            ),
            (
                "unfinished",
                &["what_is_unfinished_and_what_is_overdue_is_found"],
            ),
            (
                "overdue",
                &["what_is_unfinished_and_what_is_overdue_is_found"],
            ),
        ],
        implementations: &[("MemoryJobs", "crates/app-server/src/store/memory.rs")],
    },
    Port {
        name: "BagStore",
        file: "crates/domain/src/jobs/ports.rs",
        methods: &[
            (
                "workplace",
                &["a_workplace_is_empty_and_for_its_owner_s_eyes_only"],
            ),
            ("keep", &["a_kept_bag_is_read_back_in_any_part"]),
            (
                "open",
                &[
                    "a_kept_bag_is_read_back_in_any_part",
                    "a_bag_of_another_size_is_not_given_away",
                ],
            ),
            (
                "delete",
                &["a_deleted_bag_is_gone_but_an_open_one_is_read_to_its_end"],
            ),
            (
                "kept",
                &["a_workplace_is_empty_and_for_its_owner_s_eyes_only"],
            ),
        ],
        implementations: &[("DiskBags", "crates/app-server/src/store/disk.rs")],
    },
];
