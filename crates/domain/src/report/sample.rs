//! Reports as they come out of runs, for tests and for looking at the page.

use jiff::Timestamp;

use super::{
    Completeness, Failure, ItemReport, ItemStatus, Report, SectionReport, SectionStatus,
    SectionView, Stage, Views,
};
use crate::model::{BagPath, OutputFormat, Section, Sha256, UserId};
use crate::ports::{Origin, Receipt, Redaction, RedactionRule};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

#[expect(
    clippy::expect_used,
    reason = "the paths of samples stand in this file"
)]
fn safe(path: &str) -> BagPath {
    BagPath::parse(path).expect("a sample's path is safe")
}

fn file(section: Section, path: &str, bytes: u64, media_type: &str, source: &str) -> Receipt {
    Receipt {
        path: safe(path),
        bytes,
        sha256: Sha256::of(path.as_bytes()),
        media_type: media_type.to_owned(),
        origin: Origin {
            section,
            source: format!("GET {source}"),
            fetched: time("2026-11-24T10:15:30Z"),
            item: None,
            ticket: None,
            redactions: Vec::new(),
        },
        durable: true,
    }
}

fn twins(section: Section, stem: &str, bytes: u64, source: &str) -> [Receipt; 2] {
    [("xml", "application/xml"), ("json", "application/json")].map(|(ending, media_type)| {
        let path = format!("data/{section}/{stem}.{ending}");
        file(section, &path, bytes, media_type, source)
    })
}

fn section(section: Section, status: SectionStatus, items: u64) -> SectionReport {
    let listed = (status == SectionStatus::Complete).then_some(items);
    SectionReport {
        section,
        status,
        items,
        reason: None,
        listed,
        recounted: listed,
        excluded: 0,
        appeared: Vec::new(),
        vanished: Vec::new(),
    }
}

fn item(section: Section, id: i64, name: &str, version: &str, files: &[&str]) -> ItemReport {
    ItemReport {
        section,
        id: Some(id),
        name: Some(name.to_owned()),
        version: (!version.is_empty()).then(|| version.to_owned()),
        uri: Some(format!("users/john/{section}/{id}")),
        digest: Some(format!("d{id}")),
        last_modified: Some("2026-10-02T08:00:00.000+02:00".to_owned()),
        changed_during_export: false,
        status: ItemStatus::Complete,
        reason: None,
        files: files
            .iter()
            .map(|file| safe(&format!("data/{section}/{file}")))
            .collect(),
        reused_from: None,
    }
}

#[expect(
    clippy::expect_used,
    reason = "the login of samples stands in this file"
)]
fn report(sections: Vec<SectionReport>, items: Vec<ItemReport>, files: Vec<Receipt>) -> Report {
    Report {
        tool_version: "0.1.0".to_owned(),
        source: "https://uforge.example.com/api".to_owned(),
        platform_version: Some("3.8.13".to_owned()),
        user: UserId::parse("john").expect("a sample's login is valid"),
        output_format: OutputFormat::Yaml,
        started: time("2026-11-24T10:15:00Z"),
        finished: time("2026-11-24T10:21:43Z"),
        completeness: Completeness::Complete,
        sections,
        items,
        files,
        failures: Vec::new(),
        notes: Vec::new(),
        notice: None,
        redacted: false,
    }
}

/// The pages of such a report: one a section that has objects, which were created over two years.
pub fn views(report: &Report) -> Views {
    let has_items = |section: &&SectionReport| section.items > 0;
    let sections = report.sections.iter().filter(has_items);
    let mut views = Views {
        sections: sections
            .map(|section| SectionView {
                section: section.section,
                pages: 1,
                objects: section.items,
            })
            .collect(),
        ..Views::default()
    };
    for created in [
        "2024-11-02T08:00:00Z",
        "2025-06-01T08:00:00Z",
        "2025-06-09T08:00:00Z",
        "2026-10-02T08:00:00Z",
    ] {
        views.created.note(time(created));
    }
    views
}

/// Nothing selected, nothing found.
pub fn empty() -> Report {
    let sections = Section::ALL
        .into_iter()
        .map(|of| section(of, SectionStatus::Excluded, 0))
        .collect();
    let mut report = report(sections, Vec::new(), Vec::new());
    report.platform_version = None;
    report
}

/// Everything selected is there.
pub fn complete() -> Report {
    use Section::{Appliances, CloudAccounts, MySoftware, Profile, Roles, Usage};
    let sections = Section::ALL.into_iter().map(|of| {
        let items = match of {
            Profile | CloudAccounts => 1,
            Appliances | MySoftware | Roles => 2,
            Usage => 3412,
            _ => 0,
        };
        section(of, SectionStatus::Complete, items)
    });
    report(sections.collect(), items(), files())
}

fn files() -> Vec<Receipt> {
    use Section::{Appliances, CloudAccounts, MySoftware, Profile, Quotas, Roles, Usage};
    let documents = [
        (Profile, "user", 4_211, "users/john"),
        (Appliances, "appliances", 18_020, "users/john/appliances"),
        (
            Appliances,
            "201-web-shop/appliance",
            9_100,
            "users/john/appliances/201",
        ),
        (
            Appliances,
            "202-suse-base/appliance",
            7_700,
            "users/john/appliances/202",
        ),
        (MySoftware, "mysoftware", 2_000, "users/john/mysoftware"),
        (CloudAccounts, "accounts", 1_900, "users/john/accounts"),
        (Roles, "roles", 640, "users/john/roles"),
        (Usage, "usage", 812_000, "users/john/usage"),
        (Quotas, "quotas", 212, "users/john/quotas"),
    ];
    let binaries = [
        (Profile, "photo.png", 23_120, "users/john/photo/3"),
        (
            Appliances,
            "201-web-shop/archive.tar.gz",
            1_912_345_678,
            "users/john/appliances/201/exports/12/downloads",
        ),
        (
            Appliances,
            "201-web-shop/logo.png",
            8_000,
            "users/john/appliances/201/logo/7",
        ),
        (
            Appliances,
            "202-suse-base/archive.tar.gz",
            104_345_678,
            "users/john/appliances/202/exports/13/downloads",
        ),
        (
            MySoftware,
            "31-billing/archive.tar.gz",
            88_000_000,
            "users/john/mysoftware/31/exports/2/downloads",
        ),
        (
            MySoftware,
            "32-agent/archive.tar.gz",
            1_200_000,
            "users/john/mysoftware/32/exports/3/downloads",
        ),
    ];
    let documents = documents
        .into_iter()
        .flat_map(|(section, stem, bytes, source)| twins(section, stem, bytes, source));
    let binaries = binaries.into_iter().map(|(section, path, bytes, source)| {
        let media_type = if path.ends_with("png") {
            "image/png"
        } else {
            "application/gzip"
        };
        file(
            section,
            &format!("data/{section}/{path}"),
            bytes,
            media_type,
            source,
        )
    });
    documents.chain(binaries).collect()
}

fn items() -> Vec<ItemReport> {
    use Section::{Appliances, CloudAccounts, MySoftware, Profile, Roles};
    vec![
        item(
            Profile,
            5,
            "john",
            "",
            &["user.xml", "user.json", "photo.png"],
        ),
        item(
            Appliances,
            201,
            "Web shop",
            "2.1",
            &[
                "201-web-shop/appliance.xml",
                "201-web-shop/appliance.json",
                "201-web-shop/archive.tar.gz",
                "201-web-shop/logo.png",
            ],
        ),
        item(
            Appliances,
            202,
            "SUSE base",
            "15",
            &[
                "202-suse-base/appliance.xml",
                "202-suse-base/appliance.json",
                "202-suse-base/archive.tar.gz",
            ],
        ),
        item(
            MySoftware,
            31,
            "Billing",
            "4.0",
            &["31-billing/archive.tar.gz"],
        ),
        item(
            MySoftware,
            32,
            "Monitoring agent",
            "1.3",
            &["32-agent/archive.tar.gz"],
        ),
        item(
            CloudAccounts,
            9,
            "AWS production",
            "",
            &["accounts.xml", "accounts.json"],
        ),
        item(Roles, 1, "designer", "", &["roles.xml", "roles.json"]),
        item(Roles, 2, "migration user", "", &["roles.xml", "roles.json"]),
    ]
}

/// Something of every kind is missing, blanked, changed or left behind.
pub fn partial() -> Report {
    let mut report = complete();
    report.completeness = Completeness::Partial;
    report.redacted = true;
    report.notice = Some("Under article 15 of the GDPR we inform you:\n\nYour data are used to run the image factory of Example Corp.\nQuestions: privacy@example.com".to_owned());
    lose_an_appliance(&mut report);
    for section in &mut report.sections {
        match section.section {
            Section::Activities => {
                *section = self::section(section.section, SectionStatus::Unavailable, 0);
                section.reason = Some("the platform refuses it (403): the account lacks the entitlement `user_administrate`".to_owned());
            }
            Section::Blueprints => {
                *section = self::section(section.section, SectionStatus::Unavailable, 0);
                section.reason =
                    Some("the platform does not know it (404): an older version".to_owned());
            }
            Section::Exports => {
                *section = self::section(section.section, SectionStatus::Excluded, 0);
            }
            Section::Usage => {
                section.appeared.push("usage record 4001".to_owned());
                section.recounted = section.recounted.map(|count| count + 1);
            }
            _ => {}
        }
    }
    for file in &mut report.files {
        if file.path.as_str() == "data/cloud-accounts/accounts.xml" {
            file.origin.redactions.push(Redaction {
                rule: RedactionRule::Secret,
                count: 2,
            });
        }
    }
    if let Some(item) = report.items.iter_mut().find(|item| item.id == Some(202)) {
        item.changed_during_export = true;
    }
    report.failures.push(Failure {
        section: Section::MySoftware,
        id: Some(31),
        name: Some("Billing".to_owned()),
        stage: Stage::Delete,
        http_status: Some(503),
        message: "DELETE users/john/mysoftware/31/exports/2: the server is overloaded or being upgraded (503)".to_owned(),
        attempts: 5,
    });
    report
        .notes
        .push("the run was interrupted once and went on where it had stopped".to_owned());
    report
}

fn lose_an_appliance(report: &mut Report) {
    let name = "Legacy build <b>\u{202e}(do not use)\u{202c} — a name that goes on for much longer than anybody who lays out a page would like a name to go on";
    let message = "POST users/john/appliances/204/exports: the server failed (500): \"The appliance has no OS profile\"";
    if let Some(section) = report
        .sections
        .iter_mut()
        .find(|of| of.section == Section::Appliances)
    {
        section.status = SectionStatus::Partial;
        section.reason = Some("one appliance could not be exported".to_owned());
        section.listed = Some(3);
        section.recounted = Some(3);
    }
    let mut lost = item(
        Section::Appliances,
        204,
        name,
        "0.9",
        &["204-legacy-build/appliance.xml"],
    );
    lost.status = ItemStatus::Partial;
    lost.reason = Some(message.to_owned());
    report.items.insert(3, lost);
    report.files.push(file(
        Section::Appliances,
        "data/appliances/204-legacy-build/appliance.xml",
        3_300,
        "application/xml",
        "users/john/appliances/204",
    ));
    report.failures.push(Failure {
        section: Section::Appliances,
        id: Some(204),
        name: Some(name.to_owned()),
        stage: Stage::Start,
        http_status: Some(500),
        message: message.to_owned(),
        attempts: 5,
    });
}
