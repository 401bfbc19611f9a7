use serde_json::json;

use super::*;
use crate::ports::CheckFailure;

const PATH: &str = "data/appliances/201-shop/archive.tar.gz";

fn bag(section: &str, files: &[&str]) -> RecordedExport {
    let export_json = json!({
        "format": "uforge-export/1",
        "items": [{
            "section": section, "id": 201, "name": "shop", "version": "1.0", "reason": "no OS profile", "files": files,
        }],
    });
    RecordedExport::read(export_json.to_string().as_bytes()).unwrap()
}

fn template() -> Described {
    Described {
        described_as: DescribedAs::Template,
        is_known_form: true,
        name: Some("shop".to_owned()),
        version: Some("1.0".to_owned()),
    }
}

fn inside(described: Option<Described>, problems: Vec<InnerProblem>) -> BTreeMap<String, Inside> {
    let inside = Inside {
        described,
        problems,
    };
    BTreeMap::from([(PATH.to_owned(), inside)])
}

#[track_caller]
fn check(
    section: &str,
    inside: &BTreeMap<String, Inside>,
    findings: &[Finding],
    verdict: ImportVerdict,
    words: &str,
) {
    let found = importable(&bag(section, &[PATH]), inside, findings);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].verdict, verdict, "{found:?}");
    let said: Vec<String> = found[0].obstacles.iter().map(ToString::to_string).collect();
    assert!(said.join("; ").contains(words), "{said:?}");
}

#[test]
fn a_whole_archive_is_expected_to_be_imported() {
    let whole = inside(Some(template()), vec![]);
    check("appliances", &whole, &[], ImportVerdict::Expected, "");
    let numbered = Described {
        version: Some(String::new()),
        ..template()
    };
    let numbered = inside(Some(numbered), vec![]);
    check("appliances", &numbered, &[], ImportVerdict::Expected, "");
}

#[test]
fn what_no_platform_takes_is_refused_with_the_reason() {
    use ImportVerdict::Refused;
    let whole = inside(Some(template()), vec![]);
    let damaged = [Finding::Archive {
        path: PATH.to_owned(),
        failure: CheckFailure::Damaged,
    }];
    check("appliances", &whole, &damaged, Refused, "damaged");
    check(
        "appliances",
        &BTreeMap::new(),
        &[],
        Refused,
        "damaged or missing",
    );
    check("mysoftware", &whole, &[], Refused, "bundle is needed");
    let lacks = InnerProblem::Lacks {
        file: "boot.sh".to_owned(),
        by: "template.yml".to_owned(),
    };
    let lacking = inside(Some(template()), vec![lacks]);
    check("appliances", &lacking, &[], Refused, "`boot.sh` is named");
    let nameless = Described {
        name: None,
        ..template()
    };
    let nameless = inside(Some(nameless), vec![]);
    check("appliances", &nameless, &[], Refused, "gives no name");
    let found = importable(&bag("appliances", &["data/x.xml"]), &whole, &[]);
    let words = found[0].obstacles[0].to_string();
    assert_eq!(words, "the bag holds no archive of it: no OS profile");
}

#[test]
fn what_a_platform_may_refuse_is_a_doubt() {
    use ImportVerdict::Doubtful;
    for (described, words) in [
        (
            Described {
                is_known_form: false,
                name: None,
                ..template()
            },
            "does not know",
        ),
        (
            Described {
                name: Some("x".repeat(256)),
                ..template()
            },
            "256 characters",
        ),
        (
            Described {
                version: Some("2.0".to_owned()),
                ..template()
            },
            "another version",
        ),
    ] {
        let inside = inside(Some(described), vec![]);
        check("appliances", &inside, &[], Doubtful, words);
    }
}

#[test]
fn software_comes_first_and_other_sections_are_left_out() {
    let item = |section: &str| json!({"section": section, "id": 1});
    let export_json = json!({
        "format": "uforge-export/1",
        "items": [item("appliances"), item("images"), item("mysoftware")],
    });
    let recorded = RecordedExport::read(export_json.to_string().as_bytes()).unwrap();
    let sections: Vec<_> = importable(&recorded, &BTreeMap::new(), &[])
        .iter()
        .map(|found| found.section.name())
        .collect();
    assert_eq!(sections, ["mysoftware", "appliances"]);
}

#[test]
fn of_several_archives_the_last_counts() {
    let files = [
        "data/a/archive.tar.gz",
        "data/a/a.xml",
        "data/a/archive-2.tar.gz",
    ];
    let bag = bag("appliances", &files);
    assert_eq!(archive_of(&bag.items[0]), Some("data/a/archive-2.tar.gz"));
}
