//! XML as a tree, and the ways to read an element. Prefixes are arbitrary, so names are compared without them.

use jiff::Timestamp;
use roxmltree::{Document, Node, ParsingOptions};

use super::media::looks_like_page;
use super::{Unread, guard};

/// Nodes of one document: what 64 MiB of ordinary elements come to.
const MOST_NODES: u32 = 2_000_000;
/// Characters of a text that are kept.
const LONGEST_TEXT: usize = 1000;

/// Reads a document: UTF-8, no DTD, within bounds.
pub(super) fn parse(bytes: &[u8]) -> Result<Document<'_>, Unread> {
    tree(checked(bytes)?)
}

/// Text that may be a document: UTF-8, no page for people, no JSON, no DTD, within bounds.
pub(super) fn checked(bytes: &[u8]) -> Result<&str, Unread> {
    let text = utf_8(bytes)?;
    if looks_like_page(bytes) {
        return Err(Unread::Page("text/html".to_owned()));
    }
    if text.trim_start().starts_with(['{', '[']) {
        return Err(Unread::because("it is JSON where XML was asked for"));
    }
    guard::check(text).map_err(Unread::Detail)?;
    Ok(text)
}

/// The tree of a text that was checked.
pub(super) fn tree(text: &str) -> Result<Document<'_>, Unread> {
    let options = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| {
        Unread::Detail(format!(
            "it is not well-formed XML: {}",
            brief(&error.to_string())
        ))
    })
}

/// Text in UTF-8, without its byte order mark.
pub(super) fn utf_8(bytes: &[u8]) -> Result<&str, Unread> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Unread::Detail(format!("it is not UTF-8 at byte {}", error.valid_up_to()))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Unread::because("it is empty"));
    }
    Ok(text)
}

/// The root, where it has one of these names; without names, any that is neither a page nor an error.
pub(super) fn root<'a, 'i>(
    document: &'a Document<'i>,
    names: &[&str],
) -> Result<Node<'a, 'i>, Unread> {
    let root = document.root_element();
    let name = root.tag_name().name();
    if names.contains(&name) {
        return Ok(root);
    }
    Err(match name {
        _ if name.eq_ignore_ascii_case("html") => Unread::Page("application/xhtml+xml".to_owned()),
        "uforgeError" => Unread::Detail(format!(
            "it is an error: {}",
            error_message(root).unwrap_or_else(|| "without a message".to_owned())
        )),
        _ if names.is_empty() => return Ok(root),
        _ => Unread::Detail(format!(
            "it is a `{}` where a `{}` was asked for",
            brief(name),
            names.first().copied().unwrap_or_default()
        )),
    })
}

/// What a `uforgeError` says.
pub(super) fn error_message(error: Node<'_, '_>) -> Option<String> {
    child(error, "localizedErrorMsg").and_then(|message| text(message, "message"))
}

/// The child elements.
pub(super) fn children<'a, 'i>(
    node: Node<'a, 'i>,
) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i> {
    node.children().filter(Node::is_element)
}

/// The first child element of this name.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    children(node).find(|child| child.tag_name().name() == name)
}

/// A child's text as sent, cut where it is longer than any name; `None` where it is blank.
pub(super) fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    let words: String = child(node, name)?
        .children()
        .filter(Node::is_text)
        .filter_map(|part| part.text())
        .flat_map(str::chars)
        .take(LONGEST_TEXT)
        .collect();
    (!words.trim().is_empty()).then_some(words)
}

/// A child's text without the blanks around it.
pub(super) fn word(node: Node<'_, '_>, name: &str) -> Option<String> {
    text(node, name).map(|words| words.trim().to_owned())
}

/// A child's whole number; `None` for anything else.
pub(super) fn number(node: Node<'_, '_>, name: &str) -> Option<i64> {
    word(node, name)?.parse().ok()
}

/// A child's whole number, zero or more.
pub(super) fn count(node: Node<'_, '_>, name: &str) -> Option<u64> {
    number(node, name)?.try_into().ok()
}

/// A child's `xs:boolean`; absent means no.
pub(super) fn flag(node: Node<'_, '_>, name: &str) -> bool {
    word(node, name).is_some_and(|word| matches!(word.as_str(), "true" | "1"))
}

/// A child's `xs:dateTime`. One that names no time zone is no instant: it would be hours off.
pub(super) fn instant(node: Node<'_, '_>, name: &str) -> Option<Timestamp> {
    word(node, name)?.parse().ok()
}

/// The local name in `xsi:type`.
pub(super) fn kind(node: Node<'_, '_>) -> Option<String> {
    let value = node.attribute(("http://www.w3.org/2001/XMLSchema-instance", "type"))?;
    let local = value.rsplit(':').next()?.trim();
    (!local.is_empty()).then(|| local.chars().take(LONGEST_TEXT).collect())
}

/// A foreign text short enough for a message.
fn brief(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn detail(bytes: &[u8]) -> String {
        match parse(bytes) {
            Err(Unread::Detail(detail)) => detail,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_page_for_people_is_distinguished_from_a_damaged_document() {
        for page in ["<!DOCTYPE html><p>hi", "\n <HTML><body>", "<html/>"] {
            assert!(
                matches!(parse(page.as_bytes()), Err(Unread::Page(_))),
                "{page}"
            );
        }
        let strange = parse(b"<x:html xmlns:x='http://www.w3.org/1999/xhtml'/>").unwrap();
        assert!(matches!(root(&strange, &["user"]), Err(Unread::Page(_))));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert!(detail(b"").contains("empty"));
        assert!(detail(b"\xef\xbb\xbf \n").contains("empty"));
        assert!(detail(b"<a>\xff</a>").contains("not UTF-8 at byte 3"));
        assert!(detail(b"<!DOCTYPE a><a/>").contains("document type"));
        assert!(detail(b"<a><b></a>").contains("not well-formed"));
        assert!(detail("<a>".repeat(10_000).as_bytes()).contains("deeper"));
        assert!(detail(b" {\"user\": {}}").contains("JSON"));
        assert!(
            detail(format!("<a>{}</a>", "<b/>".repeat(2_000_001)).as_bytes())
                .contains("not well-formed")
        );
    }

    #[test]
    fn a_byte_order_mark_and_any_prefix_are_fine() {
        let document = parse(b"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><q:user xmlns:q='u'><dbId>1</dbId></q:user>").unwrap();
        assert_eq!(number(root(&document, &["user"]).unwrap(), "dbId"), Some(1));
    }

    #[test]
    fn odd_values_are_no_values() {
        let document = parse(b"<a><n>1.5</n><m> -3 </m><e/><t><!-- x -->a<![CDATA[<b>]]>&amp;</t><f>1</f><g>TRUE</g></a>").unwrap();
        let a = document.root_element();
        assert_eq!(
            (number(a, "n"), number(a, "m"), count(a, "m")),
            (None, Some(-3), None)
        );
        assert_eq!(
            (text(a, "e"), text(a, "t")),
            (None, Some("a<b>&".to_owned()))
        );
        assert_eq!(
            (flag(a, "f"), flag(a, "g"), flag(a, "absent")),
            (true, false, false)
        );
    }

    #[test]
    fn an_instant_has_a_time_zone() {
        let document = parse(b"<a><z>2026-10-02T06:00:00Z</z><o> 2026-10-02T08:00:00.000+02:00 </o><l>2026-10-02T08:00:00</l><d>2026-10-02</d><n>1790000000</n><e/></a>").unwrap();
        let a = document.root_element();
        let expected = "2026-10-02T06:00:00Z".parse().ok();
        assert!(expected.is_some());
        assert_eq!((instant(a, "z"), instant(a, "o")), (expected, expected));
        for name in ["l", "d", "n", "e", "absent"] {
            assert_eq!(instant(a, name), None, "{name}");
        }
    }

    #[test]
    fn an_error_document_where_another_was_asked_for_is_quoted() {
        let document = parse(b"<e:uforgeError xmlns:e='u'><localizedErrorMsg><message>no such user</message></localizedErrorMsg></e:uforgeError>").unwrap();
        assert_eq!(
            root(&document, &["user"]).unwrap_err(),
            Unread::because("it is an error: no such user")
        );
    }

    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    }

    proptest! {
        #[test]
        fn any_text_and_number_come_back_however_they_are_written(
            words in "\\PC{1,60}",
            id in any::<i64>(),
            // Not `xml`, which may stand for one namespace only.
            prefix in "[a-wyz][a-z]{0,7}",
            as_data in any::<bool>(),
        ) {
            let written = if as_data {
                format!("<![CDATA[{}]]>", words.replace("]]>", "]]]]><![CDATA[>"))
            } else {
                escaped(&words)
            };
            let sent = format!("<{prefix}:user xmlns:{prefix}='u'>\n<!-- x --><dbId> {id}\t</dbId><name>{written}</name></{prefix}:user>");
            let document = parse(sent.as_bytes()).unwrap();
            let user = root(&document, &["user"]).unwrap();
            prop_assert_eq!(number(user, "dbId"), Some(id));
            prop_assert_eq!(text(user, "name"), (!words.trim().is_empty()).then_some(words));
        }

        #[test]
        fn no_part_of_a_document_is_a_document(cut in any::<prop::sample::Index>()) {
            let sent = "<?xml version='1.0' encoding='UTF-8'?><l:users xmlns:l='u'><user a='1'><name>J\u{f6}rg &amp; co</name></user></l:users>";
            prop_assert!(parse(&sent.as_bytes()[..cut.index(sent.len())]).is_err());
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn nothing_made_of_markup_makes_the_reader_panic(text in "([<>/!?=\"'&;:\\[\\]a-d \\-]|<a|</a>|<!--|xmlns:a='b'|<!\\[CDATA\\[){0,60}") {
            let _ = parse(text.as_bytes());
        }
    }
}
