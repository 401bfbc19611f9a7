//! What becomes of the connections to PostgreSQL: none at all, or one that falls silent.

use adapters_store::{DatabaseUrl, PostgresDatabase, PostgresError};
use tests::kit::Postgres;
use tokio::net::TcpListener;

/// Where it was looked for, and each cause once, without a line of PostgreSQL's source.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_a_database_cannot_be_reached_is_said_once() {
    let server = Postgres::start();
    let there = server.database("there");
    // Nobody listens where somebody did, and nobody answers where somebody listens.
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = |listener: &TcpListener| listener.local_addr().expect("its address").to_string();
    let (gone_at, silent_at) = (at(&gone), at(&silent));
    drop(gone);
    for (url, place, cause) in [
        (
            format!("postgres://u@{gone_at}/exports"),
            gone_at,
            "refused",
        ),
        (
            format!("postgres://u@{silent_at}/exports"),
            silent_at,
            "no answer within",
        ),
        (
            there.replace("/there?", "/nowhere?"),
            ":5432".to_owned(),
            "database \"nowhere\" does not exist",
        ),
    ] {
        let url = DatabaseUrl::parse(&url).expect("a URL");
        let refused = PostgresDatabase::open(&url).await;
        let refused = refused.err().expect("it is not there");
        assert!(matches!(refused, PostgresError::Unreachable { .. }));
        let mut said = refused.to_string();
        assert!(said.contains(&place), "{said}");
        let mut error: &dyn std::error::Error = &refused;
        while let Some(source) = error.source() {
            said = format!("{said}: {source}");
            error = source;
        }
        assert_eq!(said.matches(cause).count(), 1, "{said}");
        assert!(!said.contains("at line"), "{said}");
    }
    drop(silent);
}
