//! What a platform refuses, does not know, or does not hold.

use std::collections::BTreeSet;

use domain::model::{Section, Strictness};
use domain::report::{Completeness, ItemStatus, SectionStatus};
use domain::workflow::RunError;
use tests::kit::{Visit, small};

const OLD_AND_POOR: &str = r#"
    [access]
    unknown = ["blueprints", "deployments"]
    missing-entitlements = ["api_key_access", "migration_access"]
"#;

const NOT_HAD: [Section; 6] = [
    Section::ApiKeys,
    Section::Scans,
    Section::ScannedInstances,
    Section::Migrations,
    Section::Deployments,
    Section::Blueprints,
];

#[tokio::test]
async fn a_section_that_is_refused_or_unknown_is_unavailable_and_says_why() {
    let visit = Visit::to(small(OLD_AND_POOR)).await;
    let ended = visit.export().await;
    ended.assert_whole(&visit);
    for section in &ended.report().sections {
        let expected = if NOT_HAD.contains(&section.section) {
            SectionStatus::Unavailable
        } else {
            SectionStatus::Complete
        };
        assert_eq!(section.status, expected, "{}", section.section);
    }
    let reason = |section| ended.section(section).reason.clone().unwrap_or_default();
    assert!(reason(Section::ApiKeys).contains("`api_key_access`"));
    assert!(reason(Section::Blueprints).contains("(404): an older version"));
}

#[tokio::test]
async fn a_strict_order_is_partial_without_them() {
    let mut visit = Visit::to(small(OLD_AND_POOR)).await;
    visit.order.strictness = Strictness::EverySection;
    let ended = visit.export().await;
    assert_eq!(ended.report().completeness, Completeness::Partial);
}

#[tokio::test]
async fn without_a_core_section_the_bag_is_partial() {
    let visit = Visit::to(small(
        "access = { missing-entitlements = [\"appliance_create\"] }",
    ))
    .await;
    let ended = visit.export().await;
    assert_eq!(ended.report().completeness, Completeness::Partial);
    assert_eq!(
        ended.section(Section::Appliances).status,
        SectionStatus::Unavailable
    );
    assert_eq!(
        ended.section(Section::Profile).status,
        SectionStatus::Complete
    );
}

#[tokio::test]
async fn bundles_that_may_be_seen_but_not_exported_are_named_one_by_one() {
    let visit = Visit::to(small(
        "access = { missing-entitlements = [\"software_upload\"] }",
    ))
    .await;
    let ended = visit.export().await;
    let missing = ["archive of Software 301", "archive of Software 302"].map(str::to_owned);
    assert_eq!(ended.missing(&visit), BTreeSet::from(missing));
    for item in ended
        .report()
        .items
        .iter()
        .filter(|item| item.section == Section::MySoftware)
    {
        assert_eq!(item.status, ItemStatus::Partial);
        assert!(item.reason.as_ref().unwrap().contains("(403)"), "{item:?}");
    }
}

#[tokio::test]
async fn an_account_whose_secrets_the_platform_lost_is_incomplete() {
    let visit = Visit::to(small(
        r#"
        [[items]]
        kind = "account"
        id = 402
        faults = ["secrets-missing"]
        "#,
    ))
    .await;
    let ended = visit.export().await;
    let failure = ended.only_failure();
    assert_eq!(failure.id, Some(402));
    assert!(
        failure.message.contains("secretsMissing"),
        "{}",
        failure.message
    );
    assert_eq!(ended.missing(&visit), BTreeSet::new());
}

#[tokio::test]
async fn nothing_at_all_is_no_bag() {
    let visit = Visit::to(small(
        r#"access = { forbidden = ["appliances", "mysoftware", "accounts"], unknown = ["profile"] }"#,
    ))
    .await;
    let ended = visit.export().await;
    assert!(
        matches!(ended.result, Err(RunError::NothingAvailable { .. })),
        "{:?}",
        ended.result
    );
    assert!(ended.sink.state().tags.is_none());
}

#[tokio::test]
async fn a_wrong_password_is_no_bag() {
    let mut visit = Visit::to(small("")).await;
    visit.settings.credentials = adapters_http::Credentials::Password {
        login: "jleaver".to_owned(),
        password: "wrong".into(),
    };
    let ended = visit.export().await;
    assert!(
        matches!(ended.result, Err(RunError::Unauthorized { .. })),
        "{:?}",
        ended.result
    );
    let refused = "GET users/jleaver".parse().unwrap();
    assert_eq!(visit.platform.platform().count_requests(&refused), 1);
}
