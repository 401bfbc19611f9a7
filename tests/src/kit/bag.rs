//! A bag read back with other people's readers, and checked after RFC 8493 by other code than wrote it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use sandbox::Platform;
use serde_json::Value;

/// A bag in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bag {
    /// The name of its one folder.
    pub top: String,
    /// Its files by their path in that folder.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Bag {
    /// Reads the bag in a file, by its ending.
    ///
    /// # Panics
    ///
    /// Where it is none.
    pub fn read(path: &Path) -> Self {
        let name = path.file_name().expect("a name").to_string_lossy();
        Self::of_bytes(&name, fs::read(path).expect("a bag"))
    }

    /// A bag in memory, as the ending of its name says.
    ///
    /// # Panics
    ///
    /// Where it is none.
    pub fn of_bytes(name: &str, bytes: Vec<u8>) -> Self {
        match name.rsplit('.').next() {
            Some("zip") => Self::of_zip(bytes),
            Some("tar") => Self::of_tar(bytes.as_slice()),
            Some("gz") => Self::of_tar(flate2::read::MultiGzDecoder::new(bytes.as_slice())),
            _ => panic!("no bag is called {name}"),
        }
    }

    fn of_zip(bytes: Vec<u8>) -> Self {
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip file");
        let mut found = Vec::new();
        for index in 0..zip.len() {
            let mut file = zip.by_index(index).expect("an entry");
            if file.is_file() {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).expect("its bytes");
                found.push((file.name().expect("a name").into_owned(), bytes));
            }
        }
        Self::of_entries(found)
    }

    fn of_tar(stream: impl Read) -> Self {
        let mut tar = tar::Archive::new(stream);
        let mut found = Vec::new();
        for entry in tar.entries().expect("a tar file") {
            let mut entry = entry.expect("an entry");
            if entry.header().entry_type().is_file() {
                let path = entry.path().expect("a path").display().to_string();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).expect("its bytes");
                found.push((path, bytes));
            }
        }
        Self::of_entries(found)
    }

    fn of_entries(entries: Vec<(String, Vec<u8>)>) -> Self {
        let mut tops = BTreeSet::new();
        let mut files = BTreeMap::new();
        for (path, bytes) in entries {
            let (top, rest) = path.split_once('/').expect("a folder above every file");
            tops.insert(top.to_owned());
            let twice = files.insert(rest.to_owned(), bytes);
            assert!(twice.is_none(), "{path} is there twice");
        }
        let top = tops.pop_first().expect("one folder");
        assert!(tops.is_empty(), "more than one folder at the top");
        Self { top, files }
    }

    /// The bytes of a file.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[track_caller]
    pub fn file(&self, path: &str) -> &[u8] {
        self.files
            .get(path)
            .unwrap_or_else(|| panic!("no {path} in {:?}", self.files.keys()))
    }

    /// A file as text.
    #[track_caller]
    pub fn text(&self, path: &str) -> &str {
        std::str::from_utf8(self.file(path)).expect("UTF-8")
    }

    /// `export.json`.
    #[track_caller]
    pub fn export_json(&self) -> Value {
        serde_json::from_slice(self.file("export.json")).expect("JSON")
    }

    /// The files below `data/`.
    pub fn payload(&self) -> BTreeMap<&str, &[u8]> {
        self.files
            .iter()
            .filter(|(path, _)| path.starts_with("data/"))
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
            .collect()
    }

    /// SHA-256 of every file below `data/`, without those whose path starts with one of these.
    pub fn sums_without(&self, left_out: &[&str]) -> BTreeMap<String, String> {
        self.payload()
            .into_iter()
            .filter(|(path, _)| !left_out.iter().any(|start| path.starts_with(start)))
            .map(|(path, bytes)| (path.to_owned(), Platform::sha256(bytes)))
            .collect()
    }

    /// Fails where `export.json` says another number of objects than the list in the bag holds.
    ///
    /// # Panics
    ///
    /// With the section.
    #[track_caller]
    pub fn check_lists(&self) {
        let export = self.export_json();
        for section in export["sections"].as_array().expect("sections") {
            let name = section["name"].as_str().expect("a name");
            let folder = format!("data/{name}/");
            let pages = self.files.keys().filter(|path| {
                let file = path.strip_prefix(&folder);
                file.is_some_and(|file| {
                    file.strip_suffix(".xml")
                        .is_some_and(|stem| !stem.contains('/'))
                })
            });
            let held: Vec<usize> = pages.map(|path| objects_in(self.text(path))).collect();
            if name != "profile" && !held.is_empty() {
                let held: usize = held.iter().sum();
                assert_eq!(section["listed"], held, "{name}");
            }
        }
    }

    /// Fails unless it is a valid BagIt 1.0 bag with names that any system takes.
    ///
    /// # Panics
    ///
    /// With what is wrong.
    #[track_caller]
    pub fn check(&self) {
        assert_eq!(
            self.text("bagit.txt"),
            "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
        );
        let (payload, tags): (BTreeSet<&str>, BTreeSet<&str>) = self
            .files
            .keys()
            .map(String::as_str)
            .partition(|path| path.starts_with("data/"));
        let listed = self.check_manifest("manifest-sha256.txt");
        assert_eq!(listed, payload, "the manifest covers the payload");
        let mut listed = self.check_manifest("tagmanifest-sha256.txt");
        listed.insert("tagmanifest-sha256.txt");
        assert_eq!(listed, tags, "the tag manifest covers the tag files");
        let bytes: usize = self.payload().values().map(|bytes| bytes.len()).sum();
        let oxum = format!("Payload-Oxum: {bytes}.{}\n", payload.len());
        assert!(self.text("bag-info.txt").contains(&oxum), "{oxum}");
        self.check_names();
    }

    fn check_manifest(&self, manifest: &str) -> BTreeSet<&str> {
        let mut listed = BTreeSet::new();
        for line in self.text(manifest).lines() {
            let (sum, path) = line.split_once("  ").expect("a sum and a path");
            assert_eq!(sum, Platform::sha256(self.file(path)), "{path}");
            assert!(listed.insert(path), "{path} is listed twice");
        }
        listed
    }

    fn check_names(&self) {
        let mut seen = BTreeSet::new();
        for path in self.files.keys() {
            assert!(
                seen.insert(path.to_ascii_lowercase()),
                "{path} only by case"
            );
            for part in path.split('/') {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
                assert!(part.bytes().all(plain), "{path}");
                assert!(part.len() <= 100 && !part.starts_with(".."), "{path}");
                assert!(!part.is_empty() && part != ".", "{path}");
            }
        }
    }
}

/// How many objects the wrapper of a list holds.
fn objects_in(list: &str) -> usize {
    let document = roxmltree::Document::parse(list).expect("XML");
    let fields = document.root_element().children();
    fields
        .flat_map(|field| field.children())
        .filter(roxmltree::Node::is_element)
        .count()
}
