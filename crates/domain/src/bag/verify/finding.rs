//! What can be wrong with a bag, each in one plain sentence that names the file.

use serde::Serialize;
use thiserror::Error;

use super::super::manifest::ManifestError;
use crate::ports::CheckFailure;

/// One thing that is wrong with a bag. Its text is a sentence for people; file names from a foreign bag are escaped in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Finding {
    /// Listed, but not there.
    #[error("`{}` is missing: {manifest} lists it", path.escape_debug())]
    Missing {
        /// The file.
        path: String,
        /// The manifest.
        manifest: &'static str,
    },
    /// A tag file that every bag has.
    #[error("`{path}` is missing: every bag has one")]
    Required {
        /// The file.
        path: &'static str,
    },
    /// There, but not listed.
    #[error("`{}` does not belong in the bag: {manifest} does not list it", path.escape_debug())]
    Unexpected {
        /// The file.
        path: String,
        /// The manifest.
        manifest: &'static str,
    },
    /// Not the bytes that were put into the bag.
    #[error("`{}` has been altered: its SHA-256 is not the one in {manifest}", path.escape_debug())]
    Altered {
        /// The file.
        path: String,
        /// The manifest.
        manifest: &'static str,
    },
    /// More than one file of the same path.
    #[error("`{}` is in the bag more than once", path.escape_debug())]
    Twice {
        /// The file.
        path: String,
    },
    /// Not below the bag's one top folder.
    #[error("`{}` lies outside of the bag's folder", path.escape_debug())]
    Outside {
        /// The entry.
        path: String,
    },
    /// The container itself is damaged.
    #[error("{}{damage}", near.as_deref().map(in_front).unwrap_or_default())]
    Damaged {
        /// The entry at which, or after which, it was seen.
        near: Option<String>,
        /// What is wrong.
        damage: Damage,
    },
    /// A gzip file of the payload is not a complete gzip file.
    #[error("`{}`: {failure}", path.escape_debug())]
    Archive {
        /// The file.
        path: String,
        /// What is wrong with it.
        failure: CheckFailure,
    },
    /// A tag file does not say what it must.
    #[error("`{}` {problem}", path.escape_debug())]
    Tag {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: TagProblem,
    },
    /// `Payload-Oxum` is not what is there.
    #[error("bag-info.txt says that the payload is `{}` (bytes.files), it is `{found}`", said.escape_debug())]
    Oxum {
        /// What it says.
        said: String,
        /// What is there.
        found: String,
    },
    /// `export.json` and the bag do not agree on a file.
    #[error("`{}` {disagreement}", path.escape_debug())]
    ExportJson {
        /// The file.
        path: String,
        /// In what.
        disagreement: Disagreement,
    },
    /// Something is wrong inside an archive of the payload.
    #[error("`{}`: {problem}", path.escape_debug())]
    Inner {
        /// The archive.
        path: String,
        /// What is wrong inside.
        problem: InnerProblem,
    },
}

fn in_front(near: &str) -> String {
    format!("`{}`: ", near.escape_debug())
}

impl Finding {
    /// The file that it is about, where it is about one.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Missing { path, .. }
            | Self::Unexpected { path, .. }
            | Self::Altered { path, .. }
            | Self::Twice { path }
            | Self::Outside { path }
            | Self::Archive { path, .. }
            | Self::Tag { path, .. }
            | Self::ExportJson { path, .. }
            | Self::Inner { path, .. } => Some(path),
            Self::Required { path } => Some(path),
            Self::Damaged { near, .. } => near.as_deref(),
            Self::Oxum { .. } => Some("bag-info.txt"),
        }
    }
}

impl Serialize for Finding {
    /// As `{"path": …, "finding": "the sentence"}`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut object = serializer.serialize_struct("Finding", 2)?;
        object.serialize_field("path", &self.path())?;
        object.serialize_field("finding", &self.to_string())?;
        object.end()
    }
}

/// What is wrong with a container (zip, tar, gzip, or a folder).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Damage {
    /// It stops in the middle.
    #[error("the bag ends early")]
    EndsEarly,
    /// The entry's data cannot be unpacked.
    #[error("its data is damaged and cannot be unpacked")]
    Data,
    /// The container's own checksum of the entry is wrong.
    #[error("the container's own checksum does not match")]
    Checksum,
    /// The entry's header cannot be read.
    #[error("its header in the container is damaged")]
    Header,
    /// A zip file describes each entry twice, and the two are not the same.
    #[error("its header in the zip file and the zip file's directory do not agree")]
    HeadersDisagree,
    /// A zip file's directory, which stands at its end.
    #[error(
        "the directory at the end of the zip file is damaged or missing, so that its files cannot be found"
    )]
    Directory,
    /// In a zip file, but not in its directory: only some programs would unpack it.
    #[error("it lies in the zip file, but the zip file's directory does not list it")]
    Hidden,
    /// Bytes that belong to nothing.
    #[error("{bytes} bytes lie in the container that belong to no file")]
    Stray {
        /// How many.
        bytes: u64,
    },
    /// The end of a tar or gzip file is followed by something, or the container's closing record is damaged.
    #[error("the end of the container is damaged")]
    End,
    /// A path that would lead out of the folder that it is unpacked into, or none at all.
    #[error("this path would lead out of the folder that the bag is unpacked into")]
    UnsafePath,
    /// A link, a device, or an encrypted or unknown kind of entry.
    #[error("this is not a plain file")]
    NotAFile,
    /// The outermost gzip or encryption layer is damaged.
    #[error("the bag cannot be read on from here: its outer layer is damaged")]
    OuterLayer,
}

/// What is wrong with a tag file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TagProblem {
    /// A manifest's line is not one.
    #[error("cannot be read: {0}")]
    Line(#[from] ManifestError),
    /// A manifest lists a file twice.
    #[error("lists `{}` twice", .0.escape_debug())]
    ListsTwice(String),
    /// `bagit.txt` is not as RFC 8493 §2.1.1 wants it.
    #[error("is not a BagIt declaration")]
    Declaration,
    /// `export.json` cannot be read.
    #[error("cannot be read as JSON (line {line})")]
    Json {
        /// Where.
        line: usize,
    },
    /// `export.json` is JSON, but not what it has to be.
    #[error("is JSON, but not as an export.json has to be (line {line})")]
    Content {
        /// Where.
        line: usize,
    },
    /// `export.json` is of a format that this program does not know.
    #[error("is of the format `{}`, which this version does not know", .0.escape_debug())]
    Format(String),
    /// Larger than any of ours.
    #[error("is larger than the {limit} bytes that are read of it")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
}

/// In what `export.json` and the bag do not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Disagreement {
    /// Named, not there.
    #[error("is named in export.json, but it is not in the bag")]
    NotThere,
    /// Named more than once.
    #[error("is named in export.json more than once")]
    Twice,
    /// Named as a file of the payload, which it is not.
    #[error("is named in export.json, but it does not lie below data/")]
    NotPayload,
    /// There, not named.
    #[error("is in the bag, but export.json does not name it")]
    NotNamed,
    /// Another size.
    #[error("has {found} bytes, export.json says {recorded}")]
    Size {
        /// Bytes found.
        found: u64,
        /// Bytes recorded.
        recorded: u64,
    },
    /// Another sum.
    #[error("has another SHA-256 in export.json than in manifest-sha256.txt")]
    Sum,
}

/// What is wrong inside an archive of the payload.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InnerProblem {
    /// It is not a tar file, or a damaged one.
    #[error("the tar file inside is damaged")]
    NotTar,
    /// Neither a template nor a bundle file.
    #[error("it holds no template.yml, template.json, bundle.yml or bundle.json")]
    NoDescription,
    /// The template or bundle file cannot be parsed. What stands there is not repeated: it may be a password.
    #[error("`{}` inside cannot be read as {language}{}", file.escape_debug(), line.map(|line| format!(" (line {line})")).unwrap_or_default())]
    Unparsable {
        /// The template or bundle file.
        file: String,
        /// JSON or YAML.
        language: &'static str,
        /// Where, if the parser says it.
        line: Option<u64>,
    },
    /// The template or bundle file is too large to be read.
    #[error("`{}` inside is larger than {limit} bytes", file.escape_debug())]
    TooLarge {
        /// The template or bundle file.
        file: String,
        /// The limit.
        limit: u64,
    },
    /// A file that the template or bundle names is not in the archive.
    #[error("`{}` is named in its {by}, but it is not inside", file.escape_debug())]
    Lacks {
        /// The file.
        file: String,
        /// The template or bundle file.
        by: String,
    },
    /// An entry whose path or link leads out.
    #[error("`{}` inside leads out of the folder that it is unpacked into", entry.escape_debug())]
    Escapes {
        /// The entry.
        entry: String,
    },
    /// Two entries of the same path.
    #[error("`{}` is inside more than once", entry.escape_debug())]
    Twice {
        /// The entry.
        entry: String,
    },
    /// More entries than are looked at.
    #[error("it holds more than {limit} files")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}
