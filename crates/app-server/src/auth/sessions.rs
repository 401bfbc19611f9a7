//! Sessions: who signed in with the form. A port, since other engines can keep them; this one keeps them in memory.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::model::UserId;
use domain::ports::Clock;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::backend::Credentials;

/// A session that nobody uses ends after so long.
pub(crate) const IDLE_FOR: Duration = Duration::from_mins(30);
/// A session ends after so long, whoever uses it.
pub(crate) const AT_MOST: Duration = Duration::from_hours(12);
/// Sessions of one person at the same time; with a further one their least used one ends.
const PER_PERSON: usize = 10;
/// Sessions at the same time; with a further one the least used one ends.
const ALL: usize = 10_000;
/// How often sessions that are over are forgotten.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// How long a session may be idle and last, and how many one person may have: for stores that several processes share.
pub(crate) const SESSION_TERMS: (Duration, Duration, u64) = (IDLE_FOR, AT_MOST, PER_PERSON as u64);

/// What a session is found by, and what is kept with it sealed to: two sums of its token. Neither leads to the token or to the other.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey {
    sum: [u8; 32],
    secret: [u8; 32],
}

/// Without its secret.
impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

impl SessionKey {
    /// Of a token.
    pub(crate) fn of(token: &[u8; 32]) -> Self {
        let secret = Sha256::new_with_prefix(b"uforge-export session\0").chain_update(token);
        Self {
            sum: Sha256::digest(token).into(),
            secret: secret.finalize().into(),
        }
    }

    /// For the store.
    pub(crate) fn sum(&self) -> &[u8; 32] {
        &self.sum
    }

    /// What is kept with the session is sealed to this, which is in no store.
    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }
}

/// Somebody who signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    /// The login that the platform knows them by.
    pub(crate) owner: UserId,
    /// What they signed in with.
    pub(crate) credentials: Credentials,
}

/// Sessions cannot be kept or read.
#[derive(Debug, Error)]
#[error("the sessions cannot be used")]
pub(crate) struct SessionsError(#[source] pub(crate) Box<dyn StdError + Send + Sync>);

/// Keeps sessions. Each ends half an hour after its last use, and twelve hours after its beginning.
#[async_trait]
pub(crate) trait Sessions: Send + Sync {
    /// Begins a session.
    async fn begin(&self, key: SessionKey, signed_in: SignedIn) -> Result<(), SessionsError>;

    /// Whose session this is, unless it is over. This counts as a use.
    async fn find(&self, key: &SessionKey) -> Result<Option<SignedIn>, SessionsError>;

    /// Ends a session. Gives whose it was, unless it was over.
    async fn end(&self, key: &SessionKey) -> Result<Option<SignedIn>, SessionsError>;
}

/// Sessions in memory: a restart signs everybody out.
pub(crate) struct MemorySessions {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    sessions: HashMap<SessionKey, Session>,
    next_sweep: Duration,
}

struct Session {
    signed_in: SignedIn,
    begun: Duration,
    used: Duration,
}

impl Session {
    fn is_over(&self, now: Duration) -> bool {
        now.saturating_sub(self.used) >= IDLE_FOR || now.saturating_sub(self.begun) >= AT_MOST
    }
}

impl Kept {
    /// Passwords of sessions that are over do not stay in memory.
    fn sweep(&mut self, now: Duration) {
        if now >= self.next_sweep {
            self.sessions.retain(|_, session| !session.is_over(now));
            self.next_sweep = now + SWEEP_EVERY;
        }
    }

    /// Ends the least used of those sessions, where they are as many as there may be.
    fn make_place(&mut self, most: usize, counts: impl Fn(&Session) -> bool) {
        let counted = || self.sessions.iter().filter(|(_, session)| counts(session));
        if counted().count() < most {
            return;
        }
        let least = counted().min_by_key(|(_, session)| session.used);
        if let Some(key) = least.map(|(key, _)| *key) {
            self.sessions.remove(&key);
        }
    }
}

impl MemorySessions {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            kept: Mutex::default(),
        }
    }

    fn kept(&self, now: Duration) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.sweep(now);
        kept
    }
}

#[async_trait]
impl Sessions for MemorySessions {
    async fn begin(&self, key: SessionKey, signed_in: SignedIn) -> Result<(), SessionsError> {
        let now = self.clock.elapsed();
        let mut kept = self.kept(now);
        kept.make_place(PER_PERSON, |session| {
            session.signed_in.owner == signed_in.owner
        });
        kept.make_place(ALL, |_| true);
        let session = Session {
            signed_in,
            begun: now,
            used: now,
        };
        kept.sessions.insert(key, session);
        Ok(())
    }

    async fn find(&self, key: &SessionKey) -> Result<Option<SignedIn>, SessionsError> {
        let now = self.clock.elapsed();
        let mut kept = self.kept(now);
        let Some(session) = kept.sessions.get_mut(key) else {
            return Ok(None);
        };
        if session.is_over(now) {
            kept.sessions.remove(key);
            return Ok(None);
        }
        session.used = now;
        Ok(Some(session.signed_in.clone()))
    }

    async fn end(&self, key: &SessionKey) -> Result<Option<SignedIn>, SessionsError> {
        let now = self.clock.elapsed();
        let session = self.kept(now).sessions.remove(key);
        Ok(session
            .filter(|session| !session.is_over(now))
            .map(|session| session.signed_in))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ports::MockClock;
    use secrecy::SecretString;

    fn sessions() -> (MemorySessions, Arc<Mutex<Duration>>) {
        let now = Arc::new(Mutex::new(Duration::ZERO));
        let mut clock = MockClock::new();
        let read = Arc::clone(&now);
        clock
            .expect_elapsed()
            .returning(move || *read.lock().unwrap());
        (MemorySessions::new(Arc::new(clock)), now)
    }

    fn john() -> SignedIn {
        let login = UserId::parse("john").unwrap();
        SignedIn {
            owner: login.clone(),
            credentials: Credentials {
                login,
                password: SecretString::from("secret"),
            },
        }
    }

    fn key(number: u8) -> SessionKey {
        SessionKey::of(&[number; 32])
    }

    #[tokio::test]
    async fn a_session_ends_when_it_is_idle_and_after_twelve_hours() {
        let (sessions, now) = sessions();
        sessions.begin(key(1), john()).await.unwrap();
        sessions.begin(key(2), john()).await.unwrap();
        let step = Duration::from_mins(29);
        while *now.lock().unwrap() + step < AT_MOST {
            *now.lock().unwrap() += step;
            assert!(sessions.find(&key(1)).await.unwrap().is_some());
        }
        assert!(sessions.find(&key(2)).await.unwrap().is_none());
        *now.lock().unwrap() = AT_MOST;
        assert!(sessions.find(&key(1)).await.unwrap().is_none());
        assert!(sessions.kept(AT_MOST).sessions.is_empty());
    }

    #[tokio::test]
    async fn an_ended_session_is_nobody_s() {
        let (sessions, _) = sessions();
        sessions.begin(key(1), john()).await.unwrap();
        assert!(sessions.end(&key(1)).await.unwrap().is_some());
        assert!(sessions.end(&key(1)).await.unwrap().is_none());
        assert!(sessions.find(&key(1)).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_person_s_least_used_session_ends_with_one_too_many() {
        let (sessions, now) = sessions();
        for number in 0..=u8::try_from(PER_PERSON).unwrap() {
            *now.lock().unwrap() += Duration::from_secs(1);
            sessions.begin(key(number), john()).await.unwrap();
        }
        assert!(sessions.find(&key(0)).await.unwrap().is_none());
        assert!(sessions.find(&key(1)).await.unwrap().is_some());
    }
}
