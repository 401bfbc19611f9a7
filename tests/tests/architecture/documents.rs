//! Documents that the code and other documents name are there, and so are the headings in them that are named.

use std::collections::BTreeMap;
use std::path::Path;

use crate::tree::{Text, root, texts};

#[test]
fn every_document_that_is_named_exists_with_its_heading() {
    let documents = texts(&[".md"]);
    let mut missing = Vec::new();
    for text in texts(&[".rs", ".md", ".toml", ".html", ".snap"]) {
        for (number, line) in text.content.lines().enumerate() {
            for named in documents_of(line).chain(own_headings_of(&text, line)) {
                if !is_there(&text, named, &documents) {
                    missing.push(format!("  {}:{}: {named}", text.path, number + 1));
                }
            }
        }
    }
    assert!(
        missing.is_empty(),
        "named, and not there:\n{}",
        missing.join("\n")
    );
}

/// Whether a document is there, and in it the heading after `#`, where one is named.
fn is_there(text: &Text, named: &str, documents: &[Text]) -> bool {
    let (file, anchor) = named
        .split_once('#')
        .map_or((named, None), |(file, anchor)| (file, Some(anchor)));
    let document = if file.is_empty() {
        Some(text)
    } else {
        find(text, file, documents)
    };
    let Some(document) = document else {
        return false;
    };
    anchor.is_none_or(|anchor| anchors_of(&document.content).iter().any(|it| it == anchor))
}

/// From the workspace's folder, from the file's own, or by its name alone.
fn find<'a>(text: &Text, named: &str, documents: &'a [Text]) -> Option<&'a Text> {
    let beside = text.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let clean = named.trim_start_matches("../").trim_start_matches("./");
    let is = |path: &Path| {
        let path = path.canonicalize().ok();
        documents
            .iter()
            .find(|it| path.is_some() && root().join(&it.path).canonicalize().ok() == path)
    };
    let by_name = || {
        documents
            .iter()
            .find(|it| it.path == clean || it.path.ends_with(&format!("/{clean}")))
    };
    is(&root().join(beside).join(named))
        .or_else(|| is(&root().join(named)))
        .or_else(by_name)
}

/// What ends in `.md`, with the heading behind it where one is named, and is not below a web address.
fn documents_of(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| letter.is_alphanumeric() || "./_-:#".contains(letter);
    line.split(move |letter| !is_part(letter))
        .map(|word| word.trim_end_matches(['.', ':', '#']))
        .filter(|word| {
            let file = word.split('#').next().unwrap_or_default();
            Path::new(file).extension().is_some_and(|kind| kind == "md")
        })
        .filter(|word| !word.contains("://"))
}

/// Links of a document to its own headings: `](#words)`.
fn own_headings_of<'a>(text: &Text, line: &'a str) -> impl Iterator<Item = &'a str> {
    let is_document = Path::new(&text.path)
        .extension()
        .is_some_and(|kind| kind == "md");
    line.match_indices("](#")
        .filter(move |_| is_document)
        .filter_map(move |(at, _)| line.get(at + 2..)?.split(')').next())
}

/// The anchors of a document's headings, by the rule of GitHub: lower case, letters, digits, `-` and `_` stay, blanks become `-`, a
/// second heading of the same name gets `-1`.
fn anchors_of(document: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut in_code = false;
    let mut anchors = Vec::new();
    for line in document.lines() {
        in_code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        let level = line.len() - heading.len();
        if in_code || !(1..=6).contains(&level) || !heading.starts_with(' ') {
            continue;
        }
        let anchor = anchor_of(heading.trim());
        let times = seen.entry(anchor.clone()).or_default();
        anchors.push(match *times {
            0 => anchor,
            times => format!("{anchor}-{times}"),
        });
        *times += 1;
    }
    anchors
}

fn anchor_of(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let kept = lower.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        letter if letter.is_alphanumeric() || "-_".contains(letter) => Some(letter),
        _ => None,
    });
    kept.collect()
}

#[test]
fn anchors_are_those_of_github() {
    let document = "# A title\n## Streams, and `exit` status\n```\n# no heading\n```\n## A title\n#no\n### One-way & x_y\n";
    assert_eq!(
        anchors_of(document),
        [
            "a-title",
            "streams-and-exit-status",
            "a-title-1",
            "one-way--x_y"
        ]
    );
}

/// The contract is a document of those who order this program, not of this repository.
#[test]
fn nothing_refers_to_documents_by_another_name() {
    let mut found = Vec::new();
    for text in texts(&[".rs"]) {
        for (number, line) in text.content.lines().enumerate() {
            let cites = line.contains("contract, part") || line.contains("contract part");
            if cites && !text.path.ends_with("architecture/documents.rs") {
                found.push(format!("  {}:{}", text.path, number + 1));
            }
        }
    }
    assert!(
        found.is_empty(),
        "they cite a document that is not here:\n{}",
        found.join("\n")
    );
}
