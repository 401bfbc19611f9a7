//! The gate that every call of the API passes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::jobs::{AuditAction, AuditEntry, AuditLog};
use domain::model::UserId;
use domain::ports::Clock;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::ExposeSecret as _;
use sha2::Sha256;
use tokio::sync::Semaphore;

use super::attempts::Attempts;
use super::expiring::ExpiringMap;
use super::origin::Origin;
use super::sessions::{self, Sessions, SignedIn};
use super::streams::EventStreams;
use crate::backend::{Backend, Credentials, IdentifyError};
use crate::causes::Causes;
use crate::problem::Problem;

/// How long accepted credentials are not checked again.
const ACCEPTED_FOR: Duration = Duration::from_mins(1);
/// How long refused credentials are not checked again.
const REFUSED_FOR: Duration = Duration::from_millis(1_500);
/// How long credentials that the platform accepted count while it does not answer: as long as a session at most.
const KNOWN_FOR: Duration = sessions::AT_MOST;
/// Verdicts that are kept at the same time.
const VERDICTS: usize = 2048;
/// Logins whose accepted credentials are known at the same time.
const KNOWN: usize = 10_000;
/// Questions to the platform at the same time.
const CHECKS_AT_ONCE: usize = 16;
/// How long a caller waits for the platform's answer, turns included.
const CHECK_WITHIN: Duration = Duration::from_secs(20);

/// Whom a request comes from: the network address of the caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Somebody whom the platform knows.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The login that the platform knows them by: the owner of their exports.
    pub(crate) owner: UserId,
    /// What they signed in with.
    pub(crate) credentials: Credentials,
    /// Where they are.
    pub(crate) from: IpAddr,
    is_administrator: bool,
}

impl Caller {
    /// Whether the operator made them an administrator of this service.
    pub(crate) fn is_administrator(&self) -> bool {
        self.is_administrator
    }
}

/// What the gate works with.
pub(crate) struct GateParts {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) sessions: Arc<dyn Sessions>,
    /// Where the service is for browsers, where the operator says so.
    pub(crate) origin: Option<Origin>,
    /// Whether the service speaks TLS itself.
    pub(crate) has_tls: bool,
    /// Logins of the administrators of this service.
    pub(crate) administrators: Vec<UserId>,
    /// Drawn for every process.
    pub(crate) key: [u8; 64],
}

/// A keyed sum of credentials: says whether they are the same, and nothing else outside of this process.
type Fingerprint = [u8; 32];

#[derive(Clone, Debug)]
enum Verdict {
    Accepted(UserId),
    Refused,
}

/// Checks credentials against the platform, and keeps the verdict for a short time.
pub(crate) struct Gate {
    backend: Arc<dyn Backend>,
    clock: Arc<dyn Clock>,
    audit: Arc<dyn AuditLog>,
    sessions: Arc<dyn Sessions>,
    origin: Option<Origin>,
    has_tls: bool,
    administrators: Vec<UserId>,
    streams: EventStreams,
    key: Hmac<Sha256>,
    verdicts: Mutex<ExpiringMap<Fingerprint, Verdict>>,
    /// What each login was accepted with last, and who that was.
    known: Mutex<ExpiringMap<UserId, (Fingerprint, UserId)>>,
    attempts: Mutex<Attempts>,
    checks: Semaphore,
    turns: Mutex<HashMap<UserId, Arc<Turn>>>,
}

/// Held while the platform is asked about a login.
type Turn = tokio::sync::Mutex<()>;

impl Gate {
    pub(crate) fn new(parts: GateParts) -> Self {
        Self {
            backend: parts.backend,
            clock: parts.clock,
            audit: parts.audit,
            sessions: parts.sessions,
            origin: parts.origin,
            has_tls: parts.has_tls,
            administrators: parts.administrators,
            streams: EventStreams::default(),
            key: Hmac::new(&parts.key.into()),
            verdicts: Mutex::new(ExpiringMap::new(VERDICTS)),
            known: Mutex::new(ExpiringMap::new(KNOWN)),
            attempts: Mutex::new(Attempts::new()),
            checks: Semaphore::new(CHECKS_AT_ONCE),
            turns: Mutex::default(),
        }
    }

    /// Sessions of people who signed in with the form.
    pub(crate) fn sessions(&self) -> &dyn Sessions {
        &*self.sessions
    }

    /// Event streams, counted by person.
    pub(crate) fn streams(&self) -> &EventStreams {
        &self.streams
    }

    /// Where the service is for browsers, where the operator says so.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// Whether browsers reach the service encrypted.
    pub(crate) fn is_https(&self) -> bool {
        self.origin.as_ref().map_or(self.has_tls, Origin::is_https)
    }

    /// Somebody who has signed in, in a request that comes from there.
    pub(crate) fn caller(&self, signed_in: SignedIn, from: IpAddr) -> Caller {
        Caller {
            is_administrator: self.administrators.contains(&signed_in.owner),
            owner: signed_in.owner,
            credentials: signed_in.credentials,
            from,
        }
    }

    /// Records a sign-in or a sign-out. Nobody is shut out because that fails: the log says so.
    pub(crate) async fn record(&self, action: AuditAction, login: &UserId, from: IpAddr) {
        let entry = AuditEntry {
            at: self.clock.now(),
            action,
            actor: Some(login.clone()),
            subject: None,
            from: Some(from.to_string()),
            export: None,
            sha256: None,
            bytes: None,
            detail: None,
        };
        if let Err(error) = self.audit.append(entry).await {
            tracing::error!(%action, error = %Causes(&error), "the audit trail could not be written");
        }
    }

    /// Says who the caller is, or why nobody knows.
    pub(crate) async fn admit(
        &self,
        credentials: Credentials,
        from: IpAddr,
    ) -> Result<Caller, Problem> {
        let fingerprint = self.fingerprint(&credentials);
        let verdict = match self.checkpoint(&fingerprint) {
            Some(verdict) => verdict,
            None => self.ask_in_turn(&credentials, from, fingerprint).await?,
        };
        match verdict {
            Verdict::Accepted(owner) => Ok(self.caller(SignedIn { owner, credentials }, from)),
            Verdict::Refused => Err(Problem::Unauthenticated {
                why: "the platform refused the credentials",
            }),
        }
    }

    /// Somebody with a session. What they signed in with is checked as that of everybody else.
    pub(crate) async fn confirm(
        &self,
        signed_in: SignedIn,
        from: IpAddr,
    ) -> Result<Caller, Problem> {
        match self.admit(signed_in.credentials, from).await {
            Ok(caller) if caller.owner == signed_in.owner => Ok(caller),
            Ok(_) => Err(Problem::Unauthenticated {
                why: "your login is somebody else's by now: sign in again",
            }),
            Err(problem) => Err(problem),
        }
    }

    /// Whose data the caller gets who asks for this user's: the login that the platform gives back. The platform is asked with the
    /// caller's own credentials. Whom it does not show them and who does not exist are refused alike.
    pub(crate) async fn subject_of(
        &self,
        caller: &Caller,
        user: &UserId,
    ) -> Result<UserId, Problem> {
        if *user == caller.owner {
            return Ok(user.clone());
        }
        let asked = tokio::time::timeout(CHECK_WITHIN, async {
            let _turn = self.checks.acquire().await;
            self.backend.look_up(&caller.credentials, user).await
        });
        let late = |_| Problem::PlatformUnavailable { cause: None };
        match asked.await.map_err(late)? {
            Ok(subject) => Ok(subject),
            Err(IdentifyError::Refused | IdentifyError::Unknown | IdentifyError::Forbidden) => {
                Err(Problem::ForbiddenPerson)
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Asks about one login at a time: what several callers bring at once is one question, and one refused sign-in.
    async fn ask_in_turn(
        &self,
        credentials: &Credentials,
        from: IpAddr,
        fingerprint: Fingerprint,
    ) -> Result<Verdict, Problem> {
        let turn = Arc::clone(self.turns().entry(credentials.login.clone()).or_default());
        let verdict = match tokio::time::timeout(CHECK_WITHIN, turn.lock()).await {
            Err(_) => Err(Problem::PlatformUnavailable { cause: None }),
            Ok(_held) => match self.checkpoint(&fingerprint) {
                Some(verdict) => Ok(verdict),
                None => self.ask(credentials, from, fingerprint).await,
            },
        };
        drop(turn);
        self.turns().retain(|_, turn| Arc::strong_count(turn) > 1);
        verdict
    }

    async fn ask(
        &self,
        credentials: &Credentials,
        from: IpAddr,
        fingerprint: Fingerprint,
    ) -> Result<Verdict, Problem> {
        let login = &credentials.login;
        let wait = self.attempts().wait(from, login, self.clock.elapsed());
        if let Some(wait) = wait {
            return Err(Problem::TooManyAttempts { wait });
        }
        let asked = tokio::time::timeout(CHECK_WITHIN, async {
            let _turn = self.checks.acquire().await;
            self.backend.identify(credentials).await
        });
        let answer = asked.await;
        let now = self.clock.elapsed();
        let verdict = match answer {
            Err(_) => self.while_away(login, from, fingerprint, None)?,
            Ok(Ok(owner)) => {
                self.attempts().succeeded(from, login, now);
                let known = (fingerprint, owner.clone());
                self.known()
                    .insert(login.clone(), known, now + KNOWN_FOR, now);
                Verdict::Accepted(owner)
            }
            Ok(Err(IdentifyError::Refused)) => {
                self.known().remove(login);
                self.attempts().failed(from, login, now);
                self.record(AuditAction::SignInRefused, login, from).await;
                Verdict::Refused
            }
            Ok(Err(IdentifyError::Forbidden)) => {
                self.known().remove(login);
                return Err(Problem::Forbidden);
            }
            Ok(Err(error)) => self.while_away(login, from, fingerprint, Some(error))?,
        };
        let keep = match verdict {
            Verdict::Accepted(_) => ACCEPTED_FOR,
            Verdict::Refused => REFUSED_FOR,
        };
        self.verdicts()
            .insert(fingerprint, verdict.clone(), now + keep, now);
        Ok(verdict)
    }

    /// The verdict where the platform does not answer: finished archives can be fetched meanwhile by whom it accepted before. A guess at
    /// somebody's password counts as if it had been refused.
    fn while_away(
        &self,
        login: &UserId,
        from: IpAddr,
        fingerprint: Fingerprint,
        error: Option<IdentifyError>,
    ) -> Result<Verdict, Problem> {
        let now = self.clock.elapsed();
        let is_away = error.as_ref().is_none_or(IdentifyError::is_outage);
        let known = self.known().get(login, now).map(|known| known.0.clone());
        match known {
            Some((same, owner)) if is_away && same == fingerprint => {
                return Ok(Verdict::Accepted(owner));
            }
            Some(_) if is_away => self.attempts().failed(from, login, now),
            _ => {}
        }
        Err(error.map_or(Problem::PlatformUnavailable { cause: None }, unavailable))
    }

    fn checkpoint(&self, fingerprint: &Fingerprint) -> Option<Verdict> {
        self.verdicts()
            .get(fingerprint, self.clock.elapsed())
            .map(|(verdict, _)| verdict.clone())
    }

    fn fingerprint(&self, credentials: &Credentials) -> Fingerprint {
        let mut sum = self.key.clone();
        sum.update(credentials.login.as_str().as_bytes());
        // A login holds no control character, so the two parts cannot run into each other.
        sum.update(b"\0");
        sum.update(credentials.password.expose_secret().as_bytes());
        sum.finalize().into_bytes().into()
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<UserId, Arc<Turn>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verdicts(&self) -> MutexGuard<'_, ExpiringMap<Fingerprint, Verdict>> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, ExpiringMap<UserId, (Fingerprint, UserId)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log has the kind of the cause and what helps, and not the cause itself: a request has the login in its path.
fn unavailable(error: IdentifyError) -> Problem {
    let helps = error.remedy().unwrap_or_default();
    tracing::warn!(%error, helps, "the platform could not be asked about a user");
    Problem::PlatformUnavailable { cause: Some(error) }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
