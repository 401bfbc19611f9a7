//! What becomes of bytes on their way, wherever they go: some are missing, one bit is another.

use bytes::Bytes;

/// The first `limit` bytes of `pieces`.
pub(crate) fn cut(
    pieces: impl Iterator<Item = Bytes> + Send,
    limit: u64,
) -> impl Iterator<Item = Bytes> + Send {
    pieces.scan(limit, |left, piece| {
        let taken = usize::try_from(*left)
            .unwrap_or(usize::MAX)
            .min(piece.len());
        *left -= taken as u64;
        (taken > 0).then(|| piece.slice(..taken))
    })
}

/// `pieces` with the lowest bit of the byte at `offset` turned over.
pub(crate) fn flip(
    pieces: impl Iterator<Item = Bytes> + Send,
    offset: u64,
) -> impl Iterator<Item = Bytes> + Send {
    pieces.scan(0u64, move |start, piece| {
        let place = offset
            .checked_sub(*start)
            .and_then(|place| usize::try_from(place).ok());
        *start += piece.len() as u64;
        match place.filter(|place| *place < piece.len()) {
            None => Some(piece),
            Some(place) => {
                let mut changed = piece.to_vec();
                changed[place] ^= 1;
                Some(changed.into())
            }
        }
    })
}
