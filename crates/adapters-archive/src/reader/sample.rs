//! Small bags for tests, made by other writers than the product's: by the `zip` and `tar` crates.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use domain::model::{BagPath, OutputFormat, Section, Sha256, UserId};
use domain::ports::{Origin, PayloadInPlace, Receipt, SinkError, TagFile};
use domain::report::{Completeness, Report, TagWriter};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::StoredFormat;

pub(crate) const ARCHIVE: &str = "data/appliances/201-shop/archive.tar.gz";
pub(crate) const USER: &str = "data/profile/user.xml";
pub(crate) const TEMPLATE: &str =
    "---\nstack:\n  name: shop\n  config:\n    - {name: boot.sh, source: config/boot.sh}\n";

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A header and its content, padded, without an end mark.
pub(crate) fn tar_entry(path: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o600);
    header.set_entry_type(tar::EntryType::Regular);
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes: Vec<u8> = files
        .iter()
        .flat_map(|(path, content)| tar_entry(path, content))
        .collect();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// The files of a sound bag: a document and an appliance's archive.
pub(crate) fn files() -> Files {
    files_with(&gzip(&tar(&[
        ("template.yml", TEMPLATE.as_bytes()),
        ("config/boot.sh", b"#!/bin/sh\n"),
    ])))
}

/// The same with this archive.
pub(crate) fn files_with(archive: &[u8]) -> Files {
    let user: &[u8] = b"<user><loginName>john</loginName></user>";
    let payload = [(USER, user), (ARCHIVE, archive)];
    let now = "2026-11-24T01:02:03Z".parse().unwrap();
    let receipts = payload.map(|(path, bytes)| Receipt {
        path: BagPath::parse(path).unwrap(),
        bytes: bytes.len() as u64,
        sha256: Sha256::of(bytes),
        media_type: "application/xml".to_owned(),
        origin: Origin {
            section: Section::Profile,
            source: "GET users/john".to_owned(),
            fetched: now,
            item: None,
            ticket: None,
            redactions: Vec::new(),
        },
        durable: true,
    });
    let export_json = serde_json::json!({
        "format": "uforge-export/1", "user": "john", "finished": "2026-11-24T01:02:03Z", "outcome": "complete",
        "files": payload.map(|(path, bytes)| serde_json::json!({
            "path": path, "bytes": bytes.len(), "sha256": Sha256::of(bytes), "section": "profile", "source": "GET users/john",
        })),
        "items": [{"files": [ARCHIVE]}],
    });
    let report = Report {
        tool_version: "0.1.0".to_owned(),
        source: "https://uforge.example.com/api".to_owned(),
        platform_version: None,
        user: UserId::parse("john").unwrap(),
        output_format: OutputFormat::Yaml,
        started: now,
        finished: now,
        completeness: Completeness::Complete,
        sections: Vec::new(),
        items: Vec::new(),
        files: receipts.to_vec(),
        failures: Vec::new(),
        notes: Vec::new(),
        notice: None,
        redacted: false,
    };
    let mut tags = Tags::default();
    let mut writer = TagWriter::after(Vec::new(), &mut tags);
    writer.add_bagit(&report).unwrap();
    for (path, text) in [
        ("export.json", export_json.to_string()),
        ("index.html", "<html>".to_owned()),
    ] {
        let path = BagPath::parse(path).unwrap();
        writer.add(path, text.into()).unwrap();
    }
    writer.finish().unwrap();
    let payload = payload.map(|(path, bytes)| (path.to_owned(), bytes.to_vec()));
    payload.into_iter().chain(tags.0).collect()
}

/// Tag files on their own.
#[derive(Default)]
struct Tags(Vec<(String, Vec<u8>)>);

#[cfg(test)]
impl PayloadInPlace for Tags {
    fn first_bytes(&mut self, _path: &BagPath, _at_most: u64) -> Option<Vec<u8>> {
        None
    }

    fn add(&mut self, tag: TagFile) -> Result<(), SinkError> {
        self.0.push((tag.path.to_string(), tag.bytes.to_vec()));
        Ok(())
    }
}

/// The bytes of a bag whose top folder is `bag`.
pub(crate) fn packed(files: &Files, format: StoredFormat) -> Vec<u8> {
    match format {
        StoredFormat::Zip => zipped(files),
        StoredFormat::Tar => {
            let mut bytes: Vec<u8> = files
                .iter()
                .flat_map(|(path, content)| tar_entry(&format!("bag/{path}"), content))
                .collect();
            bytes.resize(bytes.len() + 1024, 0);
            bytes
        }
        StoredFormat::TarGz => {
            let members = files
                .iter()
                .flat_map(|(path, content)| gzip(&tar_entry(&format!("bag/{path}"), content)));
            members.chain(gzip(&[0; 1024])).collect()
        }
        StoredFormat::Folder | StoredFormat::Unknown => panic!("it has no bytes"),
    }
}

fn zipped(files: &Files) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        let method = if path == ARCHIVE {
            CompressionMethod::Stored
        } else {
            CompressionMethod::Deflated
        };
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(format!("bag/{path}"), options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A file that is deleted with its folder.
pub(crate) struct OnDisk {
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

/// Puts bytes into a file whose name says nothing.
pub(crate) fn on_disk(bytes: &[u8]) -> OnDisk {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, bytes).unwrap();
    OnDisk {
        path,
        _folder: folder,
    }
}

/// A bag as a file or, unpacked, as a folder.
pub(crate) fn stored(files: &Files, format: StoredFormat) -> OnDisk {
    if format != StoredFormat::Folder {
        return on_disk(&packed(files, format));
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bag");
    for (file, content) in files {
        let file = path.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    OnDisk {
        path,
        _folder: folder,
    }
}
