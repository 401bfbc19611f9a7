//! Records of one job in a file, which survive the process that writes them. Whoever claimed the job last may write.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{JobId, Lease, RunRecord, RunRecords, RunRecordsError, RunWriter, Token};
use tests::contract::job_store::id;

pub(crate) struct FileRecords {
    folder: PathBuf,
    turn: Mutex<()>,
}

impl FileRecords {
    /// Those in this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            turn: Mutex::new(()),
        }
    }

    pub(crate) fn file(folder: &Path) -> PathBuf {
        folder.join("records")
    }

    /// Takes the job: whoever had it before has lost it.
    pub(crate) fn claim(&self, claim: u128) -> Lease {
        let token = Token::of(claim.to_be_bytes());
        fs::write(self.folder.join("holder"), token.as_str()).expect("a holder");
        let whole: usize = self.all().iter().map(|content| 4 + content.len()).sum();
        // What a kill has cut off.
        let file = self.open().expect("a file");
        file.set_len(whole as u64).expect("it is cut");
        Lease { job: id(1), token }
    }

    fn open(&self) -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        options.open(Self::file(&self.folder))
    }

    fn all(&self) -> Vec<Bytes> {
        let bytes = fs::read(Self::file(&self.folder)).unwrap_or_default();
        let mut rest = Bytes::from(bytes);
        let mut found = Vec::new();
        while let Some(length) = rest.first_chunk::<4>() {
            let end = 4 + u32::from_be_bytes(*length) as usize;
            if rest.len() < end {
                break;
            }
            found.push(rest.split_to(end).slice(4..));
        }
        found
    }
}

#[async_trait]
impl RunRecords for FileRecords {
    async fn append(
        &self,
        writer: &RunWriter,
        contents: Vec<Bytes>,
    ) -> Result<(), RunRecordsError> {
        let _turn = self.turn.lock().expect("nobody panics");
        let holder = fs::read_to_string(self.folder.join("holder")).expect("a holder");
        let RunWriter::Holder(Lease { token, job }) = writer else {
            panic!("nobody sweeps here");
        };
        if token.as_str() != holder {
            return Err(RunRecordsError::Lost { id: job.clone() });
        }
        let mut bytes = Vec::new();
        for content in contents {
            let length = u32::try_from(content.len()).expect("a small record");
            bytes.extend(length.to_be_bytes());
            bytes.extend(content);
        }
        let written = self.open().and_then(|mut file| file.write_all(&bytes));
        written.expect("it is written");
        Ok(())
    }

    async fn read(
        &self,
        _: &JobId,
        after: u64,
        bytes: usize,
    ) -> Result<Vec<RunRecord>, RunRecordsError> {
        let numbered = (1..).zip(self.all()).filter(|(number, _)| *number > after);
        let mut sum = 0;
        let page = numbered.take_while(|(_, content)| {
            let is_first = sum == 0;
            sum += content.len();
            is_first || sum <= bytes
        });
        Ok(page
            .map(|(number, content)| RunRecord { number, content })
            .collect())
    }

    async fn delete(&self, _: &RunWriter) -> Result<(), RunRecordsError> {
        panic!("nobody deletes here");
    }

    async fn jobs(&self) -> Result<Vec<JobId>, RunRecordsError> {
        Ok(vec![id(1)])
    }
}
