//! A job whose runs are opened under one lease after the other, and readers of other people for its bag.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::jobs::{
    BagStore, BagStoreError, ClaimLimits, Job, JobId, JobRequest, JobStore as _, KeptBag, Lease,
    OpenedRun, RunSettings, RunStore, RunStoreError, Shares, WorkerId,
};
use domain::model::{BagFormat, BagPath, SafeName, Section, Sha256, UserId};
use domain::ports::{
    ArchiveSink, Check, Durability, EntryWriter, Journal, NewEntry, Origin, Receipt, SinkError,
    Storage, TagFile,
};
use domain::testing::{ManualClock, MemoryJobStore, MemoryRunRecords};
use flate2::write::GzEncoder;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use object_store::memory::InMemory;

use crate::S3Store;

pub(super) const FORMATS: [BagFormat; 3] = [BagFormat::Zip, BagFormat::Tar, BagFormat::TarGz];
const TERM: Duration = Duration::from_mins(1);
const ANY: ClaimLimits = ClaimLimits {
    archives: usize::MAX,
    campaigns: true,
};
const TOP: &str = "my-bag";

pub(super) struct Bench {
    pub(super) store: S3Store,
    jobs: Arc<MemoryJobStore>,
    clock: ManualClock,
    pub(super) settings: RunSettings,
}

/// A run that can write.
pub(super) struct Run {
    pub(super) sink: Box<dyn ArchiveSink>,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) lease: Lease,
}

pub(super) fn job() -> JobId {
    JobId::parse("018f3c5e-7b1a-7c3e-9d55-000000000001").unwrap()
}

fn john() -> UserId {
    UserId::parse("john").unwrap()
}

impl Bench {
    pub(super) async fn new(format: BagFormat) -> Self {
        let clock = ManualClock::default();
        let jobs = Arc::new(MemoryJobStore::new(Arc::new(clock.clone())));
        let request = JobRequest::everything_of(john());
        let new = Job::new(job(), john(), request, Timestamp::UNIX_EPOCH);
        let plenty = Shares {
            unfinished: 9,
            unfinished_in_all: 9,
            orders_a_day: 9,
            archives: 9,
        };
        jobs.admit(new, &plenty).await.unwrap();
        let records = Arc::new(MemoryRunRecords::new(Arc::clone(&jobs)));
        Self {
            store: S3Store::on(Arc::new(InMemory::new()), &"a/prefix".into(), records),
            jobs,
            clock,
            settings: RunSettings {
                user: john(),
                source: "https://uforge.example.com/api".to_owned(),
                format,
                top: SafeName::parse(TOP).unwrap(),
                file: SafeName::parse(&format!("{TOP}.{}", format.ending())).unwrap(),
                fingerprint: Sha256::of(b"an order"),
            },
        }
    }

    /// The job's next lease; whoever had it before has lost it.
    pub(super) async fn claim(&self) -> Lease {
        self.clock.advance(TERM * 2);
        let worker = WorkerId::of("worker");
        let claim = self.jobs.claim(&worker, TERM, ANY).await.unwrap();
        claim.expect("the job").lease
    }

    pub(super) async fn open(&self) -> Run {
        let lease = self.claim().await;
        match self.open_under(&lease).await.unwrap() {
            OpenedRun::Ready { sink, journal, .. } => Run {
                sink,
                journal,
                lease,
            },
            OpenedRun::Complete { .. } => panic!("complete already"),
        }
    }

    pub(super) async fn open_under(&self, lease: &Lease) -> Result<OpenedRun, RunStoreError> {
        RunStore::open(&self.store, lease, &self.settings).await
    }

    pub(super) async fn keep(&self, lease: &Lease) -> KeptBag {
        self.store.keep(lease, &self.settings.file).await.unwrap()
    }

    pub(super) async fn part(&self, size: u64, part: Range<u64>) -> Result<Vec<u8>, BagStoreError> {
        let body = BagStore::open(&self.store, &job(), &self.settings.file, size, part).await?;
        let chunks: Vec<Bytes> = body.try_collect().await?;
        Ok(chunks.concat())
    }

    pub(super) async fn whole(&self, kept: &KeptBag) -> Vec<u8> {
        self.part(kept.bytes, 0..kept.bytes).await.unwrap()
    }

    /// The keys of all objects in the bucket.
    pub(super) async fn objects(&self) -> Vec<String> {
        let found = self.store.objects.of_job(&job()).await.unwrap();
        found.into_iter().map(|object| object.key).collect()
    }

    /// Objects that no record names.
    pub(super) async fn unnamed(&self) -> Vec<String> {
        let history = super::super::history::History::load(&*self.store.records, &job()).await;
        let history = history.unwrap();
        let mut found = self.objects().await;
        let named = history.named();
        found.retain(|key| !named.contains(key.as_str()));
        found
    }

    /// The bag's files, as the readers of others see them.
    pub(super) fn files(&self, bag: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
        match self.settings.format {
            BagFormat::Zip => files_of_zip(bag),
            BagFormat::Tar => files_of_tar(&*bag),
            BagFormat::TarGz => files_of_tar(flate2::read::MultiGzDecoder::new(&*bag)),
        }
    }
}

impl Run {
    pub(super) async fn put(&self, entry: NewEntry, content: &[u8]) -> Result<Receipt, SinkError> {
        let mut writer = self.sink.open_entry(entry).await?;
        write(&mut writer, content).await?;
        writer.close().await
    }
}

pub(super) async fn write(
    writer: &mut Box<dyn EntryWriter>,
    content: &[u8],
) -> Result<(), SinkError> {
    for chunk in content.chunks(5000) {
        writer.write(Bytes::copy_from_slice(chunk)).await?;
    }
    Ok(())
}

pub(super) fn path(text: &str) -> BagPath {
    BagPath::parse(text).unwrap()
}

/// A document of known size.
pub(super) fn document(name: &str, content: &[u8]) -> NewEntry {
    NewEntry {
        path: path(name),
        media_type: "application/xml".to_owned(),
        storage: Storage::Compressed,
        size: Some(content.len() as u64),
        check: Check::None,
        durability: Durability::AtFinish,
        validator: None,
        origin: Origin {
            section: Section::Appliances,
            source: "GET users/john/appliances".to_owned(),
            fetched: "2026-01-02T03:04:05Z".parse().unwrap(),
            item: None,
            ticket: None,
            redactions: Vec::new(),
        },
    }
}

/// An archive of unknown size.
pub(super) fn download(name: &str) -> NewEntry {
    NewEntry {
        media_type: "application/gzip".to_owned(),
        storage: Storage::Stored,
        size: None,
        check: Check::Gzip,
        durability: Durability::AtClose,
        ..document(name, b"")
    }
}

/// One of which the rest can be asked for.
pub(super) fn with_validator(name: &str) -> NewEntry {
    NewEntry {
        validator: Some("\"v1\"".to_owned()),
        ..download(name)
    }
}

/// A gzip stream that is about this long.
pub(super) fn archive(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_add(1);
    let mut noise = vec![0; length];
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &noise).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn tags() -> Vec<TagFile> {
    let tag = |name, bytes: &'static [u8]| TagFile {
        path: path(name),
        bytes: Bytes::from_static(bytes),
    };
    vec![
        tag("bagit.txt", b"BagIt-Version: 1.0\n"),
        tag("export.json", b"{\"report\": 1}"),
    ]
}

fn without_top(name: &str) -> String {
    let name = name
        .strip_prefix(TOP)
        .and_then(|name| name.strip_prefix('/'));
    name.expect("one folder").to_owned()
}

fn files_of_zip(bag: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    // Once as who may seek, and once as who may not.
    let mut streamed = BTreeMap::new();
    let mut stream = bag.as_slice();
    while let Some(mut file) = zip::read::read_zipfile_from_stream(&mut stream).unwrap() {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        streamed.insert(without_top(&file.name().unwrap()), bytes);
    }
    let mut zip = zip::ZipArchive::new(Cursor::new(bag)).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(without_top(&file.name().unwrap()), bytes);
    }
    assert!(files == streamed);
    files
}

fn files_of_tar(bag: impl Read) -> BTreeMap<String, Vec<u8>> {
    let mut tar = tar::Archive::new(bag);
    let mut files = BTreeMap::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(
            without_top(&entry.path().unwrap().display().to_string()),
            bytes,
        );
    }
    files
}

impl Bench {
    /// What is left once whoever ends the job has tidied up.
    pub(super) async fn unnamed_after_a_sweep(&self) -> Vec<String> {
        let lease = self.claim().await;
        self.keep(&lease).await;
        self.unnamed().await
    }
}
