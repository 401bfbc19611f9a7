//! A check of XML before a tree is made of it, in one pass and without recursion.
//!
//! A tree's cost is not the document's size: every level inherits all namespaces above it, and every attribute is compared with the
//! others of its element. A megabyte written for the purpose costs gigabytes, or hours. What is refused here no UForge ever sends.

/// Elements inside one another.
const DEEPEST_LEVEL: usize = 500;
/// Attributes of one element.
const MOST_ATTRIBUTES: usize = 256;
/// Attributes of one document.
const MOST_ATTRIBUTES_IN_ALL: usize = 1_000_000;
/// Namespace declarations that one element may inherit.
const MOST_NAMESPACES: usize = 32;

/// Says what is wrong with text that is too dangerous to read. Says nothing of whether it is well-formed.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut rest = text.as_bytes();
    let mut levels: Vec<usize> = Vec::new();
    let mut attributes = 0;
    while let Some(start) = rest.iter().position(|byte| *byte == b'<') {
        rest = &rest[start..];
        rest = if let Some(after) = skip_over(rest)? {
            after
        } else if rest.starts_with(b"</") {
            levels.pop();
            after(rest, b">")
        } else {
            let tag = Tag::read(rest);
            attributes += tag.attributes;
            let namespaces = levels.last().copied().unwrap_or(0) + tag.namespaces;
            check_limits(&tag, attributes, namespaces)?;
            if !tag.is_empty {
                levels.push(namespaces);
            }
            if levels.len() > DEEPEST_LEVEL {
                return Err(format!("it is nested deeper than {DEEPEST_LEVEL} levels"));
            }
            tag.rest
        };
    }
    Ok(())
}

fn check_limits(tag: &Tag<'_>, attributes: usize, namespaces: usize) -> Result<(), String> {
    if tag.attributes > MOST_ATTRIBUTES {
        return Err(format!(
            "an element has more than {MOST_ATTRIBUTES} attributes"
        ));
    }
    if attributes > MOST_ATTRIBUTES_IN_ALL {
        return Err(format!(
            "it has more than {MOST_ATTRIBUTES_IN_ALL} attributes"
        ));
    }
    if namespaces > MOST_NAMESPACES {
        return Err(format!(
            "more than {MOST_NAMESPACES} namespaces are declared inside one another"
        ));
    }
    Ok(())
}

/// What follows a comment, a CDATA section or a processing instruction, where one begins here.
fn skip_over(text: &[u8]) -> Result<Option<&[u8]>, String> {
    let end: &[u8] = if text.starts_with(b"<!--") {
        b"-->"
    } else if text.starts_with(b"<![CDATA[") {
        b"]]>"
    } else if text.starts_with(b"<?") {
        b"?>"
    } else if text.starts_with(b"<!") {
        return Err("it has a document type definition, which is not accepted".to_owned());
    } else {
        return Ok(None);
    };
    Ok(Some(after(text, end)))
}

fn after<'a>(text: &'a [u8], end: &[u8]) -> &'a [u8] {
    text.windows(end.len())
        .position(|window| window == end)
        .map_or(&[], |at| &text[at + end.len()..])
}

/// A start tag.
struct Tag<'a> {
    attributes: usize,
    namespaces: usize,
    is_empty: bool,
    rest: &'a [u8],
}

impl<'a> Tag<'a> {
    fn read(text: &'a [u8]) -> Self {
        let mut tag = Tag {
            attributes: 0,
            namespaces: 0,
            is_empty: false,
            rest: &[],
        };
        let mut quote = None;
        for (at, byte) in text.iter().copied().enumerate() {
            if let Some(open) = quote {
                quote = quote.filter(|_| open != byte);
                continue;
            }
            match byte {
                b'"' | b'\'' => quote = Some(byte),
                b'=' => {
                    tag.attributes += 1;
                    if tag.attributes > MOST_ATTRIBUTES {
                        break;
                    }
                    tag.namespaces += usize::from(declares_namespace(&text[..at]));
                }
                b'>' => {
                    tag.is_empty = text[..at].ends_with(b"/");
                    tag.rest = &text[at + 1..];
                    break;
                }
                _ => {}
            }
        }
        tag
    }
}

/// Whether the attribute name at the end of this is `xmlns` or `xmlns:…`.
fn declares_namespace(before: &[u8]) -> bool {
    let name = before.trim_ascii_end();
    let start = name
        .iter()
        .rposition(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'='))
        .map_or(0, |at| at + 1);
    name[start..].starts_with(b"xmlns")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_platform_sends_passes() {
        for text in [
            "<a/>",
            "<?xml version='1.0'?><!-- <x> --><n:a xmlns:n='u' b=\"1>2\"><![CDATA[</a><!DOCTYPE]]></n:a>",
            &format!("{}{}", "<a>".repeat(500), "</a>".repeat(500)),
            &format!(
                "<l>{}</l>",
                "<i xmlns:xsi='u' xsi:type='t'/>".repeat(10_000)
            ),
        ] {
            assert_eq!(
                check(text),
                Ok(()),
                "{}",
                text.chars().take(50).collect::<String>()
            );
        }
    }

    #[test]
    fn what_would_cost_more_than_its_size_does_not() {
        for (text, word) in [
            (
                "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".to_owned(),
                "document type",
            ),
            ("<a>".repeat(10_000), "deeper"),
            (format!("<a {}/>", "b='' ".repeat(300)), "attributes"),
            ("<a xmlns:b='c'>".repeat(100), "namespaces"),
            (
                format!(
                    "<a {}/>",
                    (0..100)
                        .map(|i| format!("xmlns:n{i}='{i}'"))
                        .collect::<Vec<_>>()
                        .join(" ")
                ),
                "namespaces",
            ),
        ] {
            let error = check(&text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
