use std::sync::atomic::Ordering;

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
async fn while_the_platform_is_away_whom_it_accepted_before_is_let_in_and_nobody_else() {
    let backend = Arc::new(FakeBackend::default());
    let now = Arc::new(Mutex::new(Duration::ZERO));
    let gate = gate(&backend, &now);
    gate.admit(credentials("secret"), HERE).await.unwrap();
    backend.is_away.store(true, Ordering::SeqCst);
    *now.lock().unwrap() = KNOWN_FOR / 2;
    let caller = gate.admit(credentials("secret"), HERE).await.unwrap();
    assert_eq!(caller.owner.as_str(), "john");
    let mary = Credentials {
        login: UserId::parse("mary").unwrap(),
        ..credentials("secret")
    };
    let elsewhere = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    for attempt in 0..9 {
        let stranger = gate.admit(mary.clone(), HERE).await;
        assert!(matches!(stranger, Err(Problem::PlatformUnavailable { .. })));
        let guess = credentials(&format!("guess {attempt}"));
        let refused = gate.admit(guess, elsewhere).await;
        match attempt {
            0..5 => assert!(matches!(refused, Err(Problem::PlatformUnavailable { .. }))),
            _ => assert!(matches!(refused, Err(Problem::TooManyAttempts { .. }))),
        }
    }
    *now.lock().unwrap() = KNOWN_FOR;
    let late = gate.admit(credentials("secret"), HERE).await;
    assert!(matches!(late, Err(Problem::PlatformUnavailable { .. })));
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
