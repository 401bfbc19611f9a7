//! An answer before it is bytes on a connection: what it holds, how it is framed, and how it is damaged.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, Version};

use crate::damage::{cut, flip};
use crate::scenario::{Damage, Framing};

use super::connection::Control;
use super::pause::pause;
use super::payload::{Payload, Pieces};

/// What hyper sends.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

pub(super) const XML: &str = "application/xml";
pub(super) const HTML: &str = "text/html;charset=UTF-8";

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) payload: Payload,
    pub(super) framing: Framing,
    pub(super) damage: Option<Damage>,
}

/// What goes out in the end.
struct Sent {
    pieces: Pieces,
    framing: Framing,
    /// What `Content-Length` says, where there is one.
    length: Option<u64>,
    end: End,
}

/// What happens when the last of the pieces has been sent.
#[derive(Clone, Copy)]
enum End {
    Orderly,
    Break,
    Hang(Option<Duration>),
}

impl Reply {
    pub(super) fn new(status: u16, media_type: &str, bytes: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![(CONTENT_TYPE, media_type.to_owned())],
            payload: Payload::Bytes(bytes.into()),
            framing: Framing::Length,
            damage: None,
        }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn set_media_type(&mut self, media_type: &str) {
        self.headers.retain(|(name, _)| *name != CONTENT_TYPE);
        self.headers.push((CONTENT_TYPE, media_type.to_owned()));
    }

    /// The reply as hyper sends it.
    pub(super) fn into_response(
        mut self,
        control: &Arc<Control>,
        stall: Option<Duration>,
    ) -> Response<Body> {
        if self.damage == Some(Damage::Html) {
            self.set_media_type(HTML);
        }
        let headers = std::mem::take(&mut self.headers);
        let status = self.status;
        let sent = self.sent(stall);
        let body = body(sent.pieces, sent.end, Arc::clone(control));
        let mut response = Response::new(body);
        *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        match (sent.framing, sent.length) {
            (Framing::Length, Some(length)) => {
                response
                    .headers_mut()
                    .insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            // hyper leaves an HTTP/1.0 answer without length to the end of the connection.
            (Framing::Close, _) => {
                *response.version_mut() = Version::HTTP_10;
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }

    /// The payload after its damage.
    fn sent(self, stall: Option<Duration>) -> Sent {
        let length = self.payload.length();
        let framing = length.map_or(Framing::Chunked, |_| self.framing);
        let whole = |pieces: Pieces| Sent {
            pieces,
            framing,
            length,
            end: End::Orderly,
        };
        let pieces = self.payload.pieces();
        match self.damage {
            None => whole(pieces),
            Some(Damage::BitFlip { at }) => {
                let at = at % length.unwrap_or(u64::MAX).max(1);
                whole(Box::new(flip(pieces, at)))
            }
            Some(Damage::Truncated { after, framing }) => Sent {
                framing,
                end: End::Break,
                ..whole(Box::new(cut(pieces, after)))
            },
            Some(Damage::SilentlyTruncated { after, framing }) => Sent {
                framing,
                length: length.map(|length| length.min(after)),
                ..whole(Box::new(cut(pieces, after)))
            },
            Some(Damage::Stalled { after }) => Sent {
                end: End::Hang(stall),
                ..whole(Box::new(cut(pieces, after)))
            },
            Some(Damage::Html) => {
                let page = Bytes::from_static(super::hostile::LOGIN_PAGE);
                Sent {
                    length: Some(page.len() as u64),
                    ..whole(Payload::Bytes(page).pieces())
                }
            }
            Some(Damage::Empty) => Sent {
                length: Some(0),
                ..whole(Box::new(std::iter::empty()))
            },
        }
    }

    /// An answer without a body.
    pub(super) fn no_content() -> Response<Body> {
        let mut response =
            Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = hyper::StatusCode::NO_CONTENT;
        response
    }
}

fn body(pieces: Pieces, end: End, control: Arc<Control>) -> Body {
    let frames = stream::iter(
        pieces
            .filter(|piece| !piece.is_empty())
            .map(|piece| Ok(Frame::data(piece))),
    );
    let ending = match end {
        End::Orderly => return BodyExt::boxed_unsync(StreamBody::new(frames)),
        End::Break => None,
        End::Hang(time) => Some(time),
    };
    let broken = stream::once(async move {
        control.flushed().await;
        if let Some(hang) = ending {
            pause(hang).await;
        }
        Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "the scenario ends this body early",
        ))
    });
    BodyExt::boxed_unsync(StreamBody::new(frames.chain(broken)))
}
