//! Documents that the code and other documents name are there.

use std::path::Path;

use crate::tree::{Text, root, texts};

/// Documents that are outside: a bag's own, or another project's.
const OUTSIDE: [&str; 0] = [];

#[test]
fn every_document_that_is_named_exists() {
    let documents = texts(&[".md"]);
    let mut missing = Vec::new();
    for text in texts(&[".rs", ".md", ".toml"]) {
        for (number, line) in text.content.lines().enumerate() {
            for named in documents_of(line) {
                let known = OUTSIDE.contains(&named) || exists(&text, named, &documents);
                if !known {
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

/// From the workspace's folder, from the file's own, or by its name alone.
fn exists(text: &Text, named: &str, documents: &[Text]) -> bool {
    let beside = text.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let clean = named.trim_start_matches("../");
    root().join(named).exists()
        || root().join(beside).join(named).exists()
        || documents
            .iter()
            .any(|document| document.path == clean || document.path.ends_with(&format!("/{clean}")))
}

/// What ends in `.md` and is not below a web address.
fn documents_of(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "./_-:".contains(letter);
    line.split(move |letter| !is_part(letter))
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(|word| Path::new(word).extension().is_some_and(|kind| kind == "md"))
        .filter(|word| !word.contains("://"))
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
