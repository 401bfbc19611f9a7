use std::io::Read;

use proptest::prelude::*;

use domain::model::OutputFormat;

use super::*;
use crate::archive::{ArchiveSource, System, archive_of};

fn source(bytes: u64) -> ArchiveSource {
    ArchiveSource {
        name: "Web \"front\": end/é".to_owned(),
        version: "1.0".to_owned(),
        revision: 3,
        description: "two\nlines".to_owned(),
        system: Some(System {
            name: "Debian".to_owned(),
            version: "9".to_owned(),
            arch: "x86_64".to_owned(),
        }),
        logo: vec![1, 2, 3],
        seed: 42,
        bytes,
        compressible: false,
    }
}

fn whole(archive: &Archive) -> Vec<u8> {
    archive
        .pieces_from(0)
        .flat_map(|piece| piece.to_vec())
        .collect()
}

fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (path, content)
    };
    archive.entries().unwrap().map(read).collect()
}

#[test]
fn an_appliance_archive_opens_and_holds_every_file_that_its_template_names() {
    let archive = archive_of(&source(700_000), OutputFormat::Json).unwrap();
    let bytes = whole(&archive);
    assert_eq!(bytes.len() as u64, archive.bytes());
    let files = unpacked(&bytes);
    let template: serde_json::Value = serde_json::from_slice(&files[0].1).unwrap();
    assert_eq!(files[0].0, "template.json");
    let stack = &template["stack"];
    assert_eq!(stack["name"], "Web \"front\": end/é");
    let named = [
        &stack["config"][0],
        &stack["bundles"][0]["files"][0],
        &stack["bundles"][0]["files"][1],
    ];
    for entry in named {
        let path = entry["source"].as_str().unwrap();
        assert!(
            files.iter().any(|(name, _)| name == path),
            "{path} is not in the archive"
        );
    }
}

#[test]
fn the_yaml_template_is_block_style_with_quoted_text() {
    let archive = archive_of(&source(20_000), OutputFormat::Yaml).unwrap();
    let files = unpacked(&whole(&archive));
    let template = String::from_utf8(files[0].1.clone()).unwrap();
    assert!(
        template.starts_with("---\nstack:\n  name: \"Web \\\"front\\\": end/é\"\n"),
        "{template}"
    );
    assert!(
        template.contains("\n  bundles:\n    -\n      name:"),
        "{template}"
    );
}

#[test]
fn a_long_archive_is_made_of_shared_memory() {
    let archive = archive_of(&source(8 << 30), OutputFormat::Yaml).unwrap();
    assert!(archive.bytes() > 8 << 30);
    assert!(archive.segments.len() < 10);
    assert!(archive.pieces_from(archive.bytes()).next().is_none());
}

#[test]
fn the_same_source_gives_the_same_bytes_and_another_seed_gives_others() {
    let first = archive_of(&source(2_000_000), OutputFormat::Yaml).unwrap();
    let again = archive_of(&source(2_000_000), OutputFormat::Yaml).unwrap();
    assert_eq!(first.sha256(), again.sha256());
    let other = archive_of(
        &ArchiveSource {
            seed: 43,
            ..source(2_000_000)
        },
        OutputFormat::Yaml,
    )
    .unwrap();
    assert_ne!(first.sha256(), other.sha256());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_offset_continues_the_same_bytes(bytes in 0u64..1_500_000, share in 0usize..1000) {
        let archive = archive_of(&source(bytes), OutputFormat::Yaml).unwrap();
        let all = whole(&archive);
        let offset = all.len() * share / 1000;
        let rest: Vec<u8> = archive.pieces_from(offset as u64).flat_map(|piece| piece.to_vec()).collect();
        prop_assert_eq!(&all[offset..], &rest[..]);
    }
}

#[test]
fn what_compresses_is_whole_and_several_times_as_long_inside() {
    let source = ArchiveSource {
        compressible: true,
        ..source(2_000_000)
    };
    let archive = archive_of(&source, OutputFormat::Yaml).unwrap();
    let bytes = whole(&archive);
    assert_eq!(bytes.len() as u64, archive.bytes());
    assert!((1_900_000..2_100_000).contains(&bytes.len()));
    let inside: usize = unpacked(&bytes)
        .iter()
        .map(|(_, content)| content.len())
        .sum();
    assert!(inside > 4_500_000, "{inside}");
    let rest: Vec<u8> = archive
        .pieces_from(1_234_567)
        .flat_map(|piece| piece.to_vec())
        .collect();
    assert!(bytes[1_234_567..] == rest);
}
