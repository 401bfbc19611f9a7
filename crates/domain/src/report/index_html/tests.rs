use std::collections::BTreeSet;

use super::super::sample;
use super::*;
use crate::model::{BagPath, Section};
use crate::report::{ItemReport, ItemStatus};

fn page(report: &Report) -> String {
    let mut page = Vec::new();
    write(report, &sample::views(report), &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

/// Every value of an attribute, as written.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let opening = format!(" {attribute}=\"");
    page.split(opening.as_str())
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn a_partial_run_reads_as_one() {
    insta::assert_snapshot!(page(&sample::partial()));
}

#[test]
fn every_file_of_the_bag_is_linked() {
    for report in [sample::complete(), sample::partial()] {
        let page = page(&report);
        let links: BTreeSet<&str> = values(&page, "href").into_iter().collect();
        for file in &report.files {
            assert!(links.contains(file.path.as_str()), "{}", file.path);
        }
    }
}

#[test]
fn links_lead_into_the_bag_or_to_a_place_on_the_page() {
    let page = page(&sample::partial());
    let ids: Vec<&str> = values(&page, "id");
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len());
    for link in values(&page, "href") {
        match link.strip_prefix('#') {
            Some(place) => assert!(ids.contains(&place), "{link}"),
            None => assert!(crate::model::BagPath::parse(link).is_ok(), "{link}"),
        }
    }
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    let page = page(&sample::partial()).to_lowercase();
    assert!(page.contains("content=\"default-src 'none';"));
    for forbidden in [
        "<script", "<link", "<iframe", "<img", "url(", "@import", " onclick", " onload", " src=",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn hostile_names_are_text_and_keep_their_direction_to_themselves() {
    let mut report = sample::partial();
    report.items[1].name = Some("<img src=x onerror=alert(1)>\u{202e}\u{1b}[0m".to_owned());
    report.failures[0].message = "</bdi></ul><script>alert(1)</script>".to_owned();
    report.notice = Some("<style>*{display:none}</style>".to_owned());
    report.source = "https://x/\"><script>".to_owned();
    let page = page(&report);
    assert!(!page.contains("<img") && !page.contains("<script") && !page.contains("<style>*"));
    assert!(
        page.contains("<bdi>&#60;img src=x onerror=alert(1)&#62;\u{202e}\u{fffd}[0m</bdi>"),
        "{page}"
    );
}

#[test]
fn everything_missing_is_named_with_its_reason_before_the_data() {
    let page = page(&sample::partial());
    let (missing, data) = (
        page.find("id=\"missing\"").unwrap(),
        page.find("id=\"data\"").unwrap(),
    );
    for words in [
        "The appliance has no OS profile",
        "user_administrate",
        "an older version",
        "SUSE base",
        "The run was interrupted once",
    ] {
        let place = page.find(words).unwrap();
        assert!((missing..data).contains(&place), "{words}");
    }
}

#[test]
fn a_bag_with_nothing_missing_says_so() {
    let page = page(&sample::complete());
    assert!(page.contains("Nothing that was selected is missing."));
    assert!(page.contains("<strong>Complete.</strong>"));
    assert!(!page.contains("id=\"notice\""));
}

#[test]
fn an_account_with_very_many_records_still_makes_a_page() {
    let mut report = sample::complete();
    report.items.extend((0..100_000).map(|id| ItemReport {
        reused_from: None,
        section: Section::Usage,
        id: Some(id),
        name: Some(format!("ticket {id}")),
        version: None,
        uri: None,
        digest: None,
        last_modified: None,
        changed_during_export: false,
        status: ItemStatus::Complete,
        reason: None,
        files: vec![BagPath::parse("data/usage/usage.xml").unwrap()],
    }));
    let page = page(&report);
    assert!(page.len() < 1_000_000, "{}", page.len());
    assert!(page.contains("98,000 more"));
    // Closed: a long list does not stand in the way of what follows it.
    assert!(page.contains("<details>\n      <summary>100,000 usage records</summary>"));
}
