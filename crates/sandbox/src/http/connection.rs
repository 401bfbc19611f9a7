//! A socket that is slow, or ends with a reset, where an answer asks for it.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::pause::pause;

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the scenario ends this connection without an answer")]
pub(super) struct NoAnswer;

/// The socket, as hyper uses it.
pub(super) struct Connection {
    stream: TcpStream,
    control: Arc<Control>,
    pause: Option<BoxFuture<'static, ()>>,
}

/// The socket, as an answer uses it that is to go wrong.
#[derive(Default)]
pub(super) struct Control {
    /// 0 is as fast as it goes.
    bytes_per_second: AtomicU32,
    reset: AtomicBool,
    flush: Mutex<Flush>,
}

#[derive(Default)]
struct Flush {
    waiting: Option<Waker>,
    done: bool,
}

impl Control {
    /// The connection ends with a reset instead of an orderly close.
    pub(super) fn reset_at_end(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    /// Everything from now on goes out at this speed.
    pub(super) fn slow_down(&self, bytes_per_second: u32) {
        self.bytes_per_second
            .store(bytes_per_second.max(1), Ordering::Relaxed);
    }

    /// Waits until all that was sent before has been handed to the system.
    ///
    /// hyper gives up what it has buffered when a body fails; a truncation at an exact byte has to wait for it.
    pub(super) async fn flushed(&self) {
        std::future::poll_fn(|context| {
            let mut flush = self.flush.lock().unwrap_or_else(PoisonError::into_inner);
            if std::mem::take(&mut flush.done) {
                return Poll::Ready(());
            }
            flush.waiting = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn has_flushed(&self) {
        let mut flush = self.flush.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = flush.waiting.take() {
            flush.done = true;
            waiting.wake();
        }
    }
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> (Self, Arc<Control>) {
        let control = Arc::new(Control::default());
        (
            Self {
                stream,
                control: Arc::clone(&control),
                pause: None,
            },
            control,
        )
    }

    /// How many bytes may go now, after the pause that the speed asks for.
    fn poll_allowance(&mut self, context: &mut Context<'_>, wanted: usize) -> Poll<usize> {
        let speed = self.control.bytes_per_second.load(Ordering::Relaxed);
        if speed == 0 {
            return Poll::Ready(wanted);
        }
        let portion = (speed / 20).max(1);
        let wait = Duration::from_secs_f64(f64::from(portion) / f64::from(speed));
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(pause(Some(wait))));
        std::task::ready!(pause.as_mut().poll(context));
        self.pause = None;
        Poll::Ready(wanted.min(portion as usize))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.control.reset.load(Ordering::Relaxed) {
            // Where the system refuses, the connection closes in the usual way.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let allowed = std::task::ready!(self.poll_allowance(context, bytes.len()));
        Pin::new(&mut self.stream).poll_write(context, bytes.get(..allowed).unwrap_or(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.control.bytes_per_second.load(Ordering::Relaxed) == 0 {
            return Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        }
        let first = buffers
            .iter()
            .find(|buffer| !buffer.is_empty())
            .map_or(&[][..], |buffer| &**buffer);
        self.poll_write(context, first)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = std::task::ready!(Pin::new(&mut self.stream).poll_flush(context));
        self.control.has_flushed();
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
