//! Bodies that arrive: bounded in size where they are kept, and in time whatever the server does.
//!
//! The HTTP library's own `read_timeout` is not used: it goes on counting while nobody reads, so that a disk which is busy for two
//! minutes would look like a server that is silent.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::ports::ApiError;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use reqwest::Response;
use tokio::time::{Instant, timeout};

use crate::wire::error::broken_body;

/// A body may take so many silences before its speed counts.
const FREE_SILENCES: u32 = 10;
/// The slowest that a document may come after that. It is kept in memory, so it has an end.
const SLOWEST_DOCUMENT_BYTES_A_SECOND: u64 = 1024;
/// The slowest that a file may come after that: slower than any real connection, faster than a server that sends single bytes.
const SLOWEST_FILE_BYTES_A_SECOND: u64 = 256;

/// A body, and how its server has kept its time. Waiting for the one who reads is not counted.
pub(crate) struct Body {
    response: Response,
    request: String,
    silence: Duration,
    slowest_bytes_a_second: u64,
    waited: Duration,
    received: u64,
}

impl Body {
    /// A body that is kept in memory.
    pub(crate) fn of_document(response: Response, request: &str, silence: Duration) -> Self {
        Self {
            response,
            request: request.to_owned(),
            silence,
            slowest_bytes_a_second: SLOWEST_DOCUMENT_BYTES_A_SECOND,
            waited: Duration::ZERO,
            received: 0,
        }
    }

    /// A body that passes through.
    pub(crate) fn of_file(response: Response, request: &str, silence: Duration) -> Self {
        Self {
            slowest_bytes_a_second: SLOWEST_FILE_BYTES_A_SECOND,
            ..Self::of_document(response, request, silence)
        }
    }

    /// The whole of it; more than the limit is an error, and is not read.
    pub(crate) async fn whole(self, limit: u64) -> Result<Bytes, ApiError> {
        self.whole_after(BytesMut::new(), limit).await
    }

    /// The whole of it, of which the beginning has been read.
    pub(crate) async fn whole_after(
        mut self,
        beginning: BytesMut,
        limit: u64,
    ) -> Result<Bytes, ApiError> {
        let mut whole = beginning;
        // Taken at once where the server says how much comes: what outgrows its memory again and again leaves holes where it was.
        let rest = self.response.content_length().filter(|&rest| rest <= limit);
        whole.reserve(usize::try_from(rest.unwrap_or(0)).unwrap_or(0));
        while let Some(chunk) = self.next_within(limit).await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// Its next bytes; more than the limit in all is an error, and is not read.
    pub(crate) async fn next_within(&mut self, limit: u64) -> Result<Option<Bytes>, ApiError> {
        // What is announced is what is still to come.
        let announced = self.received == 0 && self.response.content_length() > Some(limit);
        let chunk = if announced { None } else { self.next().await? };
        if announced || self.received > limit {
            return Err(ApiError::TooLarge {
                request: self.request.clone(),
                limit,
            });
        }
        Ok(chunk)
    }

    /// As much of it as comes without an error and within the limit.
    pub(crate) async fn beginning(mut self, limit: u64) -> Bytes {
        let mut beginning = BytesMut::new();
        while let Ok(Some(chunk)) = self.next().await {
            beginning.extend_from_slice(&chunk);
            if self.received >= limit {
                break;
            }
        }
        beginning.freeze()
    }

    /// Its chunks, as they come.
    pub(crate) fn stream(self) -> BoxStream<'static, Result<Bytes, ApiError>> {
        stream::try_unfold(self, |mut body| async move {
            Ok(body.next().await?.map(|chunk| (chunk, body)))
        })
        .boxed()
    }

    /// Bytes that drip are no silence: it is we who end this.
    fn broken_off(&self) -> ApiError {
        tracing::debug!(
            request = self.request,
            received = self.received,
            "the answer comes too slowly and is broken off"
        );
        ApiError::Interrupted {
            request: self.request.clone(),
            received: self.received,
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let earned =
            Duration::from_millis(self.received.saturating_mul(1000) / self.slowest_bytes_a_second);
        let allowed = (self.silence * FREE_SILENCES + earned).saturating_sub(self.waited);
        let start = Instant::now();
        let next = timeout(allowed.min(self.silence), self.response.chunk()).await;
        self.waited += start.elapsed();
        match next {
            Err(_) if allowed < self.silence => Err(self.broken_off()),
            Err(_) => Err(ApiError::Stalled {
                request: self.request.clone(),
                after: self.silence,
            }),
            Ok(Err(error)) => Err(broken_body(
                &error,
                &self.request,
                self.received,
                self.silence,
            )),
            Ok(Ok(chunk)) => {
                let bytes = chunk.as_ref().map_or(0, Bytes::len);
                self.received += u64::try_from(bytes).unwrap_or(u64::MAX);
                Ok(chunk)
            }
        }
    }
}
