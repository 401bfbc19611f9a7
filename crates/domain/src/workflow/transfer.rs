//! Bytes from the platform into the bag: one attempt, chunk by chunk.

use futures_util::StreamExt as _;

use super::context::Ports;
use crate::bag::layout;
use crate::model::{BagPath, Section, Ticket};
use crate::ports::{
    ApiError, ArchiveSink, Check, CheckFailure, Download, Durability, EntryWriter, Event, NewEntry,
    Origin, PartialEntry, Receipt, ResumeAt, SinkError, Storage,
};

/// The part of a ticket's archive that arrived before its transfer broke, and where it resumes.
pub(crate) struct PartialDownload {
    pub(crate) ticket: Ticket,
    part: Part,
    from: ResumeAt,
}

enum Part {
    /// Broken off in this run.
    Open(Box<dyn EntryWriter>),
    /// Left in the sink by an interrupted run.
    InSink,
}

impl PartialDownload {
    /// What an interrupted run left.
    pub(crate) fn of_interrupted_run(partial_entry: &PartialEntry) -> Option<Self> {
        Some(Self {
            ticket: partial_entry.entry.origin.ticket?,
            part: Part::InSink,
            from: ResumeAt {
                offset: partial_entry.bytes,
                validator: partial_entry.entry.validator.clone()?,
            },
        })
    }

    /// Discards it. Dropped, it would count as interrupted and be kept.
    pub(crate) async fn discard(self) -> Result<(), SinkError> {
        match self.part {
            Part::Open(writer) => writer.discard().await,
            Part::InSink => Ok(()),
        }
    }

    /// The writer that continues it, where the sink still has it.
    async fn open(
        self,
        sink: &dyn ArchiveSink,
        path: &BagPath,
    ) -> Result<Option<(Box<dyn EntryWriter>, ResumeAt)>, SinkError> {
        let writer = match self.part {
            Part::Open(writer) => Some(writer),
            Part::InSink => sink.resume_entry(path).await?,
        };
        Ok(writer.map(|writer| (writer, self.from)))
    }
}

/// Why an attempt fetched no archive.
pub(crate) enum TransferFailure {
    /// The platform or the network failed; a partial download can be resumed.
    Api(ApiError, Option<PartialDownload>),
    /// All bytes came, and they are not whole.
    Damaged(CheckFailure),
    /// The bag cannot be written: the run ends.
    Sink(SinkError),
}

impl From<SinkError> for TransferFailure {
    fn from(error: SinkError) -> Self {
        match error {
            SinkError::CheckFailed { failure, .. } => Self::Damaged(failure),
            other => Self::Sink(other),
        }
    }
}

/// Fetches the archive of a ticket once.
pub(crate) async fn fetch_archive(
    ports: Ports<'_>,
    sink: &dyn ArchiveSink,
    ticket: Ticket,
    path: BagPath,
    partial: Option<PartialDownload>,
) -> Result<Receipt, TransferFailure> {
    let opened = match partial {
        Some(partial) => partial.open(sink, &path).await?,
        None => None,
    };
    let (mut resumed_writer, mut from) = opened.unzip();
    let answer = match ports.api.download(ticket, from.clone()).await {
        // The server cannot resume there: the partial download is of no use, and the whole is asked for.
        Err(error) if from.is_some() && refuses_range(&error) => {
            if let Some(writer) = resumed_writer.take() {
                writer.discard().await?;
            }
            from = None;
            ports.api.download(ticket, None).await
        }
        answer => answer,
    };
    let download = match answer {
        Ok(download) => download,
        Err(error) => {
            let partial = resumed_writer
                .zip(from)
                .map(|(writer, from)| PartialDownload {
                    ticket,
                    part: Part::Open(writer),
                    from,
                });
            return Err(TransferFailure::Api(error, partial));
        }
    };
    let resumes = from
        .as_ref()
        .is_some_and(|from| from.offset == download.starts_at);
    if !resumes && let Some(writer) = resumed_writer.take() {
        writer.discard().await?;
    }
    if download.starts_at > 0 && !resumes {
        let request = download.request;
        let detail = "the server went on at another place than it was asked for".to_owned();
        return Err(TransferFailure::Api(
            ApiError::Unreadable { request, detail },
            None,
        ));
    }
    check_free_space(sink, download.length)?;
    let received = if resumes { download.starts_at } else { 0 };
    let writer = match resumed_writer {
        Some(writer) => writer,
        None => {
            sink.open_entry(archive_entry(ports, ticket, path, &download))
                .await?
        }
    };
    pump(ports, ticket, download, writer, received).await
}

/// Refuses an archive whose announced length does not fit on the disk, before the disk is full.
pub(crate) fn check_free_space(
    sink: &dyn ArchiveSink,
    needed: Option<u64>,
) -> Result<(), SinkError> {
    match (sink.free_space(), needed) {
        (Some((free, path)), Some(needed)) if needed > free => Err(SinkError::NoSpace {
            path,
            needed: Some(needed),
        }),
        _ => Ok(()),
    }
}

/// 416, or a 206 that is not what was asked for.
fn refuses_range(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Refused { status: 416, .. } | ApiError::Unreadable { .. }
    )
}

fn archive_entry(ports: Ports<'_>, ticket: Ticket, path: BagPath, download: &Download) -> NewEntry {
    NewEntry {
        path,
        media_type: "application/gzip".to_owned(),
        storage: Storage::Stored,
        // All of it is still to come: an entry is opened for a download from the first byte.
        size: download.length,
        check: Check::Gzip,
        durability: Durability::AtClose,
        validator: download.validator.clone(),
        origin: Origin {
            section: Section::of_items(ticket.item.kind),
            source: download.request.clone(),
            fetched: ports.clock.now(),
            item: Some(ticket.item),
            ticket: Some(ticket),
            redactions: Vec::new(),
        },
    }
}

async fn pump(
    ports: Ports<'_>,
    ticket: Ticket,
    mut download: Download,
    mut writer: Box<dyn EntryWriter>,
    mut received: u64,
) -> Result<Receipt, TransferFailure> {
    let total = download.length.map(|rest| rest.saturating_add(received));
    while let Some(chunk) = download.body.next().await {
        match chunk {
            Ok(chunk) => {
                received = received.saturating_add(chunk.len() as u64);
                writer.write(chunk).await?;
                ports.progress.on(&Event::Bytes {
                    item: ticket.item,
                    received,
                    total,
                });
            }
            Err(error) => {
                let from = download.validator.map(|validator| ResumeAt {
                    offset: received,
                    validator,
                });
                return Err(broken(error, ticket, from, writer).await);
            }
        }
    }
    Ok(writer.close().await?)
}

async fn broken(
    error: ApiError,
    ticket: Ticket,
    from: Option<ResumeAt>,
    writer: Box<dyn EntryWriter>,
) -> TransferFailure {
    match from.filter(|from| from.offset > 0) {
        Some(from) => TransferFailure::Api(
            error,
            Some(PartialDownload {
                ticket,
                part: Part::Open(writer),
                from,
            }),
        ),
        None => match writer.discard().await {
            Ok(()) => TransferFailure::Api(error, None),
            Err(error) => error.into(),
        },
    }
}

/// Fetches a small file once: a photo, a logo, a certificate.
pub(crate) async fn fetch_file(
    ports: Ports<'_>,
    sink: &dyn ArchiveSink,
    section: Section,
    download: Download,
    check: Check,
    path_for: impl FnOnce(&str) -> BagPath,
) -> Result<Receipt, TransferFailure> {
    check_free_space(sink, download.length)?;
    let path = path_for(layout::ending_of(&download.media_type));
    let mut download = download;
    let entry = NewEntry {
        path,
        media_type: download.media_type.clone(),
        storage: Storage::Stored,
        size: download.length,
        check,
        durability: Durability::AtFinish,
        validator: None,
        origin: Origin {
            section,
            source: download.request.clone(),
            fetched: ports.clock.now(),
            item: None,
            ticket: None,
            redactions: Vec::new(),
        },
    };
    let mut writer = sink.open_entry(entry).await?;
    while let Some(chunk) = download.body.next().await {
        match chunk {
            Ok(chunk) => writer.write(chunk).await?,
            Err(error) => {
                writer.discard().await?;
                return Err(TransferFailure::Api(error, None));
            }
        }
    }
    Ok(writer.close().await?)
}
