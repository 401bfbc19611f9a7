use proptest::prelude::*;

use super::*;

#[test]
fn an_empty_file_is_the_demo() {
    let scenario = Scenario::from_toml("").unwrap();
    assert_eq!(scenario.data.accounts, 14);
    assert!(scenario.faults.is_empty());
}

#[test]
fn every_fault_of_the_documentation_can_be_read() {
    let documentation = include_str!("../../../../docs/sandbox.md");
    let examples: Vec<&str> = documentation
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() > 5, "only {} examples", examples.len());
    for example in examples {
        if let Err(error) = Scenario::from_toml(example) {
            panic!("{example}\n{error:?}");
        }
    }
}

#[test]
fn toml_and_json_say_the_same() {
    let toml = Scenario::from_toml(
        r#"
        [[faults]]
        request = "GET users/*/appliances"
        times = "always"
        fault = { refuse = { status = 503, retry-after = 7 } }
        "#,
    )
    .unwrap();
    let json = Scenario::from_json(
        r#"{"faults": [{"request": "GET users/*/appliances", "times": "always", "fault": {"refuse": {"status": 503, "retry-after": 7}}}]}"#,
    )
    .unwrap();
    assert_eq!(format!("{toml:?}"), format!("{json:?}"));
}

#[test]
fn an_unknown_key_is_an_error_that_names_it() {
    let error = Scenario::from_toml("sede = 3").unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("sede"), "{cause}");
}

#[test]
fn a_file_of_another_format_is_refused() {
    let error = Scenario::load(Path::new("scenario.yaml")).unwrap_err();
    assert!(matches!(error, ScenarioError::UnknownFormat { .. }));
}

#[test]
fn a_person_is_printed_without_secrets() {
    let person = Person::leaver();
    let printed = format!("{person:?}");
    assert!(!printed.contains(&person.password) && !printed.contains(&person.secret_key));
}

#[test]
fn patterns_match_segment_by_segment() {
    let check = |pattern: &str, method: &str, path: &str, expected: bool| {
        let segments: Vec<&str> = path.split('/').collect();
        let pattern: RequestPattern = pattern.parse().unwrap();
        assert_eq!(
            pattern.matches(method, &segments),
            expected,
            "{pattern} against {method} {path}"
        );
    };
    check("GET users/*/appliances", "GET", "users/jo/appliances", true);
    check(
        "GET users/*/appliances",
        "POST",
        "users/jo/appliances",
        false,
    );
    check(
        "GET users/*/appliances",
        "GET",
        "users/jo/appliances/201",
        false,
    );
    check(
        "* users/*/appliances/**",
        "DELETE",
        "users/jo/appliances/201/exports/7",
        true,
    );
    check(
        "GET users/*/appliances/**",
        "GET",
        "users/jo/appliances",
        true,
    );
    check("GET users/*/appliances/**", "GET", "users/jo", false);
    check(
        "GET users/*/exports/statuses",
        "GET",
        "users/jo/exports/statuses",
        true,
    );
}

proptest! {
    #[test]
    fn reading_a_scenario_never_panics(text in ".{0,200}") {
        let _ = Scenario::from_toml(&text);
        let _ = Scenario::from_json(&text);
    }

    #[test]
    fn a_pattern_is_read_back_as_it_is_printed(method in "[A-Z]{1,6}", path in "[a-z*]{1,5}(/[a-z*]{1,5}){0,4}") {
        let pattern: RequestPattern = format!("{method} {path}").parse().unwrap();
        prop_assert_eq!(pattern.to_string().parse::<RequestPattern>().unwrap(), pattern);
    }
}
