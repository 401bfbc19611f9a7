//! What the tests of this crate share: orders, entries, archives, and reading bags back with other people's code.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::model::{BagFormat, BagPath, SafeName, Section, Sha256, UserId};
use domain::ports::{
    ArchiveSink, Check, Durability, EntryWriter, FinishedBag, Journal, NewEntry, Origin, Receipt,
    SinkError, Storage, TagFile,
};
use flate2::read::MultiGzDecoder;

use crate::run::{
    OpenError, OpenRun, OpenedRun, RunFiles, RunSettings, Target, UnfinishedPolicy, open_run,
};
use crate::{Encryption, Replace, WholeSum};

pub(crate) const FORMATS: [BagFormat; 3] = [BagFormat::Zip, BagFormat::Tar, BagFormat::TarGz];
pub(crate) const TOP: &str = "my-bag";
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder for one bag, and the order for it.
pub(crate) struct Kit {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) format: BagFormat,
    pub(crate) encryption: Option<Encryption>,
}

impl Kit {
    pub(crate) fn new(format: BagFormat) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            format,
            encryption: None,
        }
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.folder
            .path()
            .join(format!("{TOP}.{}", self.format.ending()))
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.folder
            .path()
            .join(format!(".{TOP}.{}.uforge-run", self.format.ending()))
    }

    pub(crate) fn settings(&self) -> RunSettings {
        RunSettings {
            target: Target::File {
                path: self.target(),
                replace: Replace::Refuse,
            },
            format: self.format,
            top: SafeName::parse(TOP).unwrap(),
            fingerprint: Sha256::of(b"order"),
            user: UserId::parse("john").unwrap(),
            source: "https://uforge.example.com/api".to_owned(),
            encryption: self.encryption.clone(),
            whole_sum: WholeSum::None,
            unfinished: UnfinishedPolicy::Resume,
        }
    }

    /// Opens the run. One that was dropped keeps its files until its threads have ended, unlike one whose process was killed: that is
    /// waited for.
    pub(crate) fn try_open(&self) -> Result<OpenedRun, OpenError> {
        let began = Instant::now();
        loop {
            match open_run(self.settings()) {
                Err(OpenError::Locked { .. }) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                opened => return opened,
            }
        }
    }

    pub(crate) fn open(&self) -> Run {
        match self.try_open().unwrap() {
            OpenedRun::Ready(run) => run.into(),
            OpenedRun::AlreadyComplete { .. } => panic!("complete already"),
        }
    }

    /// Opens an entry that has the container from here on.
    pub(crate) async fn hold(
        &self,
        run: &Run,
        entry: NewEntry,
        content: &[u8],
    ) -> Box<dyn EntryWriter> {
        let length = || fs::metadata(self.work().join("bag")).unwrap().len();
        let before = length();
        let mut writer = run.begin(entry).await;
        writer.write(Bytes::copy_from_slice(content)).await.unwrap();
        while length() == before {
            std::thread::sleep(Duration::from_millis(1));
        }
        writer
    }

    /// A copy of everything on disk, as a kill would leave it now.
    pub(crate) fn killed(&self) -> Self {
        loop {
            let before = fingerprint(self.folder.path());
            let copy = Self {
                folder: tempfile::tempdir().unwrap(),
                format: self.format,
                encryption: self.encryption.clone(),
            };
            copy_folder(self.folder.path(), copy.folder.path());
            // A kill stops everything in one instant, and files are copied one after the other: a journal that is copied after the bag
            // must not have a line about bytes that were written between the two. So a copy counts only where nothing changed meanwhile.
            if fingerprint(self.folder.path()) == before {
                return copy;
            }
        }
    }

    /// Paths and contents of the published bag, without the top folder.
    pub(crate) fn read_back(&self) -> BTreeMap<String, Vec<u8>> {
        read_back(self.format, &fs::read(self.target()).unwrap())
    }

    /// Names in the folder, hidden ones included.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Every file with its length and the moment it last changed.
fn fingerprint(folder: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // What is removed meanwhile is not there.
        let Ok(found) = path.symlink_metadata() else {
            continue;
        };
        if found.is_dir() {
            files.extend(fingerprint(&path));
        } else {
            files.insert(path, (found.len(), found.ctime(), found.ctime_nsec()));
        }
    }
    files
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    // Whatever the umask of whoever runs the tests: a work folder is its owner's alone.
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            // Not `fs::copy`, which would follow a file that grows. A spooled file that its thread removes meanwhile was not
            // there any more when the kill came.
            let mut file = match File::open(entry.path()) {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => panic!("{}: {error}", entry.path().display()),
            };
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            fs::write(&target, bytes).unwrap();
            fs::set_permissions(&target, file.metadata().unwrap().permissions()).unwrap();
        }
    }
}

/// An open run with short words for what tests do.
pub(crate) struct Run {
    pub(crate) sink: Box<dyn ArchiveSink>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) files: RunFiles,
    pub(crate) resumed: bool,
}

impl From<OpenRun> for Run {
    fn from(run: OpenRun) -> Self {
        Self {
            sink: run.sink,
            journal: run.journal,
            files: run.run_files,
            resumed: run.resumed,
        }
    }
}

impl Run {
    pub(crate) async fn begin(&self, entry: NewEntry) -> Box<dyn EntryWriter> {
        self.sink.open_entry(entry).await.unwrap()
    }

    /// An entry from its first byte to its receipt, in pieces.
    pub(crate) async fn put(&self, entry: NewEntry, content: &[u8]) -> Result<Receipt, SinkError> {
        let mut writer = self.begin(entry).await;
        for chunk in content.chunks(10_000) {
            writer.write(Bytes::copy_from_slice(chunk)).await?;
        }
        writer.close().await
    }

    /// Finishes the bag and forgets the run, as who reported the bag does.
    pub(crate) async fn finish(self) -> Result<FinishedBag, SinkError> {
        let (bag, run_files) = self.finish_unreported().await?;
        run_files.remove();
        Ok(bag)
    }

    /// Finishes the bag; it was reported to nobody yet.
    pub(crate) async fn finish_unreported(self) -> Result<(FinishedBag, RunFiles), SinkError> {
        let tags = vec![TagFile {
            path: path("bagit.txt"),
            bytes: Bytes::from_static(b"BagIt-Version: 1.0\n"),
        }];
        Ok((self.sink.finish(Box::new(tags)).await?, self.files))
    }

    pub(crate) fn resumed_receipts(&self) -> Vec<String> {
        let receipts = self.sink.resumed_receipts();
        assert!(receipts.iter().all(|receipt| receipt.durable));
        receipts
            .into_iter()
            .map(|receipt| receipt.path.as_str().to_owned())
            .collect()
    }
}

pub(crate) fn path(text: &str) -> BagPath {
    BagPath::parse(text).unwrap()
}

fn origin() -> Origin {
    Origin {
        section: Section::Appliances,
        source: "GET users/john/appliances/201".to_owned(),
        fetched: "2026-11-23T10:20:30Z".parse().unwrap(),
        item: None,
        ticket: None,
        redactions: Vec::new(),
    }
}

/// A document of known size.
pub(crate) fn document(name: &str, content: &[u8]) -> NewEntry {
    NewEntry {
        path: path(name),
        media_type: "application/xml".to_owned(),
        storage: Storage::Compressed,
        size: Some(content.len() as u64),
        check: Check::None,
        durability: Durability::AtFinish,
        validator: None,
        origin: origin(),
    }
}

/// A download of unknown size that must be safe when it is closed.
pub(crate) fn download(name: &str) -> NewEntry {
    NewEntry {
        path: path(name),
        media_type: "application/gzip".to_owned(),
        storage: Storage::Stored,
        size: None,
        check: Check::Gzip,
        durability: Durability::AtClose,
        validator: None,
        origin: origin(),
    }
}

/// Bytes that do not compress, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
    .take(length)
    .collect()
}

/// A gzip stream around noise.
pub(crate) fn archive(seed: u64, length: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&noise(seed, length)).unwrap();
    encoder.finish().unwrap()
}

/// Reads a bag with the `zip` and `tar` crates: paths without the top folder, and contents.
pub(crate) fn read_back(format: BagFormat, bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    match format {
        BagFormat::Zip => read_zip(bytes),
        BagFormat::Tar => read_tar(bytes),
        BagFormat::TarGz => read_tar(MultiGzDecoder::new(bytes)),
    }
}

fn read_zip(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(io::Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut file = zip.by_index(index).unwrap();
            assert_eq!(file.unix_mode(), Some(0o100_600));
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (below_top(&file.name().unwrap()), content)
        })
        .collect()
}

fn read_tar(input: impl Read) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut tar = tar::Archive::new(input);
    for file in tar.entries().unwrap() {
        let mut file = file.unwrap();
        assert_eq!(file.header().mode().unwrap(), 0o600);
        let name = file.path().unwrap().to_str().unwrap().to_owned();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(files.insert(below_top(&name), content), None, "{name}");
    }
    // Also what follows the end of the tar must be sound gzip.
    io::copy(&mut tar.into_inner(), &mut io::sink()).unwrap();
    files
}

fn below_top(name: &str) -> String {
    name.strip_prefix("my-bag/").unwrap().to_owned()
}
