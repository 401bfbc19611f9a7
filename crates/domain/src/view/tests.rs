use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{BagPath, Section, Sha256};
use crate::ports::{Redaction, RedactionRule, TagFile};
use crate::report::{ItemReport, ItemStatus, SectionStatus, sample};

/// A bag in memory.
#[derive(Default)]
struct Memory {
    payload: BTreeMap<String, Vec<u8>>,
    pages: BTreeMap<String, String>,
}

impl PayloadInPlace for Memory {
    fn first_bytes(&mut self, path: &BagPath, at_most: u64) -> Option<Vec<u8>> {
        let bytes = self.payload.get(path.as_str())?;
        let at_most = usize::try_from(at_most).unwrap_or(usize::MAX);
        Some(bytes.iter().take(at_most).copied().collect())
    }

    fn add(&mut self, tag: TagFile) -> Result<(), SinkError> {
        let html = String::from_utf8(tag.bytes.to_vec()).unwrap();
        self.pages.insert(tag.path.to_string(), html);
        Ok(())
    }
}

/// A bag with these documents of one section, and these objects of it.
fn bag(section: Section, items: Vec<ItemReport>, files: &[(&str, &[u8])]) -> (Report, Memory) {
    let mut report = sample::empty();
    let template = sample::complete().files.remove(0);
    for (path, bytes) in files {
        let mut receipt = template.clone();
        receipt.path = BagPath::parse(path).unwrap();
        receipt.bytes = bytes.len() as u64;
        receipt.origin.section = section;
        report.files.push(receipt);
    }
    for of in &mut report.sections {
        if of.section == section {
            of.status = SectionStatus::Complete;
            of.items = items.len() as u64;
        }
    }
    report.items = items;
    let payload = files.iter();
    let memory = Memory {
        payload: payload
            .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()))
            .collect(),
        ..Memory::default()
    };
    (report, memory)
}

fn item(section: Section, id: i64, files: &[&str]) -> ItemReport {
    ItemReport {
        section,
        id: Some(id),
        name: Some(format!("object {id}")),
        version: None,
        uri: None,
        digest: None,
        last_modified: None,
        changed_during_export: false,
        status: ItemStatus::Complete,
        reason: None,
        reused_from: None,
        files: files
            .iter()
            .map(|file| BagPath::parse(file).unwrap())
            .collect(),
    }
}

/// The pages of a section with one document for its list.
fn pages_of_list(section: Section, path: &str, document: &[u8]) -> BTreeMap<String, String> {
    let (report, mut memory) = bag(section, Vec::new(), &[(path, document)]);
    write(&report, &mut memory).unwrap();
    memory.pages
}

fn page_of_roles(document: &str) -> String {
    let path = "data/roles/roles.xml";
    let mut pages = pages_of_list(Section::Roles, path, document.as_bytes());
    assert_eq!(pages.len(), 1);
    pages.remove("view/roles.html").unwrap()
}

fn roles(inner: &str) -> String {
    format!("<roles><roles><role>{inner}</role></roles></roles>")
}

#[test]
fn an_object_shows_its_own_values_under_plain_labels() {
    let document = br#"<?xml version="1.0"?><n:appliance xmlns:n="http://www.usharesoft.com/uforge"><created>2026-10-02T08:00:00.000+02:00</created>
        <dbId>201</dbId><digest>d0</digest><name>Web shop</name><uri>users/j/appliances/201</uri><size>1234567</size><shared>true</shared>
        <unheardOf>yes &amp; no</unheardOf><tagUris><uri>t</uri></tagUris>
        <bootScripts><bootScript><name>first</name><bootType>1</bootType></bootScript><bootScript><name>second</name><bootType>2</bootType></bootScript></bootScripts>
        <parent><name>Base</name><license><text>GPL</text></license></parent></n:appliance>"#;
    let files: [(&str, &[u8]); 3] = [
        ("data/appliances/201-web-shop/appliance.xml", document),
        ("data/appliances/201-web-shop/archive.tar.gz", b"\x1f\x8b"),
        (
            "data/appliances/201-web-shop/logo.png",
            b"\x89PNG\r\n\x1a\n",
        ),
    ];
    let paths = files.map(|(path, _)| path);
    let mut of = item(Section::Appliances, 201, &paths);
    of.name = Some("Web shop".to_owned());
    let (report, mut memory) = bag(Section::Appliances, vec![of], &files);
    let written = write(&report, &mut memory).unwrap();
    let page = &memory.pages["view/appliances.html"];
    for expected in [
        "<bdi>Web shop</bdi>",
        "number\u{a0}201",
        "<time datetime=\"2026-10-02T06:00:00Z\">2 October 2026, 06:00 UTC</time>",
        "<data value=\"1234567\">1.2 MB (1,234,567 bytes)</data>",
        "<data value=\"true\">yes</data>",
        "<dt><bdi>unheardOf</bdi></dt><dd><bdi>yes &#38; no</bdi></dd>",
        "<th scope=\"row\"><bdi>second</bdi></th><td><bdi>2</bdi></td>",
        "<bdi>GPL</bdi>",
        "<img src=\"../data/appliances/201-web-shop/logo.png\" alt=\"Logo of Web shop\"",
        "<a href=\"../data/appliances/201-web-shop/archive.tar.gz\">archive.tar.gz</a>",
        "href=\"../index.html#of-appliances\"",
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
    for hidden in ["users/j/", ">d0<", ">t<"] {
        assert!(!page.contains(hidden), "{hidden}");
    }
    assert_eq!(written.sums.len(), 1);
    assert_eq!(written.sums[0].1, Sha256::of(page.as_bytes()));
    assert_eq!(written.views.created.periods().len(), 1);
}

#[test]
fn the_newest_document_of_an_object_counts_in_the_form_of_the_schema() {
    let files: [(&str, &[u8]); 3] = [
        (
            "data/appliances/1-a/appliance.xml",
            b"<appliance><description>older</description></appliance>",
        ),
        (
            "data/appliances/1-a/appliance-2.xml",
            b"<appliance><description>newer</description></appliance>",
        ),
        (
            "data/appliances/1-a/appliance-3.json",
            br#"{"appliance": {"description": "twin"}}"#,
        ),
    ];
    let paths = files.map(|(path, _)| path);
    let (report, mut memory) = bag(
        Section::Appliances,
        vec![item(Section::Appliances, 1, &paths)],
        &files,
    );
    write(&report, &mut memory).unwrap();
    let page = &memory.pages["view/appliances.html"];
    assert!(page.contains("newer") && !page.contains("older") && !page.contains("twin"));
}

#[test]
fn an_object_without_a_document_is_shown_from_the_list() {
    let list: [(&str, &[u8]); 1] = [(
        "data/appliances/appliances.xml",
        b"<appliances><appliances><appliance><dbId>1</dbId><description>from the list</description></appliance><appliance><dbId>2</dbId><description>somebody else</description></appliance></appliances></appliances>",
    )];
    let mut failed = item(Section::Appliances, 1, &[]);
    failed.status = ItemStatus::Failed;
    failed.reason = Some("the server failed (500)".to_owned());
    let unknown = item(Section::Appliances, 3, &[]);
    let (report, mut memory) = bag(Section::Appliances, vec![failed, unknown], &list);
    write(&report, &mut memory).unwrap();
    let page = &memory.pages["view/appliances.html"];
    assert!(page.contains("from the list") && page.contains("the server failed (500)"));
    assert!(!page.contains("somebody else") && page.contains("object 3"));
}

#[test]
fn a_page_has_two_hundred_objects_and_leads_to_the_next() {
    use std::fmt::Write as _;
    let mut list = "<statTickets><statTickets>".to_owned();
    for number in 1..=401 {
        write!(
            list,
            "<statTicket><dbId>{number}</dbId><created>2026-01-02T00:00:00Z</created></statTicket>"
        )
        .unwrap();
    }
    list.push_str("</statTickets></statTickets>");
    let pages = pages_of_list(Section::Usage, "data/usage/usage.xml", list.as_bytes());
    let names: Vec<&String> = pages.keys().collect();
    assert_eq!(
        names,
        ["view/usage-2.html", "view/usage-3.html", "view/usage.html"]
    );
    let count = |page: &str| pages[page].matches("<article").count();
    assert_eq!(names.map_counts(count), [200, 1, 200]);
    assert!(pages["view/usage.html"].contains("<a rel=\"next\" href=\"usage-2.html\">"));
    assert!(!pages["view/usage.html"].contains("rel=\"prev\""));
    assert!(pages["view/usage-2.html"].contains("<a rel=\"prev\" href=\"usage.html\">"));
    assert!(pages["view/usage-2.html"].contains("usage records 201 to 400"));
    assert!(pages["view/usage-3.html"].contains("id=\"o-401\""));
    assert!(!pages["view/usage-3.html"].contains("rel=\"next\""));
    for page in pages.values() {
        assert!(page.contains("href=\"../data/usage/usage.xml\""));
    }
}

trait Counts {
    fn map_counts(&self, count: impl Fn(&str) -> usize) -> Vec<usize>;
}

impl Counts for Vec<&String> {
    fn map_counts(&self, count: impl Fn(&str) -> usize) -> Vec<usize> {
        self.iter().map(|name| count(name)).collect()
    }
}

#[test]
fn exactly_two_hundred_objects_have_one_page() {
    let objects = "<role><name>r</name></role>".repeat(200);
    let list = format!("<roles><roles>{objects}</roles></roles>");
    let page = page_of_roles(&list);
    assert!(!page.contains("Next page"));
}

#[test]
fn a_section_without_objects_has_no_page() {
    for list in ["<roles><roles/></roles>", "<roles/>"] {
        assert!(pages_of_list(Section::Roles, "data/roles/roles.xml", list.as_bytes()).is_empty());
    }
    let (report, mut memory) = bag(Section::Appliances, Vec::new(), &[]);
    assert!(write(&report, &mut memory).unwrap().sums.is_empty());
}

#[test]
fn what_cannot_be_read_is_said_and_linked() {
    for broken in [
        b"<roles><ro".as_slice(),
        b"\xff\xfe\xff",
        b"",
        b"<!DOCTYPE a><a/>",
    ] {
        let pages = pages_of_list(Section::Roles, "data/roles/roles.xml", broken);
        let page = &pages["view/roles.html"];
        assert!(page.contains("cannot be shown here"), "{page}");
        assert!(page.contains("href=\"../data/roles/roles.xml\""));
    }
    let of = item(
        Section::Appliances,
        1,
        &["data/appliances/1-a/appliance.xml"],
    );
    let files: [(&str, &[u8]); 1] = [("data/appliances/1-a/appliance.xml", b"<a")];
    let (report, mut memory) = bag(Section::Appliances, vec![of], &files);
    memory.payload.clear();
    write(&report, &mut memory).unwrap();
    let page = &memory.pages["view/appliances.html"];
    assert!(page.contains("could not be read back") && page.contains("object 1"));
}

#[test]
fn secrets_are_not_shown_and_it_is_said_that_they_are_there() {
    let page = page_of_roles(&roles(
        "<name>r</name><password>hunter2!</password><apiKey/><note>not hunter2! again</note><users><user><password>swordfish</password><login>root</login></user><user><login>j</login></user></users>",
    ));
    assert!(!page.contains("hunter2") && !page.contains("swordfish"));
    assert!(page.contains("A value is there; it is not shown."));
    assert!(page.contains("No value is there."));
    assert!(page.contains("not REDACTED again"));
}

#[test]
fn what_was_blanked_is_shown_as_there() {
    let document = roles("<name>r</name><password></password><apiKey/>");
    let files: [(&str, &[u8]); 1] = [("data/roles/roles.xml", document.as_bytes())];
    let (mut report, mut memory) = bag(Section::Roles, Vec::new(), &files);
    report.redacted = true;
    report.files[0].origin.redactions = vec![Redaction {
        rule: RedactionRule::Secret,
        count: 1,
    }];
    write(&report, &mut memory).unwrap();
    let page = &memory.pages["view/roles.html"];
    assert!(page.contains("A value is there on the platform; it was blanked in this copy."));
    assert!(page.contains("No value is there."));
}

#[test]
fn json_reads_as_xml_does() {
    let json = br#"{"roles": {"roles": {"role": [{"name": "designer", "entitlements": {"entitlement": [{"name": "a"}, {"name": "b"}]}, "password": "hunter2!", "x": null, "list": ["one", "two"]}]}}}"#;
    let xml = roles(
        "<name>designer</name><entitlements><entitlement><name>a</name></entitlement><entitlement><name>b</name></entitlement></entitlements><password>hunter2!</password><list>one</list><list>two</list>",
    );
    let of_json =
        pages_of_list(Section::Roles, "data/roles/roles.json", json).remove("view/roles.html");
    let of_xml = page_of_roles(&xml);
    let objects = |page: &str| {
        let (_, rest) = page.split_once("<article").unwrap();
        rest.split_once("</article>").unwrap().0.to_owned()
    };
    assert_eq!(objects(&of_json.unwrap()), objects(&of_xml));
}

#[test]
fn what_is_hostile_is_text_and_has_an_end() {
    let page = page_of_roles(&roles(
        "<name>&lt;script&gt;alert(1)&lt;/script&gt;\u{202e}gpj</name><description>&lt;img src=x onerror=alert(1)&gt;</description><x\u{e9}>\"'&gt;</x\u{e9}>",
    ));
    assert!(page.contains("<bdi>&#60;script&#62;alert(1)&#60;/script&#62;\u{202e}gpj</bdi>"));
    assert!(!page.contains("<script") && !page.contains("<img"));
    let long = page_of_roles(&roles(&format!(
        "<name>{0}</name><description>{0}</description>",
        "x".repeat(1_000_000)
    )));
    assert!(long.len() < 40_000, "{}", long.len());
    assert!(
        long.contains("the rest is in the file") && long.contains("There is more than fits here")
    );
    let wide = page_of_roles(&roles(&"<v>12345</v><w><x>1</x></w>".repeat(50_000)));
    assert!(wide.len() < 2_000_000, "{}", wide.len());
    assert!(
        wide.contains("There is more than fits here: see <a href=\"../data/roles/roles.xml\">")
    );
    let names: Vec<String> = (0..20_000)
        .map(|name| format!("<n{name}>v</n{name}>"))
        .collect();
    let many = page_of_roles(&roles(&names.concat()));
    assert!(
        many.len() < 2_000_000 && many.contains("There is more"),
        "{}",
        many.len()
    );
}

#[test]
fn two_hundred_large_objects_make_a_page_that_can_be_opened() {
    let object = format!(
        "<role>{}</role>",
        "<v>&amp;&amp;&amp;&amp;&amp;&amp;&amp;&amp;</v>".repeat(3_000)
    );
    let list = format!("<roles><roles>{}</roles></roles>", object.repeat(200));
    let page = page_of_roles(&list);
    assert_eq!(page.matches("<article").count(), 200);
    assert!(page.len() < 12_000_000, "{}", page.len());
}

#[test]
fn what_is_nested_deeply_is_in_the_file() {
    let deep = format!(
        "{}1{}",
        "{\"a\":{\"b\":1},\"c\":".repeat(9_000),
        "}".repeat(9_000)
    );
    let json = format!("{{\"roles\": {{\"roles\": {{\"role\": [{deep}]}}}}}}");
    let pages = pages_of_list(Section::Roles, "data/roles/roles.json", json.as_bytes());
    assert!(pages["view/roles.html"].contains("More is nested in here"));
}

#[test]
fn only_a_picture_is_shown_as_one() {
    for (bytes, expected) in [
        (b"\x89PNG\r\n\x1a\n".as_slice(), true),
        (b"<html><script>alert(1)</script>", false),
        (b"", false),
    ] {
        let files: [(&str, &[u8]); 2] = [
            ("data/profile/user.xml", b"<user><name>j</name></user>"),
            ("data/profile/photo.png", bytes),
        ];
        let paths = files.map(|(path, _)| path);
        let of = item(Section::Profile, 1, &paths);
        let (report, mut memory) = bag(Section::Profile, vec![of], &files);
        write(&report, &mut memory).unwrap();
        let page = &memory.pages["view/profile.html"];
        assert_eq!(page.contains("<img"), expected);
        assert!(page.contains("<a href=\"../data/profile/photo.png\">photo.png</a>"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_unescaped_and_no_secret_is_shown(
        name in "\\PC{1,40}",
        field in "[a-zA-Z]{1,12}",
        secret in "[A-Za-z0-9<>&\"']{8,20}",
    ) {
        let document = serde_json::json!({ "roles": { "roles": { "role": [{
            "name": format!("<b>{name}</b>"),
            (field): format!("<script>{name}"),
            "privateKey": secret,
            "description": format!("it is {secret}."),
        }] } } });
        let path = "data/roles/roles.json";
        let pages = pages_of_list(Section::Roles, path, document.to_string().as_bytes());
        let page = &pages["view/roles.html"];
        let escaped = |text: &str| text.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;").replace('"', "&#34;").replace('\'', "&#39;");
        prop_assert!(!page.contains(&secret) && !page.contains(&escaped(&secret)));
        prop_assert!(!page.contains("<script") && !page.contains("<b>"));
    }
}
