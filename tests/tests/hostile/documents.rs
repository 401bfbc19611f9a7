//! Documents that no platform should send.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::model::Section;
use domain::report::SectionStatus;
use domain::workflow::RunError;
use tests::kit::{Visit, small, start};

const LIMIT: u64 = 300_000;

/// What the platform sends, and what a person reads.
const BROKEN: [(&str, &str); 11] = [
    (
        "\"doctype\"",
        "document type definition, which is not accepted",
    ),
    (
        "\"entity-expansion\"",
        "document type definition, which is not accepted",
    ),
    (
        "{ deep-xml = { levels = 10000 } }",
        "nested deeper than 500 levels",
    ),
    ("\"endless-list\"", "larger than the limit of 300000 bytes"),
    (
        "{ huge-document = { bytes = 10737418240 } }",
        "larger than the limit of 300000 bytes",
    ),
    ("\"invalid-utf8\"", "UTF-8"),
    ("\"json-for-xml\"", "cannot be read"),
    ("\"html-login\"", "this is not a UForge answer: `text/html`"),
    (
        "{ redirect = { location = \"https://elsewhere.example/login?token=s3cret\" } }",
        "redirects to `https://elsewhere.example/login`, which is not followed",
    ),
    ("{ damaged = \"empty\" }", "cannot be read"),
    (
        "{ damaged = { truncated = { after = 50 } } }",
        "broke off after",
    ),
];

fn always(request: &str, fault: &str) -> String {
    format!("[[faults]]\nrequest = \"{request}\"\ntimes = \"always\"\nfault = {fault}\n")
}

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_list_that_cannot_be_read_costs_only_its_section() {
    for (fault, words) in BROKEN {
        let mut visit = Visit::to(small(&always("GET users/*/roles", fault))).await;
        visit.settings.document_limit_bytes = LIMIT;
        let ended = visit.export().await;
        let missing = names(&["users/jleaver/roles xml", "users/jleaver/roles json"]);
        assert_eq!(ended.missing(&visit), missing, "{fault}");
        let failure = ended.only_failure();
        assert!(
            failure.message.contains(words),
            "{fault}: {}",
            failure.message
        );
        assert!(!failure.message.contains("s3cret"));
        assert_eq!(
            ended.section(Section::Roles).status,
            SectionStatus::Unavailable
        );
    }
}

#[tokio::test]
async fn a_core_list_that_cannot_be_read_leaves_the_other_sections() {
    for (fault, words) in BROKEN {
        let mut visit = Visit::to(small(&always("GET users/*/mysoftware", fault))).await;
        visit.settings.document_limit_bytes = LIMIT;
        let ended = visit.export().await;
        assert!(
            ended
                .missing(&visit)
                .iter()
                .all(|name| name.contains("oftware")),
            "{fault}"
        );
        assert!(ended.only_failure().message.contains(words), "{fault}");
        assert!(
            ended.payload().contains_key("archive of Appliance 203"),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn an_object_that_cannot_be_read_still_has_its_archive() {
    for (fault, words) in BROKEN {
        let mut visit = Visit::to(small(&always("GET users/*/appliances/201", fault))).await;
        visit.settings.document_limit_bytes = LIMIT;
        let ended = visit.export().await;
        let failure = ended.only_failure();
        assert_eq!(failure.id, Some(201));
        assert!(
            failure.message.contains(words),
            "{fault}: {}",
            failure.message
        );
        let missing = ended.missing(&visit);
        assert!(missing.contains("users/jleaver/appliances/201 xml"));
        assert!(
            missing.iter().all(|name| name.contains("appliances/201")),
            "{missing:?}"
        );
    }
}

#[tokio::test]
async fn what_is_packed_on_its_way_is_kept_as_it_was() {
    let toml: String = [
        "GET users/*/roles",
        "GET users/*/mysoftware",
        "GET users/*/appliances/201",
        "GET users/*/appliances/202/exports/*/status",
    ]
    .iter()
    .map(|request| always(request, "\"gzip-encoding\""))
    .collect();
    let visit = Visit::to(small(&toml)).await;
    visit.export().await.assert_whole(&visit);
}

#[tokio::test]
async fn a_broken_json_twin_is_named_and_the_xml_is_kept() {
    for (fault, _) in BROKEN.iter().filter(|(fault, _)| {
        !["doctype", "entity", "json-for-xml", "deep"]
            .iter()
            .any(|xml| fault.contains(xml))
    }) {
        let toml = format!(
            "[[faults]]\nrequest = \"GET users/*/accounts/402\"\nfirst = 2\ntimes = \"always\"\nfault = {fault}\n"
        );
        let mut visit = Visit::to(small(&toml)).await;
        visit.settings.document_limit_bytes = LIMIT;
        let ended = visit.export().await;
        let missing = names(&["users/jleaver/accounts/402 json"]);
        assert_eq!(
            ended.missing(&visit),
            missing,
            "{fault}: {:?}",
            ended.failures()
        );
        assert_eq!(ended.only_failure().id, Some(402));
    }
}

#[tokio::test]
async fn a_login_page_everywhere_is_no_platform() {
    let visit = Visit::to(small(&always("* **", "\"html-login\""))).await;
    let ended = visit.export().await;
    let Err(RunError::Platform(error)) = &ended.result else {
        panic!("{:?}", ended.result.as_ref().map(|report| &report.failures));
    };
    assert!(
        error.to_string().contains("this is not a UForge answer"),
        "{error}"
    );
    assert!(ended.sink.state().tags.is_none());
}

#[tokio::test]
async fn a_login_page_for_all_data_is_reported_as_one() {
    let visit = Visit::to(small(&always("* users/**", "\"html-login\""))).await;
    let ended = visit.export().await;
    assert!(ended.result.is_err(), "{:?}", ended.failures());
}

#[tokio::test]
async fn nobody_else_is_asked_whatever_a_document_says() {
    let elsewhere = start(small("")).await;
    let base = elsewhere.url();
    for fault in [
        format!("{{ foreign-uris = {{ base = \"{base}/\" }} }}"),
        format!("{{ redirect = {{ location = \"{base}/users/jleaver\", status = 302 }} }}"),
        format!("{{ redirect = {{ location = \"{base}/users/jleaver\", status = 307 }} }}"),
        format!("{{ redirect = {{ location = \"{base}/users/jleaver\", status = 308 }} }}"),
    ] {
        let visit = Visit::to(small(&always("* users/*/appliances/**", &fault))).await;
        let ended = visit.export().await;
        assert!(
            ended.payload().contains_key("archive of Software 301"),
            "{fault}"
        );
        assert_eq!(elsewhere.platform().requests_in_all(), 0, "{fault}");
    }
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_not_followed_either() {
    let visit = Visit::to(small(&always(
        "GET users/*/quotas",
        "{ redirect = { location = \"/api/users/jleaver/roles\" } }",
    )))
    .await;
    let ended = visit.export().await;
    assert_eq!(ended.only_failure().section, Section::Quotas);
    let asked = "GET users/*/roles".parse().unwrap();
    // XML, JSON, and once more at the end.
    assert_eq!(visit.platform.platform().count_requests(&asked), 3);
}

#[tokio::test]
async fn headers_one_byte_a_second_end_in_time() {
    let visit = Visit::to(small(&always(
        "GET users/*/roles",
        "{ slow = { bytes-per-second = 1 } }",
    )))
    .await
    .only([Section::Profile, Section::Roles])
    .with_silence(Duration::from_millis(250));
    let ended = visit.export().await;
    let failure = ended.only_failure();
    assert_eq!(failure.section, Section::Roles);
    assert!(
        failure.message.contains("no byte received"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_photo_that_is_not_what_the_platform_published_is_named() {
    for damage in [
        "{ bit-flip = { at = 100 } }",
        "{ silently-truncated = { after = 20 } }",
        "\"html\"",
        "\"empty\"",
    ] {
        let visit = Visit::to(small(&always(
            "GET users/*/photo/*",
            &format!("{{ damaged = {damage} }}"),
        )))
        .await;
        let ended = visit.export().await;
        let failure = ended.only_failure();
        assert_eq!(failure.section, Section::Profile);
        assert!(
            failure.message.starts_with("the photo"),
            "{}",
            failure.message
        );
        assert_eq!(ended.missing(&visit).len(), 1, "{damage}");
    }
}
