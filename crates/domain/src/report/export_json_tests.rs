//! `export.json` as it is written and read.

use serde_json::{Value, json};

use super::super::sample;
use super::super::schema::export_json_schema;
use super::*;

fn written(report: &Report) -> Value {
    serde_json::from_slice(&export_json(report)).unwrap()
}

fn check(report: &Report) {
    let schema: Value = serde_json::from_str(&export_json_schema()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = schema
        .iter_errors(&written(report))
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn reports_of_every_kind_keep_to_the_schema() {
    check(&sample::complete());
    check(&sample::partial());
    check(&sample::empty());
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let schema: Value = serde_json::from_str(&export_json_schema()).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    let schema = jsonschema::validator_for(&schema).unwrap();
    let right = written(&sample::partial());
    for (pointer, wrong) in [
        ("/format", json!("uforge-export/2")),
        ("/outcome", json!("fine")),
        ("/user", Value::Null),
        ("/sections/0/name", json!("secrets")),
        ("/files/0/sha256", json!("abc")),
        ("/files/0/path", json!("../x")),
        ("/coverage/0", json!({"resource": "users/{uid}"})),
    ] {
        let mut broken = right.clone();
        *broken.pointer_mut(pointer).unwrap() = wrong;
        assert!(!schema.is_valid(&broken), "{pointer}");
    }
}

#[test]
fn names_and_nesting_are_the_contract_s() {
    let json = written(&sample::partial());
    assert_eq!(json["format"], "uforge-export/1");
    assert_eq!(json["tool"]["name"], "uforge-export");
    assert_eq!(json["source"]["uforge_version"], "3.8.13");
    assert_eq!(json["outcome"], "partial");
    let appliances = &json["sections"][1];
    assert_eq!(appliances["name"], "appliances");
    assert_eq!(appliances["basis"], "provided");
    assert_eq!(appliances["reason"], "one appliance could not be exported");
    assert_eq!(json["sections"][0]["reason"], Value::Null);
    let failure = &json["failures"][0];
    assert_eq!(failure["stage"], "start");
    assert_eq!(failure["http_status"], 500);
    assert_eq!(
        json["coverage"][0],
        json!({"resource": "users/{uid}", "section": "profile"})
    );
    assert!(
        json["coverage"].as_array().unwrap().contains(&json!({
            "resource": "users/{uid}/appliances/{aid}/bootscripts", "section": "appliances", "inside": "archive", "fallback": true
        }))
    );
}

#[test]
fn what_was_blanked_is_counted_by_file_and_rule() {
    let json = written(&sample::partial());
    assert_eq!(
        json["redactions"],
        json!([{"path": "data/cloud-accounts/accounts.xml", "rule": "secret", "count": 2}])
    );
}

#[test]
fn hostile_names_stand_in_it_as_they_are() {
    let mut report = sample::partial();
    report.items[0].name = Some("../\u{202e}\u{0}\"<script>".to_owned());
    assert_eq!(
        written(&report)["items"][0]["name"],
        "../\u{202e}\u{0}\"<script>"
    );
    check(&report);
}
