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
const IMPORTS: &str = "tests/tests/contract/imports.rs";
const CLOCKS: &str = "tests/tests/contract/clock.rs";
const ROPES: &str = "tests/tests/contract/ropes.rs";
const METERED: &str = "crates/app-server/tests/service/metrics.rs";
const FLEET: &str = "tests/tests/fleet/main.rs";
const STORES: &str = "tests/tests/contract/stores.rs";
const POSTGRES: &str = "tests/tests/contract/postgres.rs";
const PLATFORMS: &str = "tests/tests/contract/user_data_api.rs";

/// Every port.
pub const PORTS: [Port; 20] = [
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
                    "the_parts_of_an_item_come_from_their_list",
                ],
            ),
            ("facts", &["facts_come_without_the_document"]),
            (
                "binary",
                &[
                    "a_file_comes_as_bytes",
                    "the_parts_of_an_item_come_from_their_list",
                ],
            ),
            ("may_start", &["an_export_runs_its_course"]),
            ("start_export", &["an_export_runs_its_course"]),
            ("export_status", &["an_export_runs_its_course"]),
            (
                "export_statuses",
                &["open_tickets_and_their_statuses_are_listed"],
            ),
            (
                "open_tickets",
                &[
                    "open_tickets_and_their_statuses_are_listed",
                    "the_list_says_when_a_ticket_was_made_and_whether_it_was_downloaded",
                ],
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
            // Private to its program, which tests it with whole runs.
            ("MeteredApi", METERED),
            ("SharedPlatform", FLEET),
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
                    "open_entries_of_known_length_never_mix",
                    "content_of_another_size_is_refused",
                    "a_name_is_taken_only_once",
                    "a_new_entry_replaces_a_partial_one",
                ],
            ),
            (
                "resume_entry",
                &[
                    "an_interrupted_entry_is_resumed",
                    "interrupted_entries_of_known_length_are_resumed",
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
        implementations: &[
            ("ArchiveWriter", SINKS),
            ("MemorySink", MEMORY),
            ("RopeSink", ROPES),
        ],
    },
    Port {
        name: "PayloadInPlace",
        file: "crates/domain/src/ports/sink.rs",
        methods: &[
            ("first_bytes", &["documents_and_pictures_are_read_back"]),
            ("add", &["documents_and_pictures_are_read_back"]),
            ("add_written", &["documents_and_pictures_are_read_back"]),
        ],
        implementations: &[("InPlace", SINKS), ("RopeInPlace", ROPES)],
    },
    Port {
        name: "TagFiles",
        file: "crates/domain/src/ports/sink.rs",
        methods: &[("write", &["documents_and_pictures_are_read_back"])],
        // The second is that of the suite, the last asks for nothing that the others do not.
        implementations: &[("Vec", MEMORY), ("Reader", SINKS), ("OwnFiles", MEMORY)],
    },
    Port {
        name: "EntryWriter",
        file: "crates/domain/src/ports/sink.rs",
        methods: &[
            ("write", &["a_receipt_says_what_was_written"]),
            ("copy", &["bytes_of_a_file_arrive_like_others"]),
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
            ("Gathered", ROPES),
            ("EntryUpload", ROPES),
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
                    "what_was_read_is_there_when_it_is_opened_again",
                ],
            ),
            ("record", &["record_some"]),
        ],
        implementations: &[
            ("RunJournal", SINKS),
            ("MemoryJournal", MEMORY),
            ("RunLog", ROPES),
        ],
    },
    Port {
        name: "ImportApi",
        file: "crates/domain/src/ports/imports.rs",
        methods: &[
            (
                "open_import",
                &["an_import_runs_its_course", "open_imports_are_listed"],
            ),
            (
                "upload",
                &[
                    "an_import_runs_its_course",
                    "a_conflict_ends_in_an_error",
                    "an_upload_that_breaks_off_imports_nothing",
                ],
            ),
            ("import_status", &["an_import_runs_its_course"]),
            (
                "import_ticket",
                &[
                    "an_import_runs_its_course",
                    "an_upload_that_breaks_off_imports_nothing",
                ],
            ),
            ("open_imports", &["open_imports_are_listed"]),
            (
                "delete_import",
                &["an_import_runs_its_course", "open_imports_are_listed"],
            ),
        ],
        implementations: &[
            ("UforgeApi", IMPORTS),
            ("InProcess", IMPORTS),
            ("FakeImports", IMPORTS),
        ],
    },
    Port {
        name: "ImportJournal",
        file: "crates/domain/src/ports/import_journal.rs",
        methods: &[
            (
                "checkpoint",
                &[
                    "a_new_import_has_nothing_recorded",
                    "the_import_s_checkpoint_holds_what_was_recorded",
                ],
            ),
            ("record", &["record_some_import_facts"]),
        ],
        implementations: &[("ImportFile", IMPORTS), ("MemoryImportJournal", IMPORTS)],
    },
    Port {
        name: "BagReader",
        file: "crates/domain/src/ports/bag_reader.rs",
        methods: &[
            ("description", &["a_bag_says_what_it_is"]),
            ("check", &["only_what_the_manifest_lists_is_sound"]),
            ("locate", &["archives_are_found_without_a_check"]),
            (
                "open",
                &[
                    "archives_come_whole_in_any_order",
                    "an_archive_may_be_left_in_the_middle",
                ],
            ),
            ("stored", &["stored_bytes_are_those_of_the_archive"]),
        ],
        implementations: &[("BagArchives", IMPORTS), ("MemoryBag", IMPORTS)],
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
            ("ManualClock", CLOCKS),
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
        file: "crates/domain/src/jobs/store.rs",
        methods: &[
            (
                "admit",
                &[
                    "a_job_comes_back_to_its_owner_only",
                    "the_same_order_twice_is_one_job",
                    "shares_are_never_exceeded",
                    "archives_are_counted_and_named",
                ],
            ),
            ("get", &["a_job_comes_back_to_its_owner_only"]),
            ("find", &["every_state_comes_back"]),
            ("list", &["lists_are_newest_first"]),
            ("report", &["a_report_is_read_by_itself"]),
            ("count", &["every_state_comes_back"]),
            ("unfinished", &["every_state_comes_back"]),
            ("update", &["a_late_update_changes_nothing"]),
            (
                "record_transfer",
                &["transfers_are_never_lost_to_an_update"],
            ),
            ("overdue", &["every_state_comes_back"]),
            ("given_up", &["a_waiting_job_waits_for_its_time"]),
            (
                "claim",
                &[
                    "a_job_waits_while_enough_archives_are_kept",
                    "each_job_is_claimed_once",
                    "owners_take_turns",
                    "a_lease_that_ran_out_is_taken_over",
                ],
            ),
            (
                "take_over",
                &["only_a_lease_that_ran_out_is_taken_over_by_a_full_worker"],
            ),
            (
                "renew",
                &[
                    "a_lease_that_ran_out_is_taken_over",
                    "a_wish_reaches_the_holder",
                ],
            ),
            ("give_back", &["what_is_given_back_is_no_death"]),
            ("pause", &["a_waiting_job_waits_for_its_time"]),
            ("settle", &["a_late_end_races_the_takeover"]),
            ("signed_in", &["a_sign_in_wakes_the_owner_s_jobs"]),
            ("wish", &["a_wish_reaches_the_holder"]),
            ("record_progress", &["progress_is_recorded"]),
            ("progress", &["progress_is_recorded"]),
            ("void_leases", &["a_lease_that_ran_out_is_taken_over"]),
            ("changes", &["changes_are_heard_or_resynced"]),
            ("now", &["a_waiting_job_waits_for_its_time"]),
        ],
        implementations: &[
            ("MemoryJobStore", STORES),
            ("PostgresJobStore", POSTGRES),
            ("SqliteJobStore", STORES),
        ],
    },
    Port {
        name: "CampaignStore",
        file: "crates/domain/src/jobs/campaign_store.rs",
        methods: &[
            (
                "create",
                &[
                    "a_campaign_is_recorded_with_its_jobs",
                    "who_asks_for_themselves_goes_first",
                    "campaigns_take_turns",
                    "campaigns_take_nothing_of_a_person_s_shares",
                    "a_sign_in_wakes_the_jobs_of_a_campaign",
                    "what_was_begun_goes_before_what_is_new",
                    "entries_name_the_administrator",
                ],
            ),
            ("get", &["a_campaign_is_recorded_with_its_jobs"]),
            ("list", &["campaigns_and_exports_are_listed_in_pages"]),
            ("standing", &["a_campaign_is_done_with_its_last_export"]),
            ("exports", &["campaigns_and_exports_are_listed_in_pages"]),
            ("pause", &["a_pause_lets_what_runs_go_on"]),
            ("resume", &["a_pause_lets_what_runs_go_on"]),
            (
                "cancel",
                &[
                    "a_campaign_is_given_up",
                    "what_is_given_up_waits_for_nobody",
                ],
            ),
            (
                "retry",
                &[
                    "failed_exports_are_tried_again",
                    "many_failed_exports_are_tried_again",
                    "what_was_given_up_is_not_tried_again",
                    "entries_name_the_administrator",
                ],
            ),
            ("unfinished", &["a_campaign_is_done_with_its_last_export"]),
        ],
        implementations: &[
            ("MemoryJobStore", STORES),
            ("PostgresJobStore", POSTGRES),
            ("SqliteJobStore", STORES),
        ],
    },
    Port {
        name: "BagStore",
        file: "crates/domain/src/jobs/bags.rs",
        methods: &[
            (
                "put",
                &[
                    "a_kept_bag_is_read_back_in_any_part",
                    "a_stream_that_breaks_keeps_nothing",
                ],
            ),
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
            ("answers", &["a_kept_bag_is_read_back_in_any_part"]),
            ("list", &["a_kept_bag_is_read_back_in_any_part"]),
            ("used_bytes", &["a_kept_bag_is_read_back_in_any_part"]),
            ("used_bytes_of", &["a_kept_bag_is_read_back_in_any_part"]),
            ("free_space", &["a_kept_bag_is_read_back_in_any_part"]),
        ],
        implementations: &[("DiskBags", STORES), ("S3Store", ROPES)],
    },
    Port {
        name: "RunStore",
        file: "crates/domain/src/jobs/runs.rs",
        methods: &[
            (
                "open",
                &[
                    "an_unfinished_run_is_resumed_under_the_next_lease",
                    "a_finished_bag_is_kept",
                    "a_late_run_is_refused",
                ],
            ),
            (
                "unfinished",
                &["an_unfinished_run_is_resumed_under_the_next_lease"],
            ),
            (
                "discard",
                &["an_unfinished_run_is_resumed_under_the_next_lease"],
            ),
            ("keep", &["a_finished_bag_is_kept"]),
            ("is_kept", &["a_finished_bag_is_kept"]),
            ("report", &["a_finished_bag_is_kept"]),
        ],
        implementations: &[
            ("DiskRuns", STORES),
            ("S3Store", ROPES),
            // Private to its program's tests.
            ("FakeRuns", "crates/app-server/src/testing.rs"),
        ],
    },
    Port {
        name: "RunRecords",
        file: "crates/domain/src/jobs/records.rs",
        methods: &[
            (
                "append",
                &[
                    "records_are_read_back_in_order",
                    "a_late_record_never_appears_behind_the_successor_s_back",
                    "records_are_progress",
                ],
            ),
            ("read", &["records_are_read_back_in_order"]),
            ("delete", &["records_are_read_back_in_order"]),
            ("jobs", &["records_are_read_back_in_order"]),
        ],
        implementations: &[
            ("MemoryRunRecords", STORES),
            ("PostgresRunRecords", POSTGRES),
        ],
    },
    Port {
        name: "Slots",
        file: "crates/domain/src/jobs/slots.rs",
        methods: &[
            (
                "take",
                &[
                    "slots_are_never_exceeded",
                    "a_slot_survives_its_worker_and_goes_with_the_job",
                    "who_asks_for_themselves_has_the_next_slot",
                    "those_that_wait_are_served_in_order",
                    "what_was_taken_over_has_the_next_slot",
                ],
            ),
            (
                "give_back",
                &[
                    "slots_are_never_exceeded",
                    "a_slot_survives_its_worker_and_goes_with_the_job",
                    "a_slot_passes_to_the_next_item_of_its_job",
                    "who_asks_for_themselves_has_the_next_slot",
                    "those_that_wait_are_served_in_order",
                ],
            ),
            ("turns", &["a_worker_hears_of_its_turn"]),
            (
                "taken",
                &["a_slot_survives_its_worker_and_goes_with_the_job"],
            ),
        ],
        implementations: &[("MemorySlots", STORES), ("PostgresSlots", POSTGRES)],
    },
    Port {
        name: "AuditLog",
        file: "crates/domain/src/jobs/audit.rs",
        methods: &[
            (
                "append",
                &[
                    "entries_are_numbered_without_gaps",
                    "an_entry_may_lack_everything",
                ],
            ),
            ("append_transfer", &["a_download_is_one_entry"]),
            ("page", &["entries_are_numbered_without_gaps"]),
        ],
        implementations: &[
            ("LateAudit", STORES),
            ("MemoryAudit", STORES),
            ("MeteredAudit", METERED),
            ("PostgresAudit", POSTGRES),
            ("SqliteAudit", STORES),
        ],
    },
    Port {
        name: "IdempotencyKeys",
        file: "crates/domain/src/jobs/keys.rs",
        methods: &[
            (
                "reserve",
                &[
                    "a_key_is_new_once",
                    "a_key_stands_for_one_order_of_one_person",
                ],
            ),
            ("release", &["a_key_is_new_once"]),
            ("expire", &["a_key_is_kept_for_a_day"]),
        ],
        implementations: &[
            ("MemoryKeys", STORES),
            ("PostgresKeys", POSTGRES),
            ("SqliteKeys", STORES),
        ],
    },
    Port {
        name: "SealedCredentials",
        file: "crates/domain/src/jobs/credentials.rs",
        methods: &[
            ("put", &["what_was_put_is_got_until_it_is_deleted"]),
            ("get", &["what_was_put_is_got_until_it_is_deleted"]),
            (
                "delete",
                &[
                    "what_was_put_is_got_until_it_is_deleted",
                    "an_administrator_s_go_with_the_last_job",
                ],
            ),
            ("list", &["what_was_put_is_got_until_it_is_deleted"]),
        ],
        implementations: &[
            ("MemoryCredentials", STORES),
            ("PostgresCredentials", POSTGRES),
            ("SqliteCredentials", STORES),
        ],
    },
];
