//! What a platform sends: documents in XML and JSON, tickets, statuses; and the same with its secrets blanked.

use std::sync::LazyLock;

use adapters_http::testing;
use domain::model::{
    ExportId, ItemKind, ItemRef, ListResource, ObjectId, Page, Representation, Resource, Ticket,
    UserId,
};
use domain::ports::UserDataApi as _;
use domain::redact::{RedactError, Redacted, redact_other_people, redact_secrets};
use sandbox::{InProcess, Platform};
use tests::kit::quick;

use crate::check_words;
use crate::material::Material;

fn ticket(id: i64) -> Ticket {
    Ticket {
        item: ItemRef {
            kind: ItemKind::Appliance,
            id: ObjectId::try_from(201).expect("an id"),
        },
        id: ExportId::try_from(id).expect("an id"),
    }
}

const RESOURCES: [Resource; 5] = [
    Resource::User,
    Resource::List(ListResource::Appliances, Page::Whole),
    Resource::List(ListResource::Accounts, Page::Whole),
    Resource::List(ListResource::ApiKeys, Page::Whole),
    Resource::List(ListResource::Usage, Page::Whole),
];

/// Documents of the sandbox, as it sends them.
fn sent(form: Representation) -> Vec<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let api = InProcess::new(Platform::new(quick()));
    let account = Resource::CloudAccount(ObjectId::try_from(401).expect("an id"));
    let item = Resource::Item(ticket(1).item);
    let asked = RESOURCES.into_iter().chain([account, item]);
    asked
        .map(|what| {
            let document = runtime.block_on(api.document(what, form));
            document.expect("a document").bytes.to_vec()
        })
        .collect()
}

static XML: LazyLock<Material> = LazyLock::new(|| {
    Material::new(
        sent(Representation::Xml),
        &[
            "<",
            ">",
            "/>",
            "</",
            "<a>",
            "</a>",
            "<q:user xmlns:q='u'>",
            "</q:user>",
            "<dbId>",
            "</dbId>",
            "<name>",
            "</name>",
            "<password>",
            "</password>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<?",
            "?>",
            "<!DOCTYPE a>",
            "&amp;",
            "&#0;",
            "&#x41;",
            "&a;",
            "=",
            "'",
            "\"",
            " ",
            "\r\n",
            "xmlns",
            "xsi:type=\"a:b\"",
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
            "\u{feff}",
            "s3cret",
            "https://u:s3cret@h/?token=s3cret&amp;a=1",
            "<secretAccessKeyId>s3cret</secretAccessKeyId>",
            "é",
            "9223372036854775808",
            "-1",
        ],
    )
});

static JSON: LazyLock<Material> = LazyLock::new(|| {
    Material::new(
        sent(Representation::Json),
        &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\\"",
            "\\u0000",
            "\\ud800",
            "\\",
            "null",
            "true",
            "1",
            "-0.0e+9",
            "1e999",
            "\"password\"",
            "\"s3cret\"",
            "\"https://u:s3cret@h/?token=s3cret&a=1\"",
            "\"secretAccessKeyId\": \"s3cret\",",
            "\"name\"",
            "\"credAccounts\"",
            " ",
            "\r\n",
            "\u{feff}",
            "é",
            "/*",
        ],
    )
});

/// A document that is read is well-formed, a byte order mark makes no difference, and a refusal is one line of words.
#[test]
fn xml_reader() {
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = XML.make(choices);
        let marked = ["\u{feff}".as_bytes(), &bytes].concat();
        for what in RESOURCES {
            match testing::facts(&bytes, what, Representation::Xml) {
                Ok(facts) => {
                    let text = std::str::from_utf8(&bytes).expect("UTF-8, or it was not read");
                    let text = text.trim_start_matches('\u{feff}');
                    roxmltree::Document::parse(text).expect("well-formed");
                    for name in facts
                        .objects
                        .iter()
                        .filter_map(|object| object.name.as_ref())
                    {
                        assert!(name.chars().count() <= 1_000 && !name.trim().is_empty());
                    }
                    if !bytes.starts_with("\u{feff}".as_bytes()) {
                        let again = testing::facts(&marked, what, Representation::Xml);
                        assert_eq!(again, Ok(facts));
                    }
                }
                Err(words) => check_words(&words),
            }
        }
    });
}

/// The reader that keeps a twin and the one that blanks it agree on what JSON is.
#[test]
fn json_reader() {
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = JSON.make(choices);
        let kept = testing::facts(&bytes, Resource::User, Representation::Json);
        let blanked = redact_secrets(Representation::Json, &bytes);
        assert_eq!(kept.is_ok(), blanked.is_ok(), "{kept:?} {blanked:?}");
        if let Err(words) = kept {
            check_words(&words);
        }
    });
}

const STATUSES: [&str; 5] = [
    "<ns1:status xmlns:ns1=\"http://www.usharesoft.com/uforge\"><message>Compressing</message><percentage>40</percentage><complete>false</complete><error>false</error><cancelled>false</cancelled></ns1:status>",
    "<status><percentage>-1</percentage><error>true</error><errorMessage>no OS</errorMessage><detailedError>true</detailedError><detailedErrorMsg>trace</detailedErrorMsg></status>",
    "<n:applianceExport xmlns:n='u'><uri>users/john/appliances/201/exports/7</uri><dbId>7</dbId><parentUri>users/john/appliances/201</parentUri><status><complete>true</complete></status></n:applianceExport>",
    "<applianceExports total='2'><total>2</total><applianceExports><applianceExport><dbId>7</dbId><parentUri>users/john/appliances/201</parentUri></applianceExport><applianceExport><dbId>8</dbId><uri>users/j/appliances/202/exports/8</uri></applianceExport></applianceExports></applianceExports>",
    "<statuses><statuses><status><uri>users/john/appliances/201/exports/7/status</uri><complete>true</complete></status><status><parentUri>users/john/appliances/201/exports/8</parentUri></status></statuses></statuses>",
];

/// Only tickets that were asked for are known, each once; what a status says is one of its states and one line of words.
#[test]
fn status_reader() {
    let material = Material::new(
        STATUSES,
        &[
            "<status>",
            "</status>",
            "<complete>",
            "</complete>",
            "true",
            "1",
            "<error>",
            "</error>",
            "<percentage>",
            "</percentage>",
            "-9223372036854775808",
            "<dbId>",
            "</dbId>",
            "7",
            "8",
            "0",
            "<uri>",
            "</uri>",
            "users/",
            "appliances/",
            "/exports/",
            "<statuses>",
            "</statuses>",
            "&#10;",
            "é",
        ],
    );
    let asked = [ticket(7), ticket(8)];
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = material.make(choices);
        match testing::statuses(&bytes, &asked) {
            Ok(known) => {
                let mut tickets: Vec<Ticket> =
                    known.into_iter().map(|(ticket, _)| ticket).collect();
                assert!(tickets.iter().all(|ticket| asked.contains(ticket)));
                let many = tickets.len();
                tickets.sort();
                tickets.dedup();
                assert_eq!(many, tickets.len(), "a ticket is known twice");
            }
            Err(words) => check_words(&words),
        }
        match testing::status(&bytes) {
            Ok(status) => {
                let shown = [&status.message, &status.error_message];
                shown
                    .into_iter()
                    .flatten()
                    .for_each(|words| check_shown(words));
            }
            Err(words) => check_words(&words),
        }
        if let Ok(started) = testing::started(&bytes, ticket(1)) {
            assert_eq!(started.ticket.item, ticket(1).item);
        }
        if let Err(words) = testing::open_tickets(&bytes) {
            check_words(&words);
        }
        for kind in [ItemKind::Appliance, ItemKind::MySoftware] {
            let imports = testing::imports(&bytes, kind).into_iter();
            imports
                .filter_map(Result::err)
                .for_each(|words| check_words(&words));
        }
    });
}

/// The platform's own words, as they go into the report.
#[track_caller]
fn check_shown(words: &str) {
    assert!(!words.trim().is_empty());
    assert!(words.chars().count() <= 3_000, "{words}");
}

type Blank = fn(Representation, &[u8]) -> Result<Redacted, RedactError>;

fn secrets(form: Representation, bytes: &[u8]) -> Result<Redacted, RedactError> {
    redact_secrets(form, bytes)
}

fn other_people(form: Representation, bytes: &[u8]) -> Result<Redacted, RedactError> {
    redact_other_people(form, bytes, &UserId::parse("jleaver").expect("a login"))
}

/// What is blanked stays well-formed, loses bytes and gains none, is not touched where nothing was found, and has nothing more to
/// blank.
fn check_blanked(form: Representation, bytes: &[u8], blank: Blank) {
    match blank(form, bytes) {
        Ok(blanked) => {
            if blanked.count == 0 {
                assert!(blanked.bytes == bytes, "nothing blanked, and yet changed");
            }
            check_well_formed(form, &blanked.bytes);
            let again = blank(form, &blanked.bytes).expect("readable again");
            assert_eq!(
                again.count,
                0,
                "{}",
                String::from_utf8_lossy(&blanked.bytes)
            );
            assert!(again.bytes == blanked.bytes);
        }
        Err(error) => check_words(&error.to_string()),
    }
}

fn check_well_formed(form: Representation, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let text = text.trim_start_matches('\u{feff}');
    match form {
        Representation::Xml => drop(roxmltree::Document::parse(text).expect("well-formed")),
        Representation::Json => {
            // By its grammar: half a surrogate pair in an escape is a matter of taste (RFC 8259 §8.2).
            let _: serde::de::IgnoredAny = serde_json::from_str(text).expect("well-formed");
        }
    }
}

/// Whether this is what stays of `whole` where bytes are taken out; what stands for a secret inside a text is taken out here, and
/// quotes do not count: a number in JSON is blanked to an empty text.
fn is_left_of(rest: &[u8], whole: &[u8]) -> bool {
    let rest = String::from_utf8_lossy(rest).replace("REDACTED", "");
    let mut whole = whole.iter();
    let mut kept = rest.bytes().filter(|byte| *byte != b'"');
    kept.all(|byte| whole.any(|other| *other == byte))
}

#[test]
fn redaction_of_xml() {
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = XML.make(choices);
        check_blanked(Representation::Xml, &bytes, secrets);
        check_blanked(Representation::Xml, &bytes, other_people);
        if let Ok(blanked) = secrets(Representation::Xml, &bytes) {
            assert!(is_left_of(&blanked.bytes, &bytes), "something was added");
        }
    });
}

#[test]
fn redaction_of_json() {
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = JSON.make(choices);
        check_blanked(Representation::Json, &bytes, secrets);
        check_blanked(Representation::Json, &bytes, other_people);
        if let Ok(blanked) = secrets(Representation::Json, &bytes) {
            assert!(is_left_of(&blanked.bytes, &bytes), "something was added");
        }
    });
}
