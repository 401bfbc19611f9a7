//! Notifications of changes in the database, between processes: without data, at most one a second from each process, and at once where a
//! caller waits. Whoever receives one looks at the tables. So does whoever waits for a slot of the platform and hears that its
//! turn has come: that names the job, so that of many which wait only this one looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::jobs::{Change, JobId};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// The channel. The database has no other use of it.
const CHANNEL: &str = "uforge_export";
/// The channel of jobs whose turn it is to have a slot.
pub(super) const TURNS: &str = "uforge_export_turns";
/// One signal at most so often.
const EVERY: Duration = Duration::from_secs(1);
/// What is heard within so long is one change.
const TOGETHER: Duration = Duration::from_millis(100);
/// How long is waited before a database that does not answer is asked again.
const AGAIN: Duration = Duration::from_millis(500);
const CHANGES_KEPT: usize = 64;

/// Sends and hears signals.
pub(super) struct Signals {
    changes: broadcast::Sender<Change>,
    turns: broadcast::Sender<JobId>,
    /// A change was heard, and those that watch hear of it in a moment.
    is_heard: AtomicBool,
    is_due: AtomicBool,
    wake: Notify,
    stopping: CancellationToken,
}

impl Signals {
    /// Listens from now on, on a connection of its own, and sends with those of the pool.
    pub(super) fn start(options: PgConnectOptions, pool: PgPool) -> Arc<Self> {
        let signals = Arc::new(Self {
            changes: broadcast::Sender::new(CHANGES_KEPT),
            turns: broadcast::Sender::new(CHANGES_KEPT),
            is_heard: AtomicBool::new(false),
            is_due: AtomicBool::new(false),
            wake: Notify::new(),
            stopping: CancellationToken::new(),
        });
        let (listening, sending) = (Arc::clone(&signals), Arc::clone(&signals));
        let stopping = signals.stopping.clone();
        tokio::spawn(async move {
            let listen = listening.listen_forever(options);
            stopping.run_until_cancelled(listen).await;
        });
        let stopping = signals.stopping.clone();
        tokio::spawn(async move {
            let send = sending.send_forever(pool);
            stopping.run_until_cancelled(send).await;
        });
        signals
    }

    pub(super) fn stop(&self) {
        self.stopping.cancel();
    }

    /// Something has changed: others hear of it within a second, this process at once.
    pub(super) fn notify(&self, change: Change) {
        let _ = self.changes.send(change);
        if !self.is_due.swap(true, Ordering::SeqCst) {
            self.wake.notify_one();
        }
    }

    /// Somebody waits for what has changed: others hear of it at once.
    pub(super) async fn notify_now(&self, change: Change, pool: &PgPool) {
        let _ = self.changes.send(change);
        let sent = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL);
        if let Err(error) = sent.execute(pool).await {
            tracing::debug!(%error, "a change could not be signalled");
        }
    }

    /// What changes from now on. Never ends.
    pub(super) fn watch(&self) -> BoxStream<'static, Change> {
        // With a sender of its own it never ends.
        let watched = (self.changes.subscribe(), self.changes.clone());
        stream::unfold(watched, |(mut receiver, sender)| async move {
            let change = match receiver.recv().await {
                Ok(change) => change,
                Err(RecvError::Lagged(_)) => Change::Resync,
                Err(RecvError::Closed) => return None,
            };
            Some((change, (receiver, sender)))
        })
        .boxed()
    }

    /// Jobs whose turn it is to have a slot, from now on. Never ends.
    pub(super) fn turns(&self) -> BoxStream<'static, JobId> {
        let heard = (self.turns.subscribe(), self.turns.clone());
        stream::unfold(heard, |(mut receiver, sender)| async move {
            loop {
                match receiver.recv().await {
                    Ok(job) => return Some((job, (receiver, sender))),
                    // It asks again by itself, a little later.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        })
        .boxed()
    }

    async fn send_forever(&self, pool: PgPool) {
        loop {
            self.wake.notified().await;
            while self.is_due.swap(false, Ordering::SeqCst) {
                let sent = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL);
                if let Err(error) = sent.execute(&pool).await {
                    tracing::debug!(%error, "a change could not be signalled");
                    self.is_due.store(true, Ordering::SeqCst);
                }
                tokio::time::sleep(EVERY).await;
            }
        }
    }

    /// Hears what others signal. After a connection that was lost, whatever was missed is looked for.
    async fn listen_forever(self: Arc<Self>, options: PgConnectOptions) {
        loop {
            if let Err(error) = self.listen(&options).await {
                tracing::debug!(%error, "changes of the database are not heard for a moment");
            }
            let _ = self.changes.send(Change::Resync);
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn listen(self: &Arc<Self>, options: &PgConnectOptions) -> Result<(), sqlx::Error> {
        let pool = PgPoolOptions::new().max_connections(1);
        let pool = pool.connect_lazy_with(options.clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen_all([CHANNEL, TURNS]).await?;
        // What changed before this moment was not heard.
        let _ = self.changes.send(Change::Resync);
        while let Some(heard) = listener.try_recv().await? {
            if heard.channel() == CHANNEL {
                self.heard();
            } else if let Ok(job) = JobId::parse(heard.payload()) {
                let _ = self.turns.send(job);
            }
        }
        Ok(())
    }

    /// Whoever watches is notified in a moment, of all that is heard until then.
    fn heard(self: &Arc<Self>) {
        if self.is_heard.swap(true, Ordering::SeqCst) {
            return;
        }
        let signals = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(TOGETHER).await;
            signals.is_heard.store(false, Ordering::SeqCst);
            let _ = signals.changes.send(Change::Resync);
        });
    }
}
