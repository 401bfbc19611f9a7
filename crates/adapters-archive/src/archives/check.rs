//! What a bag says of itself, and whether its archives are what the manifest says.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};

use domain::bag::layout::{self, Tag};
use domain::bag::manifest;
use domain::bag::verify::{Damage, Finding, RecordedExport};
use domain::model::{Sha256, Sha256Hasher};
use domain::ports::{ArchiveCheck, BagReadError, ListedArchive};

use crate::pieces::Pieces;
use crate::reader::visit::{Content, Visitor, judge};
use crate::reader::{BUFFER_BYTES, BagSource, ReadError, StoredFormat};
use crate::verify::{Watched, tag_limit};

/// The folder of the payload (RFC 8493 §2.1.2).
const PAYLOAD: &str = "data/";

/// What was read of files, by their paths.
#[derive(Debug, Default)]
pub(super) struct Hashed(BTreeMap<String, Seen>);

/// What was seen of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// Its bytes were passed over.
    Passed {
        place: u64,
        bytes: u64,
        /// Where in the container they lie as they are.
        stored: Option<u64>,
    },
    Whole {
        place: u64,
        bytes: u64,
        sha256: Sha256,
    },
    /// In words: why it counts as damaged.
    Damaged(String),
}

impl Hashed {
    /// A path that is there twice is no file that anybody could mean.
    fn enter(&mut self, path: &str, seen: Seen) {
        let twice = self.0.contains_key(path);
        let seen = if twice {
            Seen::Damaged(format!("`{path}` is in the bag twice"))
        } else {
            seen
        };
        self.0.insert(path.to_owned(), seen);
    }

    /// Whether what was seen of a path can be the file of this sum.
    fn judge(&self, path: &str, expected: Sha256) -> ArchiveCheck {
        let (place, bytes) = match self.0.get(path) {
            None => return Err(format!("`{path}` is not in the bag")),
            Some(Seen::Damaged(what)) => return Err(what.clone()),
            Some(Seen::Whole { sha256, .. }) if *sha256 != expected => {
                return Err(format!(
                    "`{path}` differs from the manifest: its SHA-256 is {sha256}, not {expected}"
                ));
            }
            Some(Seen::Whole { place, bytes, .. } | Seen::Passed { place, bytes, .. }) => {
                (*place, *bytes)
            }
        };
        Ok(ListedArchive {
            path: path.to_owned(),
            bytes,
            sha256: expected,
            place,
        })
    }
}

/// What a bag says of itself.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) recorded: RecordedExport,
    pub(super) identity: Sha256,
    pub(super) export_json_sha256: Sha256,
    pub(super) tag_damage: Option<String>,
    /// The manifest; `None` where it lists a path twice with different sums.
    sums: BTreeMap<String, Option<Sha256>>,
    /// The archives. Where the bag had to be unpacked as a whole they were hashed, else passed over.
    archives: Hashed,
    are_hashed: bool,
}

impl Contents {
    /// Whether the answer to a check of this path depends on its bytes, and is not known yet.
    pub(super) fn is_worth_hashing(&self, path: &str) -> bool {
        !self.are_hashed && path.starts_with(PAYLOAD) && self.sums.contains_key(path)
    }

    /// Whether a path is an archive whose bytes are those of the manifest.
    pub(super) fn judge(&self, path: &str, hashed: &Hashed) -> ArchiveCheck {
        let expected = self.expected(path)?;
        let hashed = if self.are_hashed {
            &self.archives
        } else {
            hashed
        };
        hashed.judge(path, expected)
    }

    /// Where an archive lies that the manifest lists. What is known of its bytes is judged.
    pub(super) fn locate(&self, path: &str) -> ArchiveCheck {
        self.archives.judge(path, self.expected(path)?)
    }

    /// Where in the file of the bag the bytes of an archive lie as they are.
    pub(super) fn stored(&self, path: &str) -> Option<u64> {
        match self.archives.0.get(path) {
            Some(Seen::Passed { stored, .. }) => *stored,
            _ => None,
        }
    }

    /// The sum that the manifest has for a file of the payload.
    fn expected(&self, path: &str) -> Result<Sha256, String> {
        if !path.starts_with(PAYLOAD) {
            return Err(format!("`{path}` lies outside `{PAYLOAD}`"));
        }
        match self.sums.get(path) {
            None => Err(format!("`{path}` is not listed in the manifest")),
            Some(None) => Err(format!("`{path}` is listed in the manifest twice")),
            Some(Some(sum)) => Ok(*sum),
        }
    }
}

/// Reads what a bag says of itself. The inner error is that it says nothing that can be read.
pub(super) fn contents(bag: BagSource) -> Result<Result<Contents, BagReadError>, ReadError> {
    let in_one_pass = bag.format() == StoredFormat::TarGz;
    let mut reading = Reading {
        is_plain: !bag.is_encrypted(),
        wanted: if in_one_pass {
            Wanted::Archives
        } else {
            Wanted::Places
        },
        ..Reading::default()
    };
    bag.visit(&mut reading)?;
    let manifest = reading.manifest.unwrap_or_default();
    let Some(Described { recorded, sha256 }) = reading.export_json else {
        let what = "it holds no `export.json` that can be read".to_owned();
        return Ok(Err(BagReadError::Damaged { what }));
    };
    let recorded = match recorded {
        Ok(recorded) if recorded.is_known() => recorded,
        Ok(recorded) => {
            let what = format!(
                "its `export.json` is of the format `{}`, which is not known here",
                recorded.format.chars().take(80).collect::<String>()
            );
            return Ok(Err(BagReadError::Damaged { what }));
        }
        Err(error) => {
            let what = format!("its `export.json` cannot be read: {error}");
            return Ok(Err(BagReadError::Damaged { what }));
        }
    };
    let both = [sha256, Sha256::of(&manifest)];
    let tag_damage = tag_damage(&reading.tag_manifest.unwrap_or_default(), both);
    let [export_json_sha256, _] = both;
    let both = both.map(|sum| sum.to_string()).join(" ");
    Ok(Ok(Contents {
        recorded,
        identity: Sha256::of(both.as_bytes()),
        sums: sums(&manifest),
        export_json_sha256,
        tag_damage,
        archives: reading.hashed,
        are_hashed: in_one_pass,
    }))
}

/// Why `export.json` and the manifest, of these sums, are not what the tag manifest lists.
fn tag_damage(tag_manifest: &[u8], sums: [Sha256; 2]) -> Option<String> {
    let listed: Vec<_> = manifest::entries(tag_manifest).flatten().collect();
    let tags = [Tag::ExportJson, Tag::PayloadManifest].into_iter();
    let differs = |(tag, sum): &(Tag, Sha256)| {
        let mut entries = listed.iter().filter(|entry| entry.path == tag.name());
        !entries.any(|entry| entry.sha256 == *sum)
    };
    let (tag, _) = tags.zip(sums).find(differs)?;
    let (name, list) = (tag.name(), Tag::TagManifest.name());
    Some(format!("`{name}` is not what `{list}` lists"))
}

fn sums(manifest: &[u8]) -> BTreeMap<String, Option<Sha256>> {
    let mut sums: BTreeMap<String, Option<Sha256>> = BTreeMap::new();
    for entry in manifest::entries(manifest).flatten() {
        let known = sums.entry(entry.path).or_insert(Some(entry.sha256));
        if *known != Some(entry.sha256) {
            *known = None;
        }
    }
    sums
}

/// Hashes files of a bag.
pub(super) fn hashed(bag: BagSource, paths: BTreeSet<String>) -> Result<Hashed, ReadError> {
    let mut reading = Reading {
        wanted: Wanted::Paths(paths),
        ..Reading::default()
    };
    bag.visit(&mut reading)?;
    Ok(reading.hashed)
}

#[derive(Default)]
enum Wanted {
    /// The places of archives.
    #[default]
    Places,
    /// Whatever is an archive by its path.
    Archives,
    Paths(BTreeSet<String>),
}

#[derive(Default)]
struct Reading {
    wanted: Wanted,
    /// What lies in the container lies in the file of the bag.
    is_plain: bool,
    place: u64,
    hashed: Hashed,
    export_json: Option<Described>,
    manifest: Option<Vec<u8>>,
    tag_manifest: Option<Vec<u8>>,
    buffer: Vec<u8>,
}

impl Reading {
    fn wants(&self, path: &str) -> bool {
        match &self.wanted {
            Wanted::Places | Wanted::Archives => layout::is_archive(path),
            Wanted::Paths(paths) => paths.contains(path),
        }
    }

    fn hash(&mut self, place: u64, content: &mut dyn Read) -> io::Result<Result<Seen, Damage>> {
        self.buffer.resize(BUFFER_BYTES, 0);
        let (mut hasher, mut bytes) = (Sha256Hasher::default(), 0);
        loop {
            let read = match content.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Err(judge(error)?)),
            };
            hasher.update(self.buffer.get(..read).unwrap_or_default());
            bytes += read as u64;
        }
        Ok(Ok(Seen::Whole {
            place,
            bytes,
            sha256: hasher.finish(),
        }))
    }
}

/// `export.json`, which can be long: it is not kept as it is.
struct Described {
    recorded: Result<RecordedExport, serde_json::Error>,
    sha256: Sha256,
}

/// Reads `export.json` and sums it up; `None` where it cannot be read.
fn described(path: &str, content: &mut dyn Read) -> io::Result<Option<Described>> {
    let mut watched = Watched::plain(content, &Pieces::default());
    let limited = (&mut watched).take(tag_limit(path).unwrap_or_default());
    let recorded = RecordedExport::read(BufReader::with_capacity(BUFFER_BYTES, limited));
    match watched.finish() {
        Ok(seen) => Ok(Some(Described {
            recorded,
            sha256: seen.sha256,
        })),
        Err(error) => judge(error).map(|_| None),
    }
}

/// As much of a tag file as is read of one; `None` where it cannot be read.
fn tag(path: &str, content: &mut dyn Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let limit = tag_limit(path).unwrap_or_default();
    match content.take(limit).read_to_end(&mut bytes) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) => judge(error).map(|_| None),
    }
}

impl Visitor for Reading {
    fn file(&mut self, path: &str, bytes: u64, content: &mut dyn Content) -> io::Result<()> {
        let place = self.place;
        self.place += 1;
        if path == Tag::ExportJson.name() && self.export_json.is_none() {
            self.export_json = described(path, content)?;
        } else if path == Tag::PayloadManifest.name() && self.manifest.is_none() {
            self.manifest = tag(path, content)?;
        } else if path == Tag::TagManifest.name() && self.tag_manifest.is_none() {
            self.tag_manifest = tag(path, content)?;
        } else if self.wants(path) {
            let seen = if let Wanted::Places = self.wanted {
                let stored = content.place()?.filter(|_| self.is_plain);
                Seen::Passed {
                    place,
                    bytes,
                    stored,
                }
            } else {
                match self.hash(place, content)? {
                    Ok(seen) => seen,
                    Err(damage) => Seen::Damaged(format!("`{path}` cannot be read: {damage}")),
                }
            };
            self.hashed.enter(path, seen);
        }
        Ok(())
    }

    fn unreadable(&mut self, path: &str, damage: Damage) {
        self.place += 1;
        if self.wants(path) {
            let seen = Seen::Damaged(format!("`{path}` is not a file of the bag: {damage}"));
            self.hashed.enter(path, seen);
        }
    }

    fn finding(&mut self, _: Finding) {}

    fn broke_off(&mut self) {}
}
