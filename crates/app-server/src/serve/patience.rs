//! A connection that is closed when the caller takes nothing for too long: else whoever stops reading would keep a place for ever.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use domain::ports::Clock;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that fails when nothing can be written to it for a while.
pub(super) struct Patience<S> {
    stream: S,
    longest: Duration,
    clock: Arc<dyn Clock>,
    waiting: Option<BoxFuture<'static, ()>>,
}

impl<S> Patience<S> {
    pub(super) fn new(stream: S, longest: Duration, clock: Arc<dyn Clock>) -> Self {
        Self {
            stream,
            longest,
            clock,
            waiting: None,
        }
    }

    /// What the stream says, unless it has been saying "not now" for too long.
    fn bounded<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let (clock, longest) = (&self.clock, self.longest);
        let waiting = self.waiting.get_or_insert_with(|| {
            let clock = Arc::clone(clock);
            Box::pin(async move { clock.sleep(longest).await })
        });
        waiting
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.bounded(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.bounded(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.bounded(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    #[tokio::test]
    async fn a_caller_who_takes_nothing_is_given_up() {
        let (mut caller, service) = duplex(4);
        let mut service = Patience::new(service, Duration::from_millis(5), crate::compose::clock());
        let refused = service.write_all(b"more than fits").await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
        drop(service);
        let mut taken = Vec::new();
        caller.read_to_end(&mut taken).await.unwrap();
        assert_eq!(taken, b"more");
    }

    #[tokio::test]
    async fn a_slow_caller_is_served_as_long_as_something_moves() {
        let (mut caller, service) = duplex(1);
        let mut service = Patience::new(service, Duration::from_secs(5), crate::compose::clock());
        let send = async {
            service.write_all(b"slowly").await.unwrap();
            drop(service);
        };
        let mut taken = Vec::new();
        let (_, ()) = tokio::join!(caller.read_to_end(&mut taken), send);
        assert_eq!(taken, b"slowly");
    }
}
