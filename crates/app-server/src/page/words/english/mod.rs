//! English.

mod counts;
mod problems;
mod sections;

use domain::jobs::{AuditAction, CampaignPhase, JobStateName, Phase, WaitingFor};
use domain::model::BagFormat;
use domain::ports::{ItemStage, RedactionRule};
use domain::report::{Completeness, SectionStatus, Stage, grouped, human_bytes};

use super::Words;
use counts::{campaign_for, counted, plural};

/// English.
pub(crate) static ENGLISH: Words = Words {
    product: "UForge data export",
    between: " · ",
    skip: "Skip to the content",
    main_navigation: "Main",
    my_exports: "My exports",
    everybody: "Everybody’s exports",
    trail: "Audit trail",
    signed_in_as: "Signed in as",
    sign_out: "Sign out",
    language: "Language",
    for_programs: "Interface for programs",

    welcome: "Get a copy of your UForge data",
    welcome_text: "Sign in with your UForge login. You ask for your data here, come back when it is ready, and download one checked file with everything in it.",
    login: "UForge login",
    password: "Password",
    sign_in: "Sign in",
    password_note: "UForge checks your password. It is not written to disk in readable form.",
    session_over: "Your session is over. Please sign in again.",
    refused: "That did not work",
    refused_text: "UForge did not accept this login and password. Check both and try again.",

    ask_title: "Ask for a copy",
    ask_text: "You get one file with all that UForge holds about you and all that you made there. You need not stay on this page while it is being made.",
    what: "What should be in it?",
    everything: "Everything",
    everything_text: "All kinds of data, as complete as UForge gives them.",
    some: "Only what I choose",
    some_text: "Choose the kinds of data below.",
    kinds: "Kinds of data",
    file_format: "File",
    format,
    redact: "Blank passwords and keys",
    redact_text: "In the documents. The archives of appliances and software stay as they are.",
    for_whom: "For whom?",
    for_whom_text: "The UForge login of the person. Leave it empty for your own data.",
    options: "File format and more",
    ask: "Ask for the copy",

    exports_title: "My exports",
    no_exports: "You have not asked for anything yet.",
    export_of: |moment| format!("Export of {moment}"),
    details: "Details",
    newest: "Newest",
    older: "Older",
    pages: "Pages",

    state,
    state_text,
    phase,
    waiting,
    tried_again_at: |moment| format!("It is tried again by itself: {moment}."),
    whose: "Data of",
    asked_by: "Asked for by",
    asked: "Asked for",
    due: "Due",
    due_text: "one month after it was asked for",
    overdue: "Overdue",
    begun: "Begun",
    finished: "Finished",
    available_until: "Available until",
    asked_for: "Holds",
    kinds_of_data: |number| match number {
        1 => "1 kind of data".to_owned(),
        _ => format!("{number} kinds of data"),
    },
    redacted_order: "passwords and keys blanked",

    progress_title: "How far it is",
    steps: "Steps",
    step_names: ["Asked for", "Lists", "Archives", "Check", "Ready"],
    archives_done: |done, planned| {
        let (number, of) = (grouped(done), grouped(planned));
        format!(
            "{number} of {of} {}",
            plural(planned, "archive", "archives")
        )
    },
    archives_failed: |number| format!("{} could not be had", grouped(number)),
    lists_read: |number| {
        format!(
            "{} {} read",
            grouped(number),
            plural(number, "list", "lists")
        )
    },
    documents_done: |number| counted(number, "document", "documents"),
    bytes_so_far: |bytes| format!("{} so far", human_bytes(bytes)),
    stage,
    under_way: "Under way now",
    not_available_yet: "UForge does not give these",
    look_again: "Look again",
    live: "This page keeps itself up to date.",

    verdict: |completeness| match completeness {
        Completeness::Complete => "Complete.",
        Completeness::Partial => "Partial.",
    },
    verdict_text: |completeness, missing| match (completeness, missing) {
        (Completeness::Complete, 0) => "Everything that was asked for is in it.".to_owned(),
        (Completeness::Complete, _) => {
            "Everything that UForge gives is in it. What it does not give is named below."
                .to_owned()
        }
        (Completeness::Partial, 0) => "Not everything that was asked for could be had.".to_owned(),
        (Completeness::Partial, 1) => "One thing could not be had. It is named below.".to_owned(),
        (Completeness::Partial, number) => {
            format!(
                "{} things could not be had. They are named below.",
                grouped(number)
            )
        }
    },
    download: "Download",
    checksum: "SHA-256 of the file",
    check_title: "How to check the file",
    check_text: "Compute the SHA-256 of the file that you have downloaded, in a terminal. It has to be the same as above.",
    check_all: "This checks every file inside as well:",
    receipt_title: "The receipt",
    receipt_text: "With it you can show later that a file is the one that this service gave you, unchanged. It stays here when the file is gone.",
    receipt: "Download the receipt",
    signature: "Download its signature",
    check_receipt: "This holds a file against its receipt:",
    contents_title: "What is in it",
    bytes_by_kind: "Size by kind of data",
    kind_of_data: "Kind of data",
    names: "Names",
    how_many: "Number",
    how_complete: "State",
    section_status,
    section: sections::section,
    others: "Others",
    empty_kinds: "UForge has nothing of these:",
    left_out_kinds: "Not asked for:",
    missing_title: "What could not be had",
    nothing_missing: "Nothing that was asked for is missing.",
    lost_at,
    after_attempts: |number| format!("after {number} attempts"),
    and_more: |number| format!("and {number} more, all named in export.json in the file"),
    blanked: |rule, number| match rule {
        RedactionRule::Secret => {
            let values = counted(
                number,
                "password, key or token was",
                "passwords, keys and tokens were",
            );
            format!("{values} blanked in the documents.")
        }
        RedactionRule::OtherPerson => {
            format!(
                "{} blanked.",
                counted(
                    number,
                    "passage of another person was",
                    "passages of other people were"
                )
            )
        }
    },
    in_english: "In the words of the program:",
    notes_title: "Good to know",
    downloads_title: "Who downloaded it",
    no_downloads: "Nobody yet.",
    downloads: |number| format!("{} in all.", counted(number, "download", "downloads")),
    who: "Who",
    from_where: "From",
    how_much: "How much",
    whole: "the whole file",
    part: "a part",

    failure_title: "Why it failed",
    hint: "What helps",
    try_again: "Try again",
    try_again_until: |moment| format!("It goes on from where it stood. Possible until {moment}."),
    try_again_over: "Nothing is kept of it any more. Please ask for a new copy.",
    cancel: "Give it up",
    delete: "Delete the file",
    cancel_title: "Give this export up?",
    cancel_text: "What was fetched so far is deleted, here and on UForge. Your data on UForge stay as they are.",
    cancel_yes: "Give it up",
    cancel_no: "Let it go on",
    delete_title: "Delete the file?",
    delete_text: "Nobody can download it after that. The record of this export stays, and your data on UForge stay as they are.",
    delete_yes: "Delete the file",
    delete_no: "Keep it",
    nothing_to_give_up: "There is nothing to give up or to delete here any more.",

    everybody_text: "All that people have asked for, without their files: those are for the people who asked.",
    unfinished_title: "Not answered yet",
    none_unfinished: "Nothing is open.",
    and_more_exports: |number| format!("and {number} more"),
    all_title: "All exports, newest first",
    campaigns: "Campaigns",
    campaigns_text: "Exports of many people at once, ordered by an administrator. Each person has an export of their own.",
    no_campaigns: "No campaign was ordered yet.",
    campaign_of: |moment| format!("Campaign of {moment}"),
    campaign_phase: |phase| match phase {
        CampaignPhase::Running => "Under way",
        CampaignPhase::Paused => "Paused",
        CampaignPhase::Done => "Done",
        CampaignPhase::Cancelled => "Cancelled",
    },
    campaign_people: "People",
    expected_end: "Expected end",
    campaign_report: "Report of every person (CSV)",
    pause_campaign: "Pause",
    resume_campaign: "Resume",
    cancel_campaign: "Cancel the campaign?",
    cancel_campaign_text: "What has not begun does not begin, and what is under way ends. Files that are ready stay until they expire.",
    order_campaign: "Order a campaign",
    order_campaign_text: "One export for each of many people, for example before UForge is switched off. Nothing begins before you have seen what it comes to.",
    campaign_incomplete: "Something is missing",
    campaign_incomplete_text: "Name at least one person, or an organization by its number, and choose at least one kind of data.",
    whom_users: "These people",
    whom_logins: "UForge logins",
    whom_logins_text: "One a line.",
    whom_organization: "The members of an organization",
    whom_number: "Number of the organization",
    whom_everyone: "Everybody",
    whom_everyone_text: "All whom UForge lists, those who are not active included.",
    since_last: "Take archives that have not changed from each person’s last file",
    since_last_text: "Only what has changed is exported again. The new file is whole all the same.",
    unchanged: "Unchanged archives",
    unchanged_text: "taken from each person’s last file",
    look_at_order: "See what it comes to",
    order_title: "Order this campaign?",
    campaign_for,
    order_consequence: "One export is made for each of them, a few at a time. The person and you can fetch its file, and nobody else. You can pause or cancel the campaign at any time.",
    order_yes: "Order the campaign",
    order_no: "Not now",
    retry_campaign: "Try failed ones again",
    trail_text: "Who did what, newest first. Nothing in it can be changed. Reading it is an entry too.",
    number_label: "No.",
    action,
    more_label: "More",
    service_itself: "the service itself",
    csv: "This page as CSV",

    problem: problems::problem,
    home: "To the first page",
    archives_to_delete: "Your kept files:",

    number: grouped,
    size: human_bytes,
    percent: |number| format!("{number}%"),
    moment: |time| time.strftime("%-d %B %Y, %H:%M UTC").to_string(),
};

fn format(format: BagFormat) -> &'static str {
    match format {
        BagFormat::Zip => "ZIP: opens on every computer",
        BagFormat::Tar => "TAR: for Linux and macOS",
        BagFormat::TarGz => "TAR.GZ: for Linux and macOS, a little smaller",
    }
}

fn state(state: JobStateName, completeness: Option<Completeness>) -> &'static str {
    match (state, completeness) {
        (JobStateName::Queued, _) => "In the queue",
        (JobStateName::Running, _) => "Under way",
        (JobStateName::Waiting, _) => "Waiting",
        (JobStateName::Ready, Some(Completeness::Partial)) => "Ready, partial",
        (JobStateName::Ready, _) => "Ready, complete",
        (JobStateName::Failed, _) => "Failed",
        (JobStateName::Cancelled, _) => "Given up",
        (JobStateName::Expired, _) => "Expired",
        (JobStateName::Deleted, _) => "Deleted",
    }
}

fn state_text(state: JobStateName) -> &'static str {
    match state {
        JobStateName::Queued => "It begins by itself as soon as there is a free place.",
        JobStateName::Running => "It is being made.",
        JobStateName::Waiting => "It waits, and goes on by itself.",
        JobStateName::Ready => "The file is ready.",
        JobStateName::Failed => "There is no file.",
        JobStateName::Cancelled => "It was given up on request. There is no file.",
        JobStateName::Expired => {
            "The file was kept as long as promised and is gone. You can ask for a new copy."
        }
        JobStateName::Deleted => "The file was deleted on request. You can ask for a new copy.",
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "Connecting to UForge",
        Phase::Listing => "Reading the lists of what there is",
        Phase::Fetching => "Fetching documents and archives",
        Phase::Recounting => "Reading the lists once more, to see that nothing is missing",
        Phase::Finishing => "Closing the file",
    }
}

fn waiting(waiting_for: WaitingFor) -> &'static str {
    match waiting_for {
        WaitingFor::SignIn => {
            "It waits for the person who asked: as soon as they sign in here, it goes on."
        }
        WaitingFor::Platform => "UForge does not answer at the moment.",
        WaitingFor::DiskSpace => "The disk of this service is full at the moment.",
    }
}

fn stage(stage: &ItemStage) -> String {
    match stage {
        ItemStage::Starting => "asking UForge for it".to_owned(),
        ItemStage::Waiting {
            percent: Some(percent),
            ..
        } => format!("UForge is making it: {percent}%"),
        ItemStage::Waiting { percent: None, .. } => "UForge is making it".to_owned(),
        ItemStage::Ready => "ready on UForge".to_owned(),
        ItemStage::Downloading | ItemStage::Copying => "being fetched".to_owned(),
        ItemStage::Uploading => "being sent".to_owned(),
        ItemStage::Importing {
            percent: Some(percent),
            ..
        } => format!("UForge is working on it: {percent}%"),
        ItemStage::Importing { percent: None, .. } => "UForge is working on it".to_owned(),
        ItemStage::Stored { .. }
        | ItemStage::Resumed { .. }
        | ItemStage::Reused { .. }
        | ItemStage::Imported { .. } => "done".to_owned(),
        ItemStage::Failed { .. } => "could not be had".to_owned(),
    }
}

fn section_status(status: SectionStatus) -> &'static str {
    match status {
        SectionStatus::Complete => "complete",
        SectionStatus::Partial => "partial",
        SectionStatus::Unavailable => "could not be had",
        SectionStatus::Excluded => "not asked for",
    }
}

fn lost_at(stage: Stage) -> &'static str {
    match stage {
        Stage::Start => "UForge did not begin to make its archive",
        Stage::Wait => "UForge did not finish its archive",
        Stage::Download => "it could not be fetched",
        Stage::Delete => "it is in the file, but its copy on UForge could not be deleted",
    }
}

fn action(action: AuditAction) -> &'static str {
    match action {
        AuditAction::SignedIn => "signed in",
        AuditAction::SignInRefused => "sign-in refused",
        AuditAction::SignedOut => "signed out",
        AuditAction::ExportRequested => "export asked for",
        AuditAction::ExportRefused => "export refused",
        AuditAction::ExportReady => "export ready",
        AuditAction::ExportFailed => "export failed",
        AuditAction::ExportCancelled => "export given up",
        AuditAction::ExportRetried => "export tried again",
        AuditAction::Downloaded => "downloaded",
        AuditAction::ReceiptDownloaded => "receipt downloaded",
        AuditAction::Deleted => "file deleted",
        AuditAction::Expired => "file expired",
        AuditAction::AuditRead => "audit trail read",
        AuditAction::CampaignRequested => "campaign ordered",
        AuditAction::CampaignPaused => "campaign paused",
        AuditAction::CampaignResumed => "campaign resumed",
        AuditAction::CampaignCancelled => "campaign cancelled",
        AuditAction::CampaignRetried => "campaign tried again",
    }
}
