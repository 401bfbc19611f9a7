use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use Representation::{Json, Xml};

fn secrets(form: Representation, text: &str) -> (String, u64) {
    let blanked = redact_secrets(form, text.as_bytes()).unwrap();
    (String::from_utf8(blanked.bytes).unwrap(), blanked.count)
}

fn others(form: Representation, text: &str) -> (String, u64) {
    let john = UserId::parse("john").unwrap();
    let blanked = redact_other_people(form, text.as_bytes(), &john).unwrap();
    (String::from_utf8(blanked.bytes).unwrap(), blanked.count)
}

#[track_caller]
fn check(form: Representation, sent: &str, expected: &str, count: u64) {
    assert_eq!(secrets(form, sent), (expected.to_owned(), count));
    assert_eq!(
        secrets(form, expected),
        (expected.to_owned(), 0),
        "a second time over"
    );
}

#[test]
fn only_the_value_of_a_secret_goes_and_every_other_byte_stays() {
    check(
        Xml,
        "<?xml version=\"1.0\"?>\r\n<u:credAccount xmlns:u='http://www.usharesoft.com/uforge'  xsi:type=\"u:CredAccountAws\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\r\n\t<name>a &amp; b</name>\n<secretAccessKeyId >wJalrXUt</secretAccessKeyId ><password/></u:credAccount>\n",
        "<?xml version=\"1.0\"?>\r\n<u:credAccount xmlns:u='http://www.usharesoft.com/uforge'  xsi:type=\"u:CredAccountAws\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\r\n\t<name>a &amp; b</name>\n<secretAccessKeyId ></secretAccessKeyId ><password/></u:credAccount>\n",
        1,
    );
    check(
        Json,
        "{ \"user\" :\t{\"password\":\"p\\u00e4ss\\\"\",\n \"admin\": true, \"dbId\": 12 } }\n",
        "{ \"user\" :\t{\"password\":\"\",\n \"admin\": true, \"dbId\": 12 } }\n",
        1,
    );
}

#[test]
fn a_secret_goes_however_it_is_written() {
    for written in [
        "plain text",
        "<![CDATA[<in> cdata]]>",
        "ab<![CDATA[cd]]>ef",
        "&lt;&#x41;&amp;&quot;",
        "ab<!-- cd -->ef",
        "<?pi data?>x",
        "  spaced\n  ",
        "]] > </ a",
    ] {
        let written = written.replace("</ a", "&lt;/ a");
        let (sent, expected) = (
            format!("<a><token>{written}</token><b>c</b></a>"),
            "<a><token></token><b>c</b></a>",
        );
        check(Xml, &sent, expected, 1);
    }
    for written in ["\"text\"", "\"\\\"}{,\"", "12345678", "-1.5e+3"] {
        check(
            Json,
            &format!("{{\"token\": {written}, \"b\": 1}}"),
            "{\"token\": \"\", \"b\": 1}",
            1,
        );
    }
    for kept in ["true", "null", "\"\"", "{}", "[]"] {
        let text = format!("{{\"token\": {kept}}}");
        check(Json, &text, &text, 0);
    }
}

#[test]
fn a_tag_with_quoted_brackets_is_not_mistaken_for_its_end() {
    check(
        Xml,
        "<a><password note='x > y </password>' hint=\"a'>b\">abcdefgh</password></a>"
            .replace("</password>'", "&lt;/password>'")
            .as_str(),
        "<a><password note='' hint=\"\"></password></a>",
        3,
    );
}

#[test]
fn everything_below_a_secret_name_goes() {
    check(
        Json,
        r#"{"secrets": {"a": "x1", "b": [1, "x2", {"c": "x3"}], "d": false}}"#,
        r#"{"secrets": {"a": "", "b": ["", "", {"c": ""}], "d": false}}"#,
        4,
    );
    check(
        Xml,
        "<secrets><a>x1</a>in between<b><c>x2</c></b></secrets>",
        "<secrets><a></a><b><c></c></b></secrets>",
        3,
    );
}

#[test]
fn a_certificate_s_content_goes_and_a_stream_s_stays() {
    check(
        Xml,
        "<a><certificate><content>QUJD</content><name>k</name></certificate><stream><content>log</content></stream></a>",
        "<a><certificate><content></content><name>k</name></certificate><stream><content>log</content></stream></a>",
        1,
    );
    check(
        Json,
        r#"{"certificates": {"certificate": [{"content": "QUJD"}]}, "stream": {"content": "log"}}"#,
        r#"{"certificates": {"certificate": [{"content": ""}]}, "stream": {"content": "log"}}"#,
        1,
    );
}

#[test]
fn a_label_makes_the_value_beside_it_a_secret_whichever_comes_first() {
    check(
        Json,
        r#"{"property": [{"value": "a1", "key": "db.password"}, {"key": "region", "value": "eu"}]}"#,
        r#"{"property": [{"value": "", "key": "db.password"}, {"key": "region", "value": "eu"}]}"#,
        1,
    );
    check(
        Xml,
        "<p><value>a1</value><key>db.password</key></p>",
        "<p><value></value><key>db.password</key></p>",
        1,
    );
}

#[test]
fn private_keys_go_wherever_they_stand() {
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----";
    check(
        Xml,
        &format!("<a><message>{key}</message></a>"),
        "<a><message></message></a>",
        1,
    );
    let quoted = serde_json::to_string(key).unwrap();
    check(
        Json,
        &format!("{{\"message\": {quoted}}}"),
        "{\"message\": \"\"}",
        1,
    );
}

#[test]
fn credentials_in_addresses_go_and_the_address_stays() {
    check(
        Xml,
        "<a><uri>https://j:pw@h/x?p=1&amp;downloadToken=abc&amp;q=2</uri></a>",
        "<a><uri>https://j:REDACTED@h/x?p=1&amp;downloadToken=REDACTED&amp;q=2</uri></a>",
        2,
    );
    check(
        Json,
        r#"{"uri": "https://j:pw@h/x?p=1&downloadToken=abc", "other": "https:\/\/j:pw@h"}"#,
        r#"{"uri": "https://j:REDACTED@h/x?p=1&downloadToken=REDACTED", "other": ""}"#,
        3,
    );
}

#[test]
fn a_secret_goes_wherever_else_it_stands() {
    check(
        Xml,
        "<a b='see hunter2!'><password>hunter2!</password><!-- was hunter2! --><m>login with hunter2!.</m><n>x &lt; hunter2!</n></a>",
        "<a b='see REDACTED'><password></password><!-- was REDACTED --><m>login with REDACTED.</m><n></n></a>",
        5,
    );
    check(
        Json,
        r#"{"password": "hunter2!", "m": "login with hunter2!.", "n": "\"hunter2!\"", "k": "hunter2"}"#,
        r#"{"password": "", "m": "login with REDACTED.", "n": "", "k": "hunter2"}"#,
        3,
    );
}

#[test]
fn elements_within_a_comment_go_with_it() {
    check(
        Xml,
        "<a><!-- <secretKey>hunter2!</secretKey> --><b>1</b><!-- 2 of 3 --></a>",
        "<a><!----><b>1</b><!-- 2 of 3 --></a>",
        1,
    );
}

#[test]
fn figures_and_words_of_short_lists_are_no_echoes() {
    check(
        Json,
        r#"{"password": "123456", "dbId": 123456, "size": "123456", "type": "123456x", "name": "no 123456"}"#,
        r#"{"password": "", "dbId": 123456, "size": "123456", "type": "123456x", "name": "no REDACTED"}"#,
        2,
    );
}

#[test]
fn a_blank_never_tears_an_escape() {
    // The secret reads like the inside of an escape, of a reference and of a CDATA mark.
    check(
        Json,
        r#"{"password": "abcdef", "m": "\u00abcdef"}"#,
        r#"{"password": "", "m": "\u00abcdef"}"#,
        1,
    );
    check(
        Xml,
        "<a><token>CDATA[</token><m><![CDATA[x]]></m></a>",
        "<a><token></token><m><![CDATA[x]]></m></a>",
        1,
    );
    check(
        Xml,
        "<a><token>amp;to</token><m>x&amp;to</m></a>",
        "<a><token></token><m>x&amp;to</m></a>",
        1,
    );
}

#[test]
fn the_values_are_given_to_the_caller_and_to_nobody_else() {
    let blanked = redact_secrets(Json, br#"{"password": "hunter2!", "token": "abc"}"#).unwrap();
    assert_eq!(blanked.values.reveal().collect::<Vec<_>>(), ["hunter2!"]);
    assert!(!format!("{blanked:?}").contains("hunter2"));
}

#[test]
fn what_cannot_be_read_is_an_error_that_repeats_nothing_of_it() {
    for (form, text) in [
        (Xml, "<a><password>hunter2</a>"),
        (Xml, "<!DOCTYPE a [<!ENTITY hunter2 'x'>]><a/>"),
        (Xml, "<hunter2:password>x</hunter2:password>"),
        (Xml, "<a>&hunter2;</a>"),
        (Xml, ""),
        (Json, "{\"password\": hunter2}"),
        (Json, "{\"password\": \"hunter2\""),
        (Json, "{\"a\": 1,}"),
        (Json, "[1 2]"),
        (Json, "01"),
        (Json, "{} {}"),
        (Json, "\"\u{1}\""),
        (Json, ""),
        (Json, "]"),
    ] {
        let error = redact_secrets(form, text.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(!error.contains("hunter2"), "{error}");
        assert!(
            error.starts_with("the document cannot be read: it"),
            "{error}"
        );
    }
    assert!(redact_secrets(Json, b"\"\xff\"").is_err());
}

#[test]
fn a_byte_order_mark_stays() {
    check(
        Json,
        "\u{feff}{\"token\":\"a\"}",
        "\u{feff}{\"token\":\"\"}",
        1,
    );
    check(
        Xml,
        "\u{feff}<a><token>a</token></a>",
        "\u{feff}<a><token></token></a>",
        1,
    );
}

#[test]
fn ten_thousand_levels_cost_no_stack() {
    let deep = 10_000;
    let xml = format!(
        "{}<token>abc</token>{}",
        "<a>".repeat(deep),
        "</a>".repeat(deep)
    );
    assert_eq!(secrets(Xml, &xml).1, 1);
    let json = format!(
        "{}{{\"token\":\"abc\"}}{}",
        "{\"a\":[".repeat(deep),
        "]}".repeat(deep)
    );
    assert_eq!(secrets(Json, &json).1, 1);
    assert_eq!(others(Json, &json).1, 0);
}

const THREAD: &str = "<c:comments xmlns:c='u'><comments><comment><dbId>1</dbId><digest>d1</digest><loginName>jane</loginName><message>Hello John, Jane here</message><photo><dbId>77</dbId><name>jane.png</name><uri>users/jane/photo/77</uri><uploaded>true</uploaded></photo><replies><comment><dbId>2</dbId><loginName>John</loginName><message>Thank you, Jane</message></comment></replies><tags>a,b</tags><type>comment</type><uri>orgs/1/comments/1</uri></comment></comments></c:comments>";
const THREAD_BLANKED: &str = "<c:comments xmlns:c='u'><comments><comment><dbId>1</dbId><digest></digest><loginName>other</loginName><message></message><photo><dbId>0</dbId><name></name><uri></uri><uploaded>true</uploaded></photo><replies><comment><dbId>2</dbId><loginName>John</loginName><message>Thank you, Jane</message></comment></replies><tags></tags><type>comment</type><uri>orgs/1/comments/1</uri></comment></comments></c:comments>";

#[test]
fn other_people_s_words_go_and_one_s_own_stay() {
    assert_eq!(others(Xml, THREAD), (THREAD_BLANKED.to_owned(), 1));
    assert_eq!(others(Xml, THREAD_BLANKED), (THREAD_BLANKED.to_owned(), 0));
}

#[test]
fn remarks_between_the_fields_of_somebody_else_s_comment_go_and_it_still_reads() {
    let sent = "<c><comment><loginName>mary</loginName><?track who='mary' ?><!-- mary --><message>m</message></comment></c>";
    let (blanked, _) = others(Xml, sent);
    assert_eq!(
        blanked,
        "<c><comment><loginName>other</loginName><?track?><!----><message></message></comment></c>"
    );
    assert_eq!(others(Xml, &blanked), (blanked.clone(), 0));
}

#[test]
fn the_json_twin_loses_the_same() {
    let sent = json!({"comments": {"comments": {"comment": [
        {"dbId": 1, "loginName": "jane", "message": "Hello", "tags": "x", "photo": {"dbId": 77, "name": "jane.png", "uploaded": true},
         "uri": "users/jane/comments/1", "replies": {"comment": [
            {"dbId": 2, "loginName": "john", "message": "Thank you"},
            {"dbId": 3, "loginName": "joe", "message": 42},
            {"dbId": 4, "message": "who said that?"}
         ]}}
    ]}}});
    let (blanked, count) = others(Json, &sent.to_string());
    let blanked: Value = serde_json::from_str(&blanked).unwrap();
    assert_eq!(count, 3);
    assert_eq!(
        blanked,
        json!({"comments": {"comments": {"comment": [
            {"dbId": 1, "loginName": "other", "message": "", "tags": "", "photo": {"dbId": 0, "name": "", "uploaded": true},
             "uri": "", "replies": {"comment": [
                {"dbId": 2, "loginName": "john", "message": "Thank you"},
                {"dbId": 3, "loginName": "other", "message": ""},
                {"dbId": 4, "message": ""}
             ]}}
        ]}}})
    );
}

/// A document as nested fields; written as XML and as JSON.
#[derive(Clone, Debug)]
enum Field {
    Text(String),
    Fields(Vec<(String, Field)>),
}

fn field() -> impl Strategy<Value = Field> {
    let name = prop::sample::select(vec![
        "name",
        "password",
        "uri",
        "token",
        "apiKeyPair",
        "message",
        "certificate",
        "content",
        "value",
        "key",
    ]);
    let text = prop_oneof![
        "[ -~é\n]{0,12}".prop_map(Field::Text),
        prop::sample::select(vec![
            "hunter2!",
            "s3cr&t<>\"\\",
            "see hunter2! there",
            "http://a:hunter2!@b/?token=hunter2!",
            "db.password"
        ])
        .prop_map(|text| Field::Text(text.to_owned())),
    ];
    text.prop_recursive(5, 60, 6, move |inner| {
        prop::collection::vec((name.clone().prop_map(str::to_owned), inner), 0..6)
            .prop_map(Field::Fields)
    })
}

fn as_xml(name: &str, field: &Field, out: &mut String) {
    write!(out, "<{name}>").unwrap();
    match field {
        Field::Text(text) => {
            out.push_str(
                &text
                    .replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;"),
            );
        }
        Field::Fields(fields) => fields
            .iter()
            .for_each(|(name, field)| as_xml(name, field, out)),
    }
    write!(out, "</{name}>").unwrap();
}

fn as_json(field: &Field) -> String {
    match field {
        Field::Text(text) => serde_json::to_string(text).unwrap(),
        Field::Fields(fields) => {
            let members: Vec<String> = fields
                .iter()
                .map(|(name, field)| format!("\"{name}\": {}", as_json(field)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn twins(field: &Field) -> [(Representation, String); 2] {
    let mut xml = String::new();
    as_xml("root", field, &mut xml);
    [
        (Xml, xml),
        (Json, format!("{{\"root\": {}}}", as_json(field))),
    ]
}

fn texts(form: Representation, text: &str) -> Vec<String> {
    let tree = read(form, text).map_err(|error| error.to_string()).unwrap();
    tree.nodes
        .iter()
        .filter_map(|node| match &node.value {
            document::Value::Leaf { text, .. } => Some(text.to_string()),
            document::Value::Branch => None,
        })
        .collect()
}

proptest! {
    #[test]
    fn what_was_secret_is_nowhere_in_a_document_that_still_reads(field in field()) {
        for (form, sent) in twins(&field) {
            let first = redact_secrets(form, sent.as_bytes()).unwrap();
            let text = String::from_utf8(first.bytes.clone()).unwrap();
            for value in first.values.reveal() {
                let echoes = texts(form, &text).into_iter().filter(|text| text.contains(value) && !fields::is_figure(text)).count();
                prop_assert_eq!(echoes, 0, "{} in {}", value, text);
            }
            let second = redact_secrets(form, &first.bytes).unwrap();
            prop_assert_eq!(second.count, 0);
            prop_assert_eq!(second.bytes, first.bytes);
            prop_assert_eq!(redact_secrets(form, sent.as_bytes()).unwrap().count, first.count);
        }
    }

    #[test]
    fn twins_lose_the_same_values(field in field()) {
        let [xml, json] = twins(&field).map(|(form, sent)| redact_secrets(form, sent.as_bytes()).unwrap().values);
        prop_assert_eq!(xml, json);
    }

    #[test]
    fn json_that_is_taken_is_json_and_all_json_is_taken(text in "[\\[\\]{}:,\"a\\\\u0-9eE.+\\- truefalsn]{0,24}") {
        let strict = serde_json::from_str::<Value>(&text);
        if strict.is_ok() {
            prop_assert!(redact_secrets(Json, text.as_bytes()).is_ok());
        }
        if let Ok(blanked) = redact_secrets(Json, text.as_bytes()) {
            let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(&blanked.bytes);
            prop_assert!(parsed.is_ok(), "{}", text);
        }
    }

    #[test]
    fn any_bytes_are_a_document_or_an_error(bytes in any::<Vec<u8>>()) {
        let john = UserId::parse("john").unwrap();
        for form in [Xml, Json] {
            let _ = redact_secrets(form, &bytes);
            let _ = redact_other_people(form, &bytes, &john);
        }
    }

    #[test]
    fn anything_that_looks_like_xml_is_a_document_or_an_error(text in "(<|>|/|a|token|=|'|\"|&amp;|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<a>|</a>|<token>|</token>| ){0,30}") {
        if let Ok(blanked) = redact_secrets(Xml, text.as_bytes()) {
            let text = String::from_utf8(blanked.bytes).unwrap();
            prop_assert!(read(Xml, &text).is_ok());
        }
    }

    #[test]
    fn blanked_comments_are_blank_for_good(login in "[a-z]{1,5}", words in "[a-z <&]{0,9}") {
        let words = words.replace('&', "&amp;").replace('<', "&lt;");
        let sent = format!("<comment><loginName>{login}</loginName><message>{words}</message></comment>");
        let (once, _) = others(Xml, &sent);
        prop_assert_eq!(login == "john", once == sent || login == "other" && words.is_empty());
        prop_assert_eq!(others(Xml, &once), (once.clone(), 0));
    }
}
