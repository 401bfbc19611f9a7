//! Bodies that are packed although nobody asked for that. Their bytes say so, whatever their headers say.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use domain::ports::ApiError;
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

/// The first bytes of a gzip stream (RFC 1952 §2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// So many packed bytes are unpacked at once: they come to a few megabytes at most.
const AT_ONCE: usize = 4096;

/// Why a packed body cannot be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packed {
    /// It comes to more than is accepted.
    TooLarge,
    /// It is no whole gzip stream.
    Damaged,
}

/// Whether this begins like a gzip stream.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP)
}

/// A body without the gzip stream around it, where there is one.
pub(crate) fn unpacked(bytes: Bytes, limit: u64) -> Result<Bytes, Packed> {
    if !is_gzip(&bytes) {
        return Ok(bytes);
    }
    let mut content = Vec::new();
    MultiGzDecoder::new(&bytes[..])
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(|_| Packed::Damaged)?;
    if content.len() as u64 > limit {
        return Err(Packed::TooLarge);
    }
    Ok(content.into())
}

/// Whether this begins like a gzip stream inside of another: an archive that was packed once more on its way.
pub(crate) fn is_packed_twice(beginning: &[u8]) -> bool {
    let mut content = [0; 2];
    is_gzip(beginning)
        && MultiGzDecoder::new(beginning)
            .read_exact(&mut content)
            .is_ok()
        && content == GZIP
}

type Body = BoxStream<'static, Result<Bytes, ApiError>>;

/// A body without the gzip stream around it, as it comes.
pub(crate) fn unpacking(body: Body, request: String) -> Body {
    let decoder = flate2::write::MultiGzDecoder::new(Vec::new());
    let pieces = body.flat_map(|chunk| stream::iter(pieces_of(chunk)));
    let state = (pieces, decoder, request);
    stream::try_unfold(Some(state), |state| async move {
        let Some((mut pieces, mut decoder, request)) = state else {
            return Ok(None);
        };
        let damaged = || ApiError::Unreadable {
            request: request.clone(),
            detail: "the gzip stream around the archive is damaged".to_owned(),
        };
        if let Some(piece) = pieces.next().await.transpose()? {
            decoder.write_all(&piece).map_err(|_| damaged())?;
            let content = Bytes::from(std::mem::take(decoder.get_mut()));
            return Ok(Some((content, Some((pieces, decoder, request)))));
        }
        let content = decoder.finish().map_err(|_| damaged())?;
        Ok(Some((content.into(), None)))
    })
    .boxed()
}

fn pieces_of(chunk: Result<Bytes, ApiError>) -> Vec<Result<Bytes, ApiError>> {
    match chunk {
        Err(error) => vec![Err(error)],
        Ok(mut bytes) => {
            let mut pieces = Vec::new();
            while !bytes.is_empty() {
                pieces.push(Ok(bytes.split_to(bytes.len().min(AT_ONCE))));
            }
            pieces
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use futures_util::TryStreamExt as _;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_packed_body_is_unpacked_within_its_limit() {
        let packed = Bytes::from(gzip(b"<user/>"));
        assert_eq!(unpacked(packed.clone(), 7).unwrap(), "<user/>");
        assert_eq!(unpacked(packed.clone(), 6), Err(Packed::TooLarge));
        assert_eq!(unpacked(packed.slice(..9), 99), Err(Packed::Damaged));
        assert_eq!(unpacked("<user/>".into(), 1).unwrap(), "<user/>");
        assert_eq!(
            unpacked(gzip(&vec![0; 1 << 24]).into(), 1 << 20),
            Err(Packed::TooLarge)
        );
    }

    #[tokio::test]
    async fn an_archive_that_was_packed_once_more_comes_as_it_was() {
        let archive = gzip(
            &(0..50_000_u32)
                .flat_map(u32::to_le_bytes)
                .collect::<Vec<_>>(),
        );
        let packed = gzip(&archive);
        assert!(is_packed_twice(&packed[..512]) && !is_packed_twice(&archive[..512]));
        let chunks = packed
            .chunks(10_000)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)));
        let body = stream::iter(chunks.collect::<Vec<_>>()).boxed();
        let whole: Vec<Bytes> = unpacking(body, String::new()).try_collect().await.unwrap();
        assert_eq!(whole.concat(), archive);
        let cut = vec![Ok(Bytes::copy_from_slice(&packed[..packed.len() - 9]))];
        let body = unpacking(stream::iter(cut).boxed(), String::new());
        assert!(body.try_collect::<Vec<_>>().await.is_err());
    }
}
