//! Time that stands still until nothing can go on, then jumps.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::ports::Clock;

#[derive(Default)]
struct Timers {
    elapsed: Duration,
    next: u64,
    waiting: BTreeMap<(Duration, u64), Waker>,
}

/// Time that stands still until a test moves it on. A sleep moves it on by itself and ends at once.
#[derive(Clone, Default)]
pub struct ManualClock(Arc<Mutex<Duration>>);

impl ManualClock {
    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        let mut elapsed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *elapsed = elapsed.saturating_add(time);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let began = Timestamp::constant(1_764_000_000, 0);
        began.checked_add(self.elapsed()).unwrap_or(Timestamp::MAX)
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep(&self, time: Duration) {
        self.advance(time);
    }
}

/// Simulated time: 30 minutes pass in microseconds.
#[derive(Clone, Default)]
pub struct SimClock(Arc<Mutex<Timers>>);

impl SimClock {
    fn timers(&self) -> MutexGuard<'_, Timers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a future to its end, jumping to the next timer whenever nothing else can go on.
    ///
    /// # Panics
    ///
    /// Where there is no timer to jump to: the future would wait for ever.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            if let Some(value) = self.turn(future.as_mut()) {
                return value;
            }
        }
    }

    /// Polls a future up to `polls` times; its value, if it got that far.
    pub fn run_for<T>(&self, polls: usize, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        (0..polls).find_map(|_| self.turn(future.as_mut()))
    }

    fn turn<T>(&self, future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&flag));
        match future.poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => {
                if !flag.0.load(Ordering::SeqCst) {
                    self.jump();
                }
                None
            }
        }
    }

    fn jump(&self) {
        let mut timers = self.timers();
        let Some(((moment, _), waker)) = timers.waiting.pop_first() else {
            panic!("stuck: nothing is under way and no timer is set");
        };
        timers.elapsed = timers.elapsed.max(moment);
        drop(timers);
        waker.wake();
    }
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let start = Timestamp::from_second(1_700_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
        start.checked_add(self.timers().elapsed).unwrap_or(start)
    }

    fn elapsed(&self) -> Duration {
        self.timers().elapsed
    }

    async fn sleep(&self, time: Duration) {
        let deadline = self.elapsed() + time;
        Sleep {
            clock: self.clone(),
            deadline,
            key: None,
        }
        .await;
    }
}

struct Sleep {
    clock: SimClock,
    deadline: Duration,
    key: Option<(Duration, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut timers = clock.timers();
        if timers.elapsed >= self.deadline {
            return Poll::Ready(());
        }
        let deadline = self.deadline;
        let key = *self.key.get_or_insert_with(|| {
            timers.next += 1;
            (deadline, timers.next)
        });
        timers.waiting.insert(key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.timers().waiting.remove(&key);
        }
    }
}
