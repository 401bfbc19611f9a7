use proptest::prelude::*;

use super::*;
use Representation::{Json, Xml};

/// Every value that is shown, with its name, and every secret with whether it is there.
fn shown(form: Representation, text: &str) -> Vec<(String, String)> {
    show(form, text.as_bytes(), |document| {
        let mut found = Vec::new();
        let mut to_see = vec![document.root()];
        while let Some(node) = to_see.pop() {
            if document.is_remark(node) {
                continue;
            }
            let name = document.name(node).to_owned();
            match document.value(node) {
                Shown::Branch => {
                    let children: Vec<usize> = document.children(node).collect();
                    to_see.extend(children.into_iter().rev());
                }
                Shown::Text(text) => found.push((name, text.into_owned())),
                Shown::Secret(value) => found.push((name, format!("secret: {value:?}"))),
                Shown::Nothing => {}
            }
        }
        found
    })
    .unwrap()
}

#[track_caller]
fn check(form: Representation, text: &str, expected: &[(&str, &str)]) {
    let found = shown(form, text);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_secret_is_never_shown_and_it_is_said_whether_it_is_there() {
    check(
        Xml,
        "<a><name>n</name><password>hunter2!</password><secretKey/><token></token></a>",
        &[
            ("name", "n"),
            ("password", "secret: There"),
            ("secretKey", "secret: Absent"),
            ("token", "secret: Empty"),
        ],
    );
    check(
        Json,
        r#"{"a": {"apiKey": 123456, "password": null, "secret": {"deep": [{"x": "y"}]}, "tokens": [], "nb": 3, "on": true}}"#,
        &[
            ("apiKey", "secret: There"),
            ("password", "secret: Absent"),
            ("secret", "secret: There"),
            ("nb", "3"),
            ("on", "true"),
        ],
    );
}

#[test]
fn the_same_secret_is_hidden_wherever_else_it_stands() {
    // `hunter2!` alone and after `john:`, padded and not, and in the other alphabet.
    for word in [
        "aHVudGVyMiE=",
        "aHVudGVyMiE",
        "am9objpodW50ZXIyIQ==",
        "Pz8_aHVudGVyMiE_",
    ] {
        let text = format!("<a><password>hunter2!</password><note>basic {word} end</note></a>");
        check(
            Xml,
            &text,
            &[
                ("password", "secret: There"),
                ("note", "basic REDACTED end"),
            ],
        );
    }
    check(
        Xml,
        "<a><password><![CDATA[hunter2!]]></password><note><![CDATA[it is hunter2!]]> &amp; hunter2!</note><url>https://j:pw@h/?token=abc</url></a>",
        &[
            ("password", "secret: There"),
            ("note", "it is REDACTED & REDACTED"),
            ("url", "https://j:REDACTED@h/?token=REDACTED"),
        ],
    );
}

#[test]
fn a_document_in_a_text_is_read_by_the_same_rules() {
    check(
        Json,
        r#"{"a": {"settings": "{\"user\": \"j\", \"password\": \"hunter2!\"}", "more": "<c><apiKey>zzz</apiKey></c>"}}"#,
        &[
            ("settings", r#"{"user": "j", "password": ""}"#),
            ("more", "<c><apiKey></apiKey></c>"),
        ],
    );
}

#[test]
fn comments_and_instructions_are_no_values() {
    check(
        Xml,
        "<a><!-- password: hunter2! --><?php secret ?><b>one<!-- two -->three<![CDATA[<!-- four -->]]></b>text<c/></a>",
        &[("b", "onethree<!-- four -->"), ("", "text"), ("c", "")],
    );
}

#[test]
fn depth_and_width_cost_neither_stack_nor_patience() {
    let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    assert_eq!(shown(Json, &deep).len(), 1);
    let secret = format!("{{\"secret\": {deep}}}");
    check(Json, &secret, &[("secret", "secret: There")]);
    let wide = format!("<a>{}</a>", "<b>1</b>".repeat(50_000));
    assert_eq!(shown(Xml, &wide).len(), 50_000);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

proptest! {
    #[test]
    fn no_text_that_is_shown_holds_a_secret(
        secret in "[A-Za-z0-9!@#%&<>]{8,24}",
        before in "\\PC{0,12}",
        after in "\\PC{0,12}",
        json in any::<bool>(),
    ) {
        let note = format!("{before}{secret}{after}");
        let coded = base64::prelude::BASE64_STANDARD.encode(format!("u:{secret}"));
        let found = if json {
            let document = serde_json::json!({ "a": { "secretAccessKeyId": secret, "note": note, "coded": coded } });
            shown(Json, &document.to_string())
        } else {
            shown(Xml, &format!("<a x='{}'><secretAccessKeyId>{}</secretAccessKeyId><note>{}</note><coded>{coded}</coded></a>", escaped(&secret), escaped(&secret), escaped(&note)))
        };
        for (name, text) in found {
            prop_assert!(!text.contains(&secret), "{name}");
            prop_assert!(!text.contains(&coded), "{name}");
        }
    }
}
