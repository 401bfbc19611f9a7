//! The promises of [`AuditLog`].

use std::time::Duration;

use domain::jobs::{
    AuditAction, AuditEntry, AuditLog, AuditPage, DownloadRecord, NumberedEntry, TransferEntry,
};
use domain::model::Sha256;
use futures_util::future::join_all;
use jiff::Timestamp;

use super::job_store::{id, user};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a moment")
}

fn entry(detail: &str) -> AuditEntry {
    AuditEntry {
        at: Timestamp::constant(1_764_000_000, 123_456_789),
        action: AuditAction::ExportReady,
        actor: Some(user("john")),
        subject: Some(user("mary")),
        from: Some("192.0.2.1".to_owned()),
        export: Some(id(1)),
        sha256: Some(Sha256::of(b"x")),
        bytes: Some(7),
        detail: Some(detail.to_owned()),
    }
}

fn transfer(second: i64, offset: u64, bytes: u64) -> TransferEntry {
    TransferEntry {
        at: at(second),
        actor: user("john"),
        subject: user("mary"),
        from: "192.0.2.1".to_owned(),
        export: id(1),
        sha256: Sha256::of(b"x"),
        offset,
        bytes,
    }
}

async fn all(log: &dyn AuditLog) -> Vec<NumberedEntry> {
    let page = AuditPage {
        before: None,
        limit: 1000,
    };
    log.page(page).await.expect("a page")
}

/// Entries come back as they were, newest first, in pages, numbered without gaps.
pub async fn entries_are_numbered_without_gaps(log: &dyn AuditLog) {
    let details: Vec<String> = (0..20).map(|number| format!("entry {number}")).collect();
    let appended = details.iter().map(|detail| log.append(entry(detail)));
    let mut numbers: Vec<u64> = Vec::new();
    for (appended, detail) in join_all(appended).await.into_iter().zip(&details) {
        let number = appended.expect("it is appended");
        let page = AuditPage {
            before: Some(number + 1),
            limit: 1,
        };
        let found = log.page(page).await.expect("a page");
        assert_eq!(
            found,
            [NumberedEntry {
                number,
                entry: entry(detail)
            }]
        );
        numbers.push(number);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    let found = all(log).await.into_iter().map(|found| found.number);
    assert_eq!(
        found.collect::<Vec<_>>(),
        (1..=20).rev().collect::<Vec<_>>()
    );
    let page = AuditPage {
        before: Some(4),
        limit: 2,
    };
    let found = log.page(page).await.expect("a page");
    assert_eq!(
        found.iter().map(|found| found.number).collect::<Vec<_>>(),
        [3, 2]
    );
    let page = AuditPage {
        before: Some(1),
        limit: 2,
    };
    assert!(log.page(page).await.expect("a page").is_empty());
}

/// An entry of the service itself has nobody who did it.
pub async fn an_entry_may_lack_everything(log: &dyn AuditLog) {
    let bare = AuditEntry {
        actor: None,
        subject: None,
        from: None,
        export: None,
        sha256: None,
        bytes: None,
        detail: None,
        ..entry("")
    };
    for action in AuditAction::ALL {
        log.append(AuditEntry {
            action,
            ..bare.clone()
        })
        .await
        .expect("it is appended");
    }
    let found = all(log)
        .await
        .into_iter()
        .rev()
        .map(|found| found.entry.action);
    assert_eq!(found.collect::<Vec<_>>(), AuditAction::ALL);
    assert_eq!(all(log).await[0].entry.actor, None);
}

/// A download is one entry, however many ranges it took.
pub async fn a_download_is_one_entry(log: &dyn AuditLog) {
    let transfers = (0..50).map(|number| log.append_transfer(transfer(1_000, number, 1)));
    for number in join_all(transfers).await {
        assert_eq!(number.expect("it is appended"), 1);
    }
    let pause = i64::try_from(DownloadRecord::PAUSE.as_secs()).expect("seconds");
    let same = log.append_transfer(transfer(1_000 + pause, 50, 50)).await;
    assert_eq!(same.expect("it is appended"), 1);
    let found = all(log).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].entry.action, AuditAction::Downloaded);
    assert_eq!(found[0].entry.bytes, Some(100));
    assert_eq!(found[0].entry.sha256, Some(Sha256::of(b"x")));
    let last = Duration::from_secs(1_000) + DownloadRecord::PAUSE * 2;
    let later = i64::try_from(last.as_secs()).expect("seconds") + 1;
    let others = [
        transfer(later, 0, 5),
        TransferEntry {
            actor: user("anna"),
            ..transfer(1_000, 0, 5)
        },
        TransferEntry {
            from: "192.0.2.9".to_owned(),
            ..transfer(1_000, 0, 5)
        },
        TransferEntry {
            export: id(2),
            ..transfer(1_000, 0, 5)
        },
    ];
    for (other, number) in others.into_iter().zip(2..) {
        let appended = log.append_transfer(other).await;
        assert_eq!(appended.expect("it is appended"), number);
    }
}
