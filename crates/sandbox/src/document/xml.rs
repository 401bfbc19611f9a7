//! The XML representation: the root in UForge's namespace, everything below it in none.

use std::io;

use quick_xml::Writer;
use quick_xml::escape::escape;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::{Content, Element};

/// The target namespace of UForge's schema.
const NAMESPACE: &str = "http://www.usharesoft.com/uforge";
const INSTANCE_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The platform's own prefix. Any would do; a reader that looks for this text instead of the namespace is wrong.
const PREFIX: &str = "ns2";

/// The document whose root is `root`.
#[expect(
    clippy::expect_used,
    reason = "a vector takes every byte, so that writing into it cannot fail"
)]
pub(crate) fn render_xml(root: &Element) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    write_document(&mut writer, root).expect("a vector takes every byte");
    writer.into_inner()
}

fn write_document(writer: &mut Writer<Vec<u8>>, root: &Element) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new(
        "1.0",
        Some("UTF-8"),
        Some("yes"),
    )))?;
    let name = format!("{PREFIX}:{}", root.name);
    let mut start = BytesStart::new(name.as_str());
    start.push_attribute((format!("xmlns:{PREFIX}").as_str(), NAMESPACE));
    start.push_attribute(("xmlns:xsi", INSTANCE_NAMESPACE));
    write_element(writer, root, &name, start)
}

fn write_child(writer: &mut Writer<Vec<u8>>, element: &Element) -> io::Result<()> {
    write_element(
        writer,
        element,
        &element.name,
        BytesStart::new(element.name.as_ref()),
    )
}

fn write_element(
    writer: &mut Writer<Vec<u8>>,
    element: &Element,
    name: &str,
    mut start: BytesStart<'_>,
) -> io::Result<()> {
    if let Some(concrete_type) = element.concrete_type {
        start.push_attribute(("xsi:type", format!("{PREFIX}:{concrete_type}").as_str()));
    }
    if let Content::Object(children)
    | Content::List {
        items: children, ..
    } = &element.content
    {
        if children.is_empty() {
            return writer.write_event(Event::Empty(start));
        }
        writer.write_event(Event::Start(start))?;
        for child in children {
            write_child(writer, child)?;
        }
    } else {
        writer.write_event(Event::Start(start))?;
        let value = element.value().unwrap_or_default();
        // A reader turns a plain carriage return into a line feed (XML 1.0 §2.11).
        let escaped = escape(value.as_ref()).replace('\r', "&#13;");
        writer.write_event(Event::Text(BytesText::from_escaped(escaped)))?;
    }
    writer.write_event(Event::End(BytesEnd::new(name)))
}
