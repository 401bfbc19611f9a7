//! The promises of [`ArchiveSink`] about bytes that lie in a file.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use domain::model::Sha256;
use domain::ports::{ArchiveSink, Check, NewEntry, Receipt, SinkError, StoredBytes};
use domain::testing::gzip;

use super::archive_sink::archive;

/// Bytes of a file are taken by the sink, or written where it takes none; some may have been written before.
///
/// # Panics
///
/// Where there is no file for them, or the sink fails.
pub async fn bytes_of_a_file_arrive_like_others(sink: &dyn ArchiveSink) {
    let content = gzip(&noise(600_000));
    let mut damaged = content.clone();
    damaged[500_000] ^= 1;
    for (size, written) in [(None, 0), (Some(content.len() as u64), 70_000)] {
        let entry = |name: &str| NewEntry {
            size,
            check: Check::GzipOf {
                sha256: Sha256::of(&content),
            },
            ..archive(&format!("data/appliances/{written}-{name}/archive.tar.gz"))
        };
        let refused = moved(sink, entry("damaged"), &damaged, written).await;
        assert!(
            matches!(refused, Err(SinkError::CheckFailed { .. })),
            "{refused:?}"
        );
        for name in ["damaged", "sound"] {
            let receipt = moved(sink, entry(name), &content, written).await;
            let receipt = receipt.expect("a receipt");
            assert_eq!(
                (receipt.bytes, receipt.sha256),
                (content.len() as u64, Sha256::of(&content))
            );
        }
    }
}

/// Bytes that cannot be packed.
fn noise(length: usize) -> Vec<u8> {
    let next = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(state.to_be_bytes()[0])
    };
    (0..length).scan(7, |state, _| next(state)).collect()
}

/// An entry of which some bytes are written, and the others lie behind a few strange ones in a file.
async fn moved(
    sink: &dyn ArchiveSink,
    entry: NewEntry,
    content: &[u8],
    written: usize,
) -> Result<Receipt, SinkError> {
    let mut file = tempfile::tempfile().expect("a file");
    let stored = [b"strange", &content[written..], b"strange"].concat();
    file.write_all(&stored).expect("a file");
    let stored = StoredBytes {
        file: Arc::new(file),
        offset: 7,
        length: (content.len() - written) as u64,
    };
    let mut writer = sink.open_entry(entry).await?;
    writer
        .write(Bytes::copy_from_slice(&content[..written]))
        .await?;
    let mut taken = 0;
    while taken < stored.length {
        match writer.copy(&stored.after(taken)).await {
            Ok(0) => break,
            Ok(more) => taken += more,
            Err(error) => {
                writer.discard().await?;
                return Err(error);
            }
        }
    }
    let rest = written + usize::try_from(taken).expect("a small file");
    writer
        .write(Bytes::copy_from_slice(&content[rest..]))
        .await?;
    writer.close().await
}
