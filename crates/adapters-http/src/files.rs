//! Files that arrive: their first bytes say what they are.

use bytes::{Bytes, BytesMut};
use domain::ports::{ApiError, Download};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use crate::wire::{self, Unread};

/// What kind of file is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// An archive: a gzip stream.
    Archive,
    /// A photo, a logo or a certificate.
    Small,
    /// A file of the user's own, of any kind: kept as it comes.
    Own,
}

/// Bytes that are looked at.
const LOOKED_AT: usize = 1024;

type Body = BoxStream<'static, Result<Bytes, ApiError>>;

/// A download from its start, once its first bytes were looked at: a page for people is refused, what a proxy compressed once
/// more is unpacked, and a media type that cannot be right is replaced.
pub(crate) async fn looked_at(
    download: Download,
    kind: FileKind,
    limit: u64,
) -> Result<Download, Unread> {
    if kind == FileKind::Own {
        return Ok(download);
    }
    let (beginning, body) = beginning(download.body).await;
    if wire::looks_like_page(&beginning) {
        return Err(Unread::Page("text/html".to_owned()));
    }
    let download = Download { body, ..download };
    let is_packed = match kind {
        FileKind::Archive => wire::is_packed_twice(&beginning),
        FileKind::Small => wire::is_gzip(&beginning),
        FileKind::Own => false,
    };
    let mut download = match (is_packed, kind) {
        (false, _) | (true, FileKind::Own) => download,
        (true, FileKind::Archive) => Download {
            body: wire::unpacking(download.body, download.request.clone()),
            length: None,
            validator: None,
            ..download
        },
        (true, FileKind::Small) => unpacked(download, limit).await,
    };
    download.media_type = match kind {
        FileKind::Archive if is_plausible_for_archive(&download.media_type) => download.media_type,
        FileKind::Archive => "application/gzip".to_owned(),
        FileKind::Small => media_type(&beginning, download.media_type),
        FileKind::Own => download.media_type,
    };
    Ok(download)
}

fn is_plausible_for_archive(media_type: &str) -> bool {
    ["gzip", "tar", "octet-stream", "tgz"]
        .iter()
        .any(|word| media_type.contains(word))
}

/// The first bytes, and the body with them.
async fn beginning(mut body: Body) -> (Bytes, Body) {
    let mut chunks: Vec<Result<Bytes, ApiError>> = Vec::new();
    let mut beginning = BytesMut::new();
    while beginning.len() < LOOKED_AT
        && let Some(chunk) = body.next().await
    {
        let is_end = chunk.is_err();
        if let Ok(bytes) = &chunk {
            beginning.extend_from_slice(&bytes[..bytes.len().min(LOOKED_AT)]);
        }
        chunks.push(chunk);
        if is_end {
            break;
        }
    }
    (beginning.freeze(), stream::iter(chunks).chain(body).boxed())
}

/// A small file without the gzip stream around it. What cannot be unpacked stays as it is: its checksum shows what it is.
async fn unpacked(download: Download, limit: u64) -> Download {
    let mut whole = BytesMut::new();
    let mut body = download.body;
    let mut end = None;
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(bytes) => whole.extend_from_slice(&bytes),
            Err(error) => end = Some(error),
        }
        if end.is_some() || whole.len() as u64 > limit {
            break;
        }
    }
    let whole = whole.freeze();
    let content = match end {
        None => wire::unpacked(whole.clone(), limit).unwrap_or(whole),
        Some(_) => whole,
    };
    let first = std::iter::once(Ok(content)).chain(end.map(Err));
    Download {
        body: stream::iter(first.collect::<Vec<_>>()).chain(body).boxed(),
        length: None,
        validator: None,
        ..download
    }
}

/// What the first bytes of a picture or a certificate say; otherwise what the server says, unless it says that it is a page.
fn media_type(beginning: &[u8], said: String) -> String {
    let signs: [(&[u8], &str); 6] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"<svg", "image/svg+xml"),
        (b"-----BEGIN ", "application/x-pem-file"),
        (b"BM", "image/bmp"),
    ];
    let is_plausible = said.starts_with("image/") || said.contains("x-") || said.contains("pkcs");
    if is_plausible {
        return said;
    }
    let known = signs.iter().find(|(sign, _)| beginning.starts_with(sign));
    match known {
        Some((_, media_type)) => (*media_type).to_owned(),
        None if said.starts_with("text/html") || said.ends_with("/xhtml+xml") => {
            "application/octet-stream".to_owned()
        }
        None => said,
    }
}
