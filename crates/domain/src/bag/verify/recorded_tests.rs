use std::io::Read as _;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(text: &str) -> Result<RecordedExport, serde_json::Error> {
    RecordedExport::read(text.as_bytes())
}

#[test]
fn what_a_newer_version_adds_is_passed_over() {
    let recorded = read(
        r#"{"format": "uforge-export/1", "new": [[{}]], "source": {"url": "u", "x": 1},
            "sections": [{"name": "moods", "status": "complete"}, {"name": "roles", "status": "partial"},
                         {"name": "scans", "status": "excluded"}],
            "items": [{"id": 1, "files": ["a", "b/c"], "mood": null}],
            "failures": [{"section": "scans", "stage": "wait", "http_status": 500, "message": "m", "x": 1}]}"#,
    )
    .unwrap();
    assert_eq!(recorded.source.url.as_deref(), Some("u"));
    assert_eq!(recorded.selected(), [Section::Roles].into());
    let paths: Vec<_> = recorded.items[0].files.iter().collect();
    assert_eq!(paths, ["a", "b/c"]);
    let failure = serde_json::to_value(&recorded.failures[0]).unwrap();
    assert_eq!(
        failure,
        json!({"section": "scans", "id": null, "name": null, "stage": "wait", "http_status": 500, "message": "m", "attempts": 0})
    );
}

#[test]
fn values_of_a_wrong_kind_are_an_error_with_its_line() {
    let right = json!({
        "format": "uforge-export/1", "source": {"url": "u"}, "user": "john",
        "sections": [{"name": "roles", "status": "complete", "excluded": 0}],
        "items": [{"section": "roles", "id": 1, "digest": "d", "files": ["data/a"]}],
        "files": [{"path": "data/a", "bytes": 1, "sha256": Sha256::of(b"").to_string()}],
    });
    read(&right.to_string()).unwrap();
    for pointer in [
        "/format",
        "/source/url",
        "/user",
        "/sections",
        "/sections/0",
        "/sections/0/excluded",
        "/items",
        "/items/0/id",
        "/items/0/digest",
        "/items/0/files",
        "/items/0/files/0",
        "/files/0/path",
        "/files/0/bytes",
        "/files/0/sha256",
    ] {
        for wrong in [json!(true), json!({"a": [1]}), json!(-1.5), json!([[]])] {
            let mut value = right.clone();
            *value.pointer_mut(pointer).unwrap() = wrong.clone();
            let text = serde_json::to_string_pretty(&value).unwrap();
            let error = read(&text).expect_err(&format!("{wrong} at {pointer}"));
            assert!(error.line() > 1 && !error.is_eof(), "{pointer}: {error}");
        }
    }
    assert!(read(r#"{"format": "x", "source": []}"#).is_err());
    for path in ["", "a\nb", "a\rb"] {
        assert!(read(&json!({"format": "x", "items": [{"files": [path]}]}).to_string()).is_err());
    }
}

#[test]
fn a_list_without_end_is_given_up_and_costs_no_more_than_its_limit() {
    for (list, element) in [("items", "{},"), ("sections", r#"{"name":""},"#)] {
        let start = format!(r#"{{"format": "uforge-export/1", "{list}": ["#);
        let endless = start
            .as_bytes()
            .chain(Repeated::of(element).take(13_000_000));
        assert!(
            RecordedExport::read(io::BufReader::new(endless)).is_err(),
            "{list}"
        );
    }
}

/// A text over and over.
struct Repeated {
    text: &'static str,
    at: usize,
}

impl Repeated {
    fn of(text: &'static str) -> Self {
        Self { text, at: 0 }
    }
}

impl io::Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for byte in &mut *buffer {
            *byte = self.text.as_bytes()[self.at];
            self.at = (self.at + 1) % self.text.len();
        }
        Ok(buffer.len())
    }
}

#[test]
fn what_nests_without_end_is_refused() {
    for open in ["[", r#"{"a":"#] {
        let deep = format!(r#"{{"format": "x", "y": {}"#, open.repeat(1_000_000));
        assert!(read(&deep).is_err());
    }
}

#[test]
fn the_ticket_is_read_from_the_request_of_its_download() {
    for (request, ticket) in [
        (
            "GET users/john/appliances/201/exports/12/downloads",
            Some(12),
        ),
        ("GET users/john/mysoftware/2/exports/7/downloads", Some(7)),
        ("GET users/john/appliances/201/exports/x/downloads", None),
        ("GET users/john/exports", None),
        ("GET users/john/exports/9", None),
        ("/downloads", None),
    ] {
        assert_eq!(ticket_in(request), ticket, "{request}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = RecordedExport::read(&bytes[..]);
    }

    #[test]
    fn any_json_is_read_or_refused(text in r#"\{"(format|items|files|sections)":("uforge-export/1"|[\[\]{}:,"a-f0-9]{0,60})\}"#) {
        let _ = read(&text);
    }
}
