//! `--demo`: a platform and a service that somebody tries.

use sandbox::Scenario;

use crate::bench::{create, until};
use crate::caller::Caller;
use crate::process::Start;

#[tokio::test]
async fn a_newcomer_reads_one_line_and_holds_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let start = Start::only(&["--demo", "--listen", "127.0.0.1:0"])
        .with_environment("TMPDIR", folder.path())
        // The environment of a server that is not meant.
        .with_environment("UFORGE_URL", "http://127.0.0.1:9/api")
        .with_environment("UFORGE_EXPORT_DATA", "/none");
    let demo = start.run().await;
    assert_eq!(demo.announced, serde_json::json!({"url": demo.url}));
    let scenario = Scenario::default();
    let user = Caller::new(&demo.url, &scenario.user.login, &scenario.user.password);
    let path = create(&user, r#"{"include": ["profile"]}"#).await;
    until(&user, &path, "ready").await;
    let archive = user.get(&format!("{path}/archive")).await;
    assert_eq!(archive.status, 200);
    let administrator = &scenario.administrator;
    let administrator = Caller::new(&demo.url, &administrator.login, &administrator.password);
    assert_eq!(administrator.get("/api/v1/audit").await.status, 200);
    let url = demo.url.clone();
    let (status, said) = demo.terminate().await;
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for word in [&url, &scenario.user.login, &scenario.user.password] {
        assert!(said.contains(word.as_str()), "{said}");
    }
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_demo_is_for_this_machine_and_for_nobody_s_data() {
    let cert = [
        "--demo",
        "--listen",
        "0.0.0.0:0",
        "--trusted-proxy",
        "10.0.0.1",
    ];
    for arguments in [
        &["--demo", "--listen", "0.0.0.0:0"][..],
        &cert,
        &["--demo", "--listen", "[::]:0"],
        &["--demo", "--url", "http://127.0.0.1:9/api"],
        &["--demo", "--data", "/none"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let start = Start::only(arguments).with_environment("TMPDIR", folder.path());
        let (status, said) = start.refused().await;
        assert_eq!(status, Some(2), "{arguments:?} {said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
