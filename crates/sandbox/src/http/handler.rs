//! One request from its head to its reply.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::model::Representation;
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_RANGE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Request, Response};

use crate::platform::{Answer, ArchiveAnswer, Call, Platform, Query, Refusal, RequestRecord};
use crate::scenario::{ChaosKind, Fault};

use super::connection::{Control, NoAnswer};
use super::faults::{Faults, Strike, chaotic_damage, chaotic_fault};
use super::pause::pause;
use super::payload::Payload;
use super::reply::{Body, HTML, Reply};
use super::target::{Target, wanted};
use super::{answers, auth, hostile, uploads};

/// The header that names the platform's version.
const VERSION: HeaderName = HeaderName::from_static("version");

/// Everything that answers have in common.
pub(super) struct Handler {
    platform: Platform,
    faults: Faults,
}

/// A request, apart from how it goes wrong.
struct Asked<'a> {
    method: &'a str,
    target: &'a Target,
    headers: &'a HeaderMap,
    form: Representation,
    body: Option<Bytes>,
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
        let (head, incoming) = request.into_parts();
        let form = wanted(&head.headers);
        let method = head.method.as_str();
        let Some(target) = Target::of(&head.uri, &scenario.base_path) else {
            return Ok(Reply::new(404, HTML, hostile::proxy_page(404)).into_response(control, None));
        };
        let strike = self.faults.strike(method, &target.segments);
        self.platform.record(RequestRecord {
            method: method.to_owned(),
            path: target.segments.clone(),
            query: target.public_query(),
            from: answers::first_byte(&head.headers),
            struck: strike.is_some(),
        });
        if scenario.timing.latency_millis > 0 {
            pause(Some(Duration::from_millis(scenario.timing.latency_millis))).await;
        }
        let body = if method == "POST" {
            let taken = match &strike {
                Some(Strike::Rule(Fault::UploadBroken { after })) => Some(*after),
                Some(Strike::Rule(Fault::Reset) | Strike::Chaos(ChaosKind::Reset, _)) => Some(0),
                _ => None,
            };
            uploads::taken(incoming, taken, control).await?
        } else {
            None
        };
        let asked = Asked {
            method,
            target: &target,
            headers: &head.headers,
            form,
            body,
        };
        let reply = self.reply(&asked, strike, control).await?;
        let mut response = match reply {
            Some(reply) => reply.into_response(control, self.stall()),
            None => Reply::no_content(),
        };
        if let Ok(version) = scenario.platform_version.parse() {
            response.headers_mut().insert(VERSION, version);
        }
        Ok(response)
    }

    /// The reply to a request, by the rules and the dice.
    async fn reply(
        &self,
        asked: &Asked<'_>,
        strike: Option<Strike>,
        control: &Arc<Control>,
    ) -> Result<Option<Reply>, NoAnswer> {
        let (fault, dice) = match strike {
            None => (None, None),
            Some(Strike::Rule(fault)) => (Some(fault), None),
            Some(Strike::Chaos(kind, dice)) => (chaotic_fault(kind, dice), Some((kind, dice))),
        };
        let mut reply = match fault {
            Some(fault) => self.faulty(asked, fault, control).await?,
            None => self.execute(asked, None),
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
        Ok(reply)
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
            // The body was broken off before.
            Fault::UploadBroken { .. } => Err(NoAnswer),
            Fault::LostAnswer => {
                self.execute(asked, None);
                Err(NoAnswer)
            }
            Fault::Stall => {
                pause(self.stall()).await;
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
                body: asked.body.as_ref(),
            })
        });
        match answer {
            Err(refusal) => Some(self.refuse(asked, &refusal)),
            Ok(Answer::Nothing) => None,
            Ok(Answer::Binary { bytes, media_type }) => Some(Reply::new(200, media_type, bytes)),
            Ok(Answer::Archive(answer)) => Some(self.archive(asked, answer)),
            Ok(Answer::Document { status, root }) => {
                Some(answers::document(asked.form, status, root, spoil))
            }
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
        let framing = self.platform.scenario().downloads.framing;
        answers::archive(asked.headers, answer, framing).unwrap_or_else(|bytes| {
            let refusal = Refusal::new(416, "error.range", "The range is not satisfiable");
            self.refuse(asked, &refusal)
                .with_header(CONTENT_RANGE, format!("bytes */{bytes}"))
        })
    }
}
