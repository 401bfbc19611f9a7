//! The body of a request: an archive that is uploaded.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::connection::{Control, NoAnswer};

/// More than this is not kept in memory.
const MOST_BYTES: usize = 1 << 30;

/// The whole body, or, where `only` says so, this much of it before the connection is reset. A body that the client breaks off is
/// answered by nobody.
pub(super) async fn taken(
    mut incoming: Incoming,
    only: Option<u64>,
    control: &Arc<Control>,
) -> Result<Option<Bytes>, NoAnswer> {
    let mut body = BytesMut::new();
    loop {
        if only.is_some_and(|only| body.len() as u64 >= only) {
            control.reset_at_end();
            return Err(NoAnswer);
        }
        match incoming.frame().await {
            None => return Ok(Some(body.freeze())),
            Some(Err(_)) => return Err(NoAnswer),
            Some(Ok(frame)) => {
                if let Some(piece) = frame.data_ref() {
                    body.extend_from_slice(piece);
                }
                if body.len() > MOST_BYTES {
                    return Err(NoAnswer);
                }
            }
        }
    }
}
