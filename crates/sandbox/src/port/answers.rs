//! What the platform's answers are to the domain.

use std::time::Duration;

use bytes::Bytes;
use domain::ports::{ApiError, Download, ResumeAt};
use futures_util::{StreamExt, stream};

use crate::damage::{cut, flip};
use crate::platform::{ArchiveAnswer, Refusal};
use crate::scenario::{Damage, Framing};

/// What a refusal means to the domain.
pub(super) fn meaning(refusal: Refusal, request: String) -> ApiError {
    let (status, message) = (refusal.status, Some(refusal.message));
    match status {
        401 => ApiError::Unauthorized { request, message },
        403 => ApiError::Forbidden { request, message },
        404 | 410 => ApiError::NotFound {
            request,
            status,
            message,
        },
        429 | 502..=504 => {
            let retry_after = refusal.retry_after.map(Duration::from_secs);
            ApiError::Overloaded {
                request,
                status,
                retry_after,
                proxy: None,
                message,
            }
        }
        500.. => ApiError::ServerFault {
            request,
            status,
            message,
        },
        _ => ApiError::Refused {
            request,
            status,
            message,
        },
    }
}

/// An archive on its way, from its start or from where a broken download is to go on.
pub(super) fn archive(answer: ArchiveAnswer, from: Option<ResumeAt>, request: String) -> Download {
    let bytes = answer.archive.bytes();
    let goes_on =
        from.filter(|from| answer.etag.as_ref() == Some(&from.validator) && from.offset < bytes);
    let starts_at = goes_on.map_or(0, |from| from.offset);
    let pieces = answer.archive.pieces_from(starts_at);
    let (pieces, broken): (Box<dyn Iterator<Item = Bytes> + Send>, Option<ApiError>) =
        match answer.damage {
            None => (Box::new(pieces), None),
            Some(Damage::BitFlip { at }) => (
                Box::new(flip(pieces, (at % bytes.max(1)).wrapping_sub(starts_at))),
                None,
            ),
            Some(
                Damage::SilentlyTruncated { after, .. }
                | Damage::Truncated {
                    after,
                    framing: Framing::Close,
                },
            ) => (Box::new(cut(pieces, after.saturating_sub(starts_at))), None),
            Some(Damage::Truncated { after, .. }) => {
                let error = ApiError::Interrupted {
                    request: request.clone(),
                    received: after,
                };
                (
                    Box::new(cut(pieces, after.saturating_sub(starts_at))),
                    Some(error),
                )
            }
            Some(Damage::Stalled { after }) => {
                let error = ApiError::Stalled {
                    request: request.clone(),
                    after: Duration::ZERO,
                };
                (
                    Box::new(cut(pieces, after.saturating_sub(starts_at))),
                    Some(error),
                )
            }
            Some(Damage::Html) => (
                Box::new(std::iter::once(Bytes::from_static(
                    b"<!DOCTYPE html><title>Sign in</title>",
                ))),
                None,
            ),
            Some(Damage::Empty) => (Box::new(std::iter::empty()), None),
        };
    Download {
        media_type: "application/octet-stream".to_owned(),
        length: answer.damage.is_none().then_some(bytes - starts_at),
        starts_at,
        validator: answer.etag,
        request,
        body: stream::iter(pieces.map(Ok).chain(broken.map(Err))).boxed(),
    }
}
