//! The gate that every call of the API passes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
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
use super::sessions::{Sessions, SignedIn};
use super::streams::EventStreams;
use crate::backend::{Backend, Credentials, IdentifyError};
use crate::causes::Causes;
use crate::problem::Problem;

/// How long accepted credentials are not checked again.
const ACCEPTED_FOR: Duration = Duration::from_mins(1);
/// How long refused credentials are not checked again.
const REFUSED_FOR: Duration = Duration::from_millis(1_500);
/// Verdicts that are kept at the same time.
const VERDICTS: usize = 2048;
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
            Err(IdentifyError::Refused | IdentifyError::Forbidden) => Err(Problem::ForbiddenPerson),
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
        let answer = asked
            .await
            .map_err(|_| Problem::PlatformUnavailable { cause: None })?;
        let now = self.clock.elapsed();
        let verdict = match answer {
            Ok(owner) => {
                self.attempts().succeeded(from, login, now);
                Verdict::Accepted(owner)
            }
            Err(IdentifyError::Refused) => {
                self.attempts().failed(from, login, now);
                self.record(AuditAction::SignInRefused, login, from).await;
                Verdict::Refused
            }
            Err(IdentifyError::Forbidden) => return Err(Problem::Forbidden),
            Err(error) => return Err(unavailable(error)),
        };
        let keep = match verdict {
            Verdict::Accepted(_) => ACCEPTED_FOR,
            Verdict::Refused => REFUSED_FOR,
        };
        self.verdicts()
            .insert(fingerprint, verdict.clone(), now + keep, now);
        Ok(verdict)
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

    fn turns(&self) -> std::sync::MutexGuard<'_, HashMap<UserId, Arc<Turn>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verdicts(&self) -> std::sync::MutexGuard<'_, ExpiringMap<Fingerprint, Verdict>> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Attempts> {
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
mod tests {
    use super::*;
    use crate::auth::MemorySessions;
    use crate::testing::FakeBackend;
    use domain::ports::MockClock;
    use domain::testing::MemoryAudit;
    use secrecy::SecretString;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn credentials(password: &str) -> Credentials {
        Credentials {
            login: UserId::parse("john").unwrap(),
            password: SecretString::from(password),
        }
    }

    fn gate(backend: &Arc<FakeBackend>, now: &Arc<Mutex<Duration>>) -> Gate {
        let mut clock = MockClock::new();
        let now = Arc::clone(now);
        clock
            .expect_elapsed()
            .returning(move || *now.lock().unwrap());
        clock.expect_now().return_const(jiff::Timestamp::UNIX_EPOCH);
        let clock: Arc<dyn Clock> = Arc::new(clock);
        Gate::new(GateParts {
            backend: Arc::clone(backend) as Arc<dyn Backend>,
            clock: Arc::clone(&clock),
            audit: Arc::new(MemoryAudit::default()),
            sessions: Arc::new(MemorySessions::new(clock)),
            origin: None,
            has_tls: false,
            administrators: vec![UserId::parse("root").unwrap()],
            key: [7; 64],
        })
    }

    #[tokio::test]
    async fn the_platform_is_asked_once_a_minute_for_the_same_credentials() {
        let backend = Arc::new(FakeBackend::default());
        let now = Arc::new(Mutex::new(Duration::ZERO));
        let gate = gate(&backend, &now);
        for _ in 0..3 {
            let caller = gate.admit(credentials("secret"), HERE).await.unwrap();
            assert_eq!(caller.owner.as_str(), "john");
        }
        assert_eq!(backend.questions(), 1);
        *now.lock().unwrap() = ACCEPTED_FOR;
        gate.admit(credentials("secret"), HERE).await.unwrap();
        assert_eq!(backend.questions(), 2);
    }

    #[tokio::test]
    async fn the_same_credentials_at_once_are_one_question() {
        for password in ["secret", "wrong"] {
            let backend = Arc::new(FakeBackend::default());
            let gate = gate(&backend, &Arc::new(Mutex::new(Duration::ZERO)));
            let callers = (0..8).map(|_| gate.admit(credentials(password), HERE));
            for answer in futures_util::future::join_all(callers).await {
                assert_eq!(answer.is_ok(), password == "secret");
            }
            assert_eq!(backend.questions(), 1, "{password}");
            assert!(gate.turns().is_empty());
        }
    }

    #[tokio::test]
    async fn a_wrong_password_is_refused_and_guessing_is_slowed_down() {
        let backend = Arc::new(FakeBackend::default());
        let now = Arc::new(Mutex::new(Duration::ZERO));
        let gate = gate(&backend, &now);
        for attempt in 0..5 {
            let refused = gate
                .admit(credentials(&format!("guess {attempt}")), HERE)
                .await;
            assert!(matches!(refused, Err(Problem::Unauthenticated { .. })));
        }
        let slowed = gate.admit(credentials("guess 6"), HERE).await;
        assert!(matches!(slowed, Err(Problem::TooManyAttempts { .. })));
        assert_eq!(backend.questions(), 5);
        *now.lock().unwrap() = Duration::from_mins(1);
        assert!(gate.admit(credentials("secret"), HERE).await.is_ok());
    }

    #[tokio::test]
    async fn another_person_s_data_is_for_whom_the_platform_shows_them() {
        let backend = Arc::new(FakeBackend::default());
        let gate = gate(&backend, &Arc::new(Mutex::new(Duration::ZERO)));
        let user = |login: &str| UserId::parse(login).unwrap();
        let john = gate.admit(credentials("secret"), HERE).await.unwrap();
        assert_eq!(
            gate.subject_of(&john, &user("john")).await.unwrap(),
            user("john")
        );
        for other in ["mary", "nobody"] {
            let refused = gate.subject_of(&john, &user(other)).await;
            assert!(matches!(refused, Err(Problem::ForbiddenPerson)), "{other}");
        }
        let root = Credentials {
            login: user("root"),
            ..credentials("secret")
        };
        let root = gate.admit(root, HERE).await.unwrap();
        assert!(root.is_administrator() && !john.is_administrator());
        assert_eq!(
            gate.subject_of(&root, &user("Mary")).await.unwrap(),
            user("mary")
        );
    }

    #[tokio::test]
    async fn the_same_wrong_password_is_not_carried_to_the_platform_again_at_once() {
        let backend = Arc::new(FakeBackend::default());
        let now = Arc::new(Mutex::new(Duration::ZERO));
        let gate = gate(&backend, &now);
        for _ in 0..3 {
            assert!(gate.admit(credentials("wrong"), HERE).await.is_err());
        }
        assert_eq!(backend.questions(), 1);
        *now.lock().unwrap() = Duration::from_secs(2);
        assert!(gate.admit(credentials("wrong"), HERE).await.is_err());
        assert_eq!(backend.questions(), 2);
    }
}
