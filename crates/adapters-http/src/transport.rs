//! One request, one answer: HTTP/1.1, no redirect, no second attempt, no waiting without an end.

use std::time::Duration;

use bytes::Bytes;
use domain::model::UserId;
use domain::ports::{ApiError, UploadStopped};
use futures_util::stream::BoxStream;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, IF_RANGE, LOCATION, RANGE,
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, redirect, retry};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::auth;
use crate::body::Body;
use crate::config::{ApiSettings, BaseUrl, Credentials, Proxies, SetUpError};
use crate::outgoing::Outgoing;
use crate::paths::Address;
use crate::platform_request::PlatformRequest;
use crate::proxies::{self, ProxyServer};
use crate::sign_in::SignIn;
use crate::tls::{self, AskedForCertificate};
use crate::wire;
use crate::wire::error::{LONGEST_REFUSAL, Way, no_answer, refusal};

/// The longest that connecting may take, TLS included.
const LONGEST_CONNECTING: Duration = Duration::from_secs(30);
/// Servers of this kind close an idle connection after five seconds and more; one that closes while a request is on its way loses
/// the answer.
const LONGEST_IDLE: Duration = Duration::from_secs(4);
/// Idle connections kept: more than are ever busy at the same time.
const MOST_IDLE: usize = 32;

/// The way to one server, for one user.
pub(crate) struct Transport {
    client: Client,
    base: BaseUrl,
    located: OnceCell<String>,
    user: UserId,
    credentials: Credentials,
    sign_in: SignIn,
    proxy: Option<ProxyServer>,
    asked_for_certificate: AskedForCertificate,
    silence: Duration,
    document_limit: u64,
}

impl Transport {
    pub(crate) fn new(settings: ApiSettings) -> Result<Self, SetUpError> {
        auth::check(&settings.credentials)?;
        let proxy = match settings.proxies {
            Proxies::Direct => None,
            Proxies::FromEnvironment => {
                proxies::for_server(&settings.base, |name| std::env::var_os(name))?
            }
        };
        let asked_for_certificate = AskedForCertificate::default();
        Ok(Self {
            client: client(&settings, proxy.as_ref(), &asked_for_certificate)?,
            sign_in: SignIn::default(),
            proxy,
            asked_for_certificate,
            base: settings.base,
            located: OnceCell::new(),
            user: settings.user,
            credentials: settings.credentials,
            silence: settings.silence,
            document_limit: settings.document_limit_bytes,
        })
    }

    /// An answer in 2xx whose body is still to be read, as it was sent.
    pub(crate) async fn send(&self, ask: &PlatformRequest<'_>) -> Result<Response, ApiError> {
        let base = self.base().await?;
        self.send_to(base, ask).await
    }

    /// Only that it was done matters; what is said of it is read, so that the connection can be used again.
    pub(crate) async fn done(&self, ask: &PlatformRequest<'_>) -> Result<(), ApiError> {
        let response = self.send(ask).await?;
        let request = ask.name();
        let media_type = wire::MediaType::of(response.headers());
        let said = Body::of_document(response, &request, self.silence)
            .beginning(LONGEST_REFUSAL)
            .await;
        wire::refuse_page(media_type, &said).map_err(|unread| unread.of(&request, "no document"))
    }

    /// The body of a document.
    pub(crate) async fn document(
        &self,
        response: Response,
        request: &str,
    ) -> Result<Bytes, ApiError> {
        let status = response.status();
        let body = self.document_body(response, request);
        let bytes = body.whole(self.document_limit).await?;
        self.unpacked(bytes, status, request)
    }

    /// The body of a document that is read as it comes.
    pub(crate) fn document_body(&self, response: Response, request: &str) -> Body {
        Body::of_document(response, request, self.silence)
    }

    /// A document whose body is here, without a gzip stream around it.
    pub(crate) fn unpacked(
        &self,
        bytes: Bytes,
        status: StatusCode,
        request: &str,
    ) -> Result<Bytes, ApiError> {
        let no_content = matches!(
            status,
            StatusCode::ACCEPTED | StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT
        );
        if bytes.is_empty() && no_content {
            return Err(ApiError::Empty {
                request: request.to_owned(),
                status: status.as_u16(),
            });
        }
        wire::unpacked(bytes, self.document_limit).map_err(|unread| match unread {
            wire::Packed::TooLarge => ApiError::TooLarge {
                request: request.to_owned(),
                limit: self.document_limit,
            },
            wire::Packed::Damaged => ApiError::Unreadable {
                request: request.to_owned(),
                detail: "it is a gzip stream that is damaged".to_owned(),
            },
        })
    }

    /// Bytes that one document may have.
    pub(crate) fn document_limit(&self) -> u64 {
        self.document_limit
    }

    /// The body of a file.
    pub(crate) fn file(&self, response: Response, request: &str) -> Body {
        Body::of_file(response, request, self.silence)
    }

    /// `GET status`, without credentials.
    pub(crate) async fn platform_version(&self) -> Result<Option<String>, ApiError> {
        self.version_at(self.base().await?).await
    }

    async fn version_at(&self, base: &str) -> Result<Option<String>, ApiError> {
        let address = Address::status();
        let ask = PlatformRequest::xml(&address).unsigned();
        let response = self.send_to(base, &ask).await?;
        let header = response.headers().get("version");
        let header = header.and_then(|value| value.to_str().ok().map(str::to_owned));
        let request = ask.name();
        let media_type = wire::MediaType::of(response.headers());
        let bytes = self.document(response, &request).await?;
        wire::read(bytes, wire::platform_version)
            .await
            .map(|version| version.or(header))
            .map_err(|unread| unread.labelled(media_type).of(&request, wire::XML_DOCUMENT))
    }

    /// The URL that paths are relative to. Of a bare host it is found out once, by asking for the platform's status.
    async fn base(&self) -> Result<&str, ApiError> {
        if self.base.has_path() {
            return Ok(self.base.as_str());
        }
        let root = self.base.as_str();
        self.located
            .get_or_try_init(|| async move {
                let usual = format!("{root}/api");
                match self.version_at(&usual).await {
                    Err(error) if is_elsewhere(&error) => {}
                    found => return found.map(|_| usual),
                }
                match self.version_at(root).await {
                    Err(error) if is_elsewhere(&error) => Ok(usual),
                    found => found.map(|_| root.to_owned()),
                }
            })
            .await
            .map(String::as_str)
    }

    async fn send_to(&self, base: &str, ask: &PlatformRequest<'_>) -> Result<Response, ApiError> {
        if !ask.is_signed {
            return self.attempt(base, ask).await;
        }
        let turn = self.sign_in.turn().await?;
        let answer = self.attempt(base, ask).await;
        self.sign_in.learn(turn, &answer).await;
        answer
    }

    /// Sends a file as the body of a request. An answer in 2xx whose body is still to be read.
    pub(crate) async fn upload(
        &self,
        ask: &PlatformRequest<'_>,
        body: BoxStream<'static, Result<Bytes, UploadStopped>>,
    ) -> Result<Response, ApiError> {
        let base = self.base().await?;
        let turn = self.sign_in.turn().await?;
        let outgoing = Outgoing::default();
        let body = outgoing.watching(body);
        let request = self
            .request(base, ask)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(reqwest::Body::wrap_stream(body));
        let sent = outgoing.while_it_moves(self.silence, request.send()).await;
        let answer = self.judged(ask, sent).await;
        self.sign_in.learn(turn, &answer).await;
        answer
    }

    async fn attempt(&self, base: &str, ask: &PlatformRequest<'_>) -> Result<Response, ApiError> {
        let sent = timeout(self.silence, self.request(base, ask).send()).await;
        self.judged(ask, sent.ok()).await
    }

    /// The answer to a request, where it is one in 2xx; `None` is that nothing came in time.
    async fn judged(
        &self,
        ask: &PlatformRequest<'_>,
        sent: Option<Result<Response, reqwest::Error>>,
    ) -> Result<Response, ApiError> {
        let request = ask.name();
        let response = sent
            .ok_or_else(|| ApiError::Stalled {
                request: request.clone(),
                after: self.silence,
            })?
            .map_err(|error| no_answer(error, &request, &self.way(), self.silence))?;
        let status = response.status();
        tracing::debug!(request, status = status.as_u16(), "answered");
        if status.is_redirection() {
            let to = redirected_to(&response);
            return Err(ApiError::Redirected { request, to });
        }
        if !status.is_success() {
            let headers = response.headers().clone();
            let body = Body::of_document(response, &request, self.silence);
            let beginning = body.beginning(LONGEST_REFUSAL).await;
            return Err(refusal(status, &headers, &beginning, &request, &self.way()));
        }
        Ok(response)
    }

    fn way(&self) -> Way<'_> {
        Way {
            host: self.base.host(),
            is_tls: self.base.is_https(),
            proxy: self.proxy.as_ref().map(|proxy| proxy.name.as_str()),
            asked_for_certificate: self.asked_for_certificate.is_set(),
        }
    }

    fn request(&self, base: &str, ask: &PlatformRequest<'_>) -> RequestBuilder {
        let mut target = ask.address.target();
        let mut authorization = None;
        if ask.is_signed {
            let authorized = auth::authorize(&self.credentials, &self.user, &target);
            (target, authorization) = (authorized.target, authorized.header);
        }
        let mut request = self
            .client
            .request(ask.method.clone(), format!("{base}/{target}"))
            .header(ACCEPT, ask.accept)
            .header(ACCEPT_ENCODING, "identity");
        if ask.method == Method::POST {
            // The library sends no length where there is no body, and some front ends then wait for one (RFC 9110 §8.6).
            request = request.header(CONTENT_LENGTH, ask.length);
        }
        if let Some(header) = authorization {
            request = request.header(AUTHORIZATION, header);
        }
        if let Some(point) = ask.from {
            request = request
                .header(RANGE, format!("bytes={}-", point.offset))
                .header(IF_RANGE, &point.validator);
        }
        request
    }
}

/// Whether this says that the API is not there, rather than that nothing can be said now.
fn is_elsewhere(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::NotFound { .. }
            | ApiError::Unauthorized { .. }
            | ApiError::Forbidden { .. }
            | ApiError::Refused { .. }
            | ApiError::NotUForge { .. }
            | ApiError::Unreadable { .. }
            | ApiError::Empty { .. }
            | ApiError::Redirected { .. }
    )
}

/// Scheme, host and path: a query may hold what was signed.
fn redirected_to(response: &Response) -> String {
    let to = response
        .headers()
        .get(LOCATION)
        .and_then(|location| location.to_str().ok())
        .and_then(|location| response.url().join(location).ok());
    match to {
        Some(url) if url.has_host() => without_credentials(&url),
        _ => "an address that is not one".to_owned(),
    }
}

fn without_credentials(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let path: String = url.path().chars().take(300).collect();
    format!("{}://{host}{port}{path}", url.scheme())
}

fn client(
    settings: &ApiSettings,
    proxy: Option<&ProxyServer>,
    asked_for_certificate: &AskedForCertificate,
) -> Result<Client, SetUpError> {
    // Without authorities on the machine no verifier can be made: that must not keep anybody from `http://`.
    let tls = if settings.base.is_https() {
        tls::client(&settings.trust, asked_for_certificate)?
    } else {
        tls::unused()?
    };
    let user_agent =
        reqwest::header::HeaderValue::from_str(&settings.user_agent).map_err(|_| {
            SetUpError::UserAgent {
                user_agent: settings.user_agent.clone(),
            }
        })?;
    let mut client = Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .tcp_nodelay(true)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .connect_timeout(LONGEST_CONNECTING.min(settings.silence / 2))
        .pool_idle_timeout(LONGEST_IDLE)
        .pool_max_idle_per_host(MOST_IDLE)
        .user_agent(user_agent)
        .no_proxy();
    if let Some(proxy) = proxy {
        let proxy = reqwest::Proxy::all(proxy.url.clone())
            .map_err(|source| SetUpError::Client { source })?;
        client = client.proxy(proxy);
    }
    client
        .build()
        .map_err(|source| SetUpError::Client { source })
}
