//! One request from its head to its reply.

use std::sync::Arc;
use std::time::Duration;

use domain::model::Representation;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_RANGES, CONNECTION, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_RANGE, ETAG,
    HeaderMap, HeaderName, IF_RANGE, LOCATION, RANGE, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE,
};
use hyper::{Request, Response};

use crate::document::{Element, number};
use crate::platform::{Answer, ArchiveAnswer, Call, Platform, Query, Refusal, RequestRecord};
use crate::scenario::{Damage, Fault};

use super::connection::Control;
use super::faults::{Faults, Strike, chaotic_damage, chaotic_fault};
use super::reply::{Body, HTML, Payload, Reply, XML};
use super::target::{Target, wanted};
use super::{auth, hostile};

/// The header that names the platform's version.
const VERSION: HeaderName = HeaderName::from_static("version");

/// Everything that answers have in common.
pub(super) struct Handler {
    platform: Platform,
    faults: Faults,
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the scenario ends this connection without an answer")]
pub(super) struct NoAnswer;

/// A request, apart from how it goes wrong.
struct Asked<'a> {
    method: &'a str,
    target: &'a Target,
    headers: &'a HeaderMap,
    form: Representation,
}

impl Handler {
    pub(super) fn new(platform: Platform) -> Self {
        let scenario = platform.scenario();
        let faults = Faults::new(scenario.faults.clone(), scenario.chaos.clone());
        Self { platform, faults }
    }

    fn stall(&self) -> Option<Duration> {
        self.platform
            .scenario()
            .timing
            .stall_millis
            .map(Duration::from_millis)
    }

    pub(super) async fn handle(
        &self,
        request: Request<Incoming>,
        control: &Arc<Control>,
    ) -> Result<Response<Body>, NoAnswer> {
        let scenario = self.platform.scenario();
        let form = wanted(request.headers());
        let method = request.method().as_str();
        let Some(target) = Target::of(request.uri(), &scenario.base_path) else {
            return Ok(Reply::new(404, HTML, hostile::proxy_page(404)).into_response(control, None));
        };
        self.platform.remember(RequestRecord {
            method: method.to_owned(),
            path: target.segments.clone(),
            query: target.public_query(),
        });
        if scenario.timing.latency_millis > 0 {
            tokio::time::sleep(Duration::from_millis(scenario.timing.latency_millis)).await;
        }
        let asked = Asked {
            method,
            target: &target,
            headers: request.headers(),
            form,
        };
        let strike = self.faults.strike(method, &target.segments);
        let (fault, dice) = match strike {
            None => (None, None),
            Some(Strike::Rule(fault)) => (Some(fault), None),
            Some(Strike::Chaos(kind, dice)) => (chaotic_fault(kind, dice), Some((kind, dice))),
        };
        let mut reply = match fault {
            Some(fault) => self.faulty(&asked, fault, control).await?,
            None => self.execute(&asked, None),
        };
        if let (Some((kind, dice)), Some(reply)) = (dice, &mut reply)
            && reply.damage.is_none()
        {
            let archive = matches!(reply.payload, Payload::Archive { .. });
            reply.damage = reply
                .payload
                .length()
                .and_then(|length| chaotic_damage(kind, dice, length, archive));
        }
        let mut response = match reply {
            Some(reply) => reply.into_response(control, self.stall()),
            None => Reply::no_content(),
        };
        if let Ok(version) = scenario.platform_version.parse() {
            response.headers_mut().insert(VERSION, version);
        }
        Ok(response)
    }

    /// The reply to a request with which something goes wrong.
    async fn faulty(
        &self,
        asked: &Asked<'_>,
        fault: Fault,
        control: &Arc<Control>,
    ) -> Result<Option<Reply>, NoAnswer> {
        match fault {
            Fault::Reset => {
                control.reset_at_end();
                Err(NoAnswer)
            }
            Fault::LostAnswer => {
                self.execute(asked, None);
                Err(NoAnswer)
            }
            Fault::Stall => {
                match self.stall() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
                Err(NoAnswer)
            }
            Fault::Refuse {
                status,
                retry_after,
            } => Ok(Some(
                self.refuse(asked, &Refusal::of_status(status, retry_after)),
            )),
            Fault::ProxyError {
                status,
                retry_after,
            } => {
                let page = Reply::new(status, HTML, hostile::proxy_page(status));
                Ok(Some(match retry_after {
                    Some(seconds) => page.with_header(RETRY_AFTER, seconds.to_string()),
                    None => page,
                }))
            }
            Fault::HtmlLogin => Ok(Some(Reply::new(200, HTML, hostile::LOGIN_PAGE))),
            Fault::Redirect { location, status } => Ok(Some(
                Reply::new(status, HTML, hostile::proxy_page(status))
                    .with_header(LOCATION, location),
            )),
            Fault::DeepXml { levels } => {
                let media_type = asked.form.media_type();
                Ok(Some(Reply::new(
                    200,
                    media_type,
                    hostile::deep(asked.form, levels),
                )))
            }
            Fault::Slow { bytes_per_second } => {
                control.slow_down(bytes_per_second);
                Ok(self
                    .execute(asked, None)
                    .map(|reply| reply.with_header(CONNECTION, "close")))
            }
            Fault::CloseConnection => Ok(self
                .execute(asked, None)
                .map(|reply| reply.with_header(CONNECTION, "close"))),
            Fault::Damaged(damage) => Ok(self.execute(asked, None).map(|reply| Reply {
                damage: Some(damage),
                ..reply
            })),
            other => Ok(self.execute(asked, Some(&other))),
        }
    }

    /// What the platform answers; `spoil` is something to do to a document.
    fn execute(&self, asked: &Asked<'_>, spoil: Option<&Fault>) -> Option<Reply> {
        let endless = matches!(spoil, Some(Fault::EndlessPages));
        let nothing = Query::default();
        let answer = self.caller(asked).and_then(|caller| {
            self.platform.answer(&Call {
                method: asked.method,
                path: &asked.target.segments,
                query: if endless {
                    &nothing
                } else {
                    &asked.target.query
                },
                caller: caller.as_ref(),
            })
        });
        match answer {
            Err(refusal) => Some(self.refuse(asked, &refusal)),
            Ok(Answer::Nothing) => None,
            Ok(Answer::Binary { bytes, media_type }) => Some(Reply::new(200, media_type, bytes)),
            Ok(Answer::Archive(answer)) => Some(self.archive(asked, answer)),
            Ok(Answer::Document { status, root }) => Some(document(asked, status, root, spoil)),
        }
    }

    fn caller(&self, asked: &Asked<'_>) -> Result<Option<crate::platform::Caller>, Refusal> {
        if asked.target.segments == ["status"] {
            return Ok(None);
        }
        auth::caller(&self.platform, asked.target, asked.headers)
    }

    fn refuse(&self, asked: &Asked<'_>, refusal: &Refusal) -> Reply {
        let uri = asked.target.relative.split('?').next().unwrap_or_default();
        let root = refusal.document(asked.method, uri, self.platform.clock().now());
        let mut reply = Reply::new(
            refusal.status,
            asked.form.media_type(),
            hostile::render(&root, asked.form),
        );
        if let Some(seconds) = refusal.retry_after {
            reply = reply.with_header(RETRY_AFTER, seconds.to_string());
        }
        if refusal.status == 401 {
            reply = reply.with_header(
                WWW_AUTHENTICATE,
                "Basic realm=\"uforge\", charset=\"UTF-8\"",
            );
        }
        reply
    }

    fn archive(&self, asked: &Asked<'_>, answer: ArchiveAnswer) -> Reply {
        let bytes = answer.archive.bytes();
        let mut reply = Reply::new(200, "application/octet-stream", "").with_header(
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", answer.file_name),
        );
        reply.framing = self.platform.scenario().downloads.framing;
        reply.damage = answer.damage;
        let mut from = 0;
        if let Some(etag) = answer.etag {
            if let Some(offset) = asked_offset(asked.headers, &etag) {
                if offset >= bytes {
                    let refusal = Refusal::new(416, "error.range", "The range is not satisfiable");
                    return self
                        .refuse(asked, &refusal)
                        .with_header(CONTENT_RANGE, format!("bytes */{bytes}"));
                }
                from = offset;
                reply.status = 206;
                reply = reply.with_header(
                    CONTENT_RANGE,
                    format!("bytes {offset}-{}/{bytes}", bytes - 1),
                );
            }
            reply = reply
                .with_header(ACCEPT_RANGES, "bytes")
                .with_header(ETAG, etag);
        }
        reply.payload = Payload::Archive {
            archive: answer.archive,
            from,
            to: bytes,
        };
        reply.damage = reply.damage.and_then(|damage| shifted(damage, from));
        reply
    }
}

fn document(asked: &Asked<'_>, status: u16, mut root: Element, spoil: Option<&Fault>) -> Reply {
    match spoil {
        Some(Fault::Ids(how)) => hostile::spoil_ids(&mut root, *how),
        Some(Fault::ForeignUris { base }) => hostile::spoil_uris(&mut root, base),
        Some(Fault::EndlessPages) => root.set_child("total", Some(number("total", i64::MAX))),
        _ => {}
    }
    let form = if matches!(spoil, Some(Fault::JsonForXml)) {
        Representation::Json
    } else {
        asked.form
    };
    let plain = hostile::render(&root, form);
    let mut reply = Reply::new(status, asked.form.media_type(), plain.clone())
        .with_header(SET_COOKIE, "JSESSIONID=4f1d; Path=/; HttpOnly");
    match spoil {
        Some(Fault::Doctype) => {
            reply.payload = Payload::Bytes(hostile::with_doctype(&plain).into());
        }
        Some(Fault::EntityExpansion) => {
            reply.payload = Payload::Bytes(hostile::with_entities(&plain).into());
        }
        Some(Fault::InvalidUtf8) => {
            reply.payload = Payload::Bytes(hostile::with_invalid_utf8(&plain).into());
        }
        Some(Fault::EndlessList) => reply.payload = hostile::endless(&root, form),
        Some(Fault::HugeDocument { bytes }) => reply.payload = hostile::padded(&plain, *bytes),
        Some(Fault::JsonForXml) => reply.set_media_type(XML),
        Some(Fault::GzipEncoding) => {
            reply.payload = Payload::Bytes(hostile::gzipped(&plain).into());
            reply = reply.with_header(CONTENT_ENCODING, "gzip");
        }
        _ => {}
    }
    reply
}

/// The offset of a `bytes=N-` range whose validator, if any, still holds (RFC 9110 §13.1.5, §14.2).
fn asked_offset(headers: &HeaderMap, etag: &str) -> Option<u64> {
    let current = headers
        .get(IF_RANGE)
        .is_none_or(|validator| validator.as_bytes() == etag.as_bytes());
    let range = headers.get(RANGE).filter(|_| current)?.to_str().ok()?;
    range
        .strip_prefix("bytes=")?
        .strip_suffix('-')?
        .parse()
        .ok()
}

/// Damage is told in offsets of the whole archive; this is what it is to a body that begins at `from`.
fn shifted(damage: Damage, from: u64) -> Option<Damage> {
    let left = |offset: u64| offset.saturating_sub(from);
    Some(match damage {
        Damage::BitFlip { at } => Damage::BitFlip {
            at: at.checked_sub(from)?,
        },
        Damage::Truncated { after, framing } => Damage::Truncated {
            after: left(after),
            framing,
        },
        Damage::SilentlyTruncated { after, framing } => Damage::SilentlyTruncated {
            after: left(after),
            framing,
        },
        Damage::Stalled { after } => Damage::Stalled { after: left(after) },
        Damage::Html | Damage::Empty => damage,
    })
}
