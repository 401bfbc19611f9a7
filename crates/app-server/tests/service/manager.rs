//! systemd and what speaks its language: readiness, and credentials that it hands over.

use std::fs::{Permissions, create_dir, set_permissions, write};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::bench::{bench, quick};
use crate::process::Start;

const KEY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n";

#[tokio::test]
async fn a_service_manager_hears_when_the_service_is_ready_alive_and_stopping() {
    let bench = bench(quick()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    let heard = || {
        let mut bytes = [0; 256];
        let length = manager.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
    };
    let start = Start::new(bench.forge.url(), &folder.path().join("data"))
        .with_environment("NOTIFY_SOCKET", &path)
        .with_environment("WATCHDOG_USEC", "20000");
    let process = start.run().await;
    assert_eq!(heard(), "READY=1");
    for _ in 0..3 {
        assert_eq!(heard(), "WATCHDOG=1");
    }
    assert_eq!(process.terminate().await.0, Some(0));
    loop {
        match heard().as_str() {
            "WATCHDOG=1" => {}
            other => break assert_eq!(other, "STOPPING=1"),
        }
    }
}

/// With an access list for the service's user, systemd's files look as if their group could read them.
#[tokio::test]
async fn credentials_that_the_service_manager_hands_over_are_used() {
    let bench = bench(quick()).await;
    let folder = tempfile::tempdir().unwrap();
    let credentials = folder.path().join("credentials");
    create_dir(&credentials).unwrap();
    let (key, account) = (credentials.join("seal"), credentials.join("account.yml"));
    write(&key, KEY).unwrap();
    let administrator = &bench.forge.platform().scenario().administrator;
    let text = format!(
        "user: {}\npassword: {}\n",
        administrator.login, administrator.password
    );
    write(&account, text).unwrap();
    for path in [&key, &account] {
        set_permissions(path, Permissions::from_mode(0o440)).unwrap();
    }
    set_permissions(&credentials, Permissions::from_mode(0o550)).unwrap();
    let start = Start::new(bench.forge.url(), &folder.path().join("data"))
        .with("--seal-credentials", &key)
        .with("--service-credentials", &account);
    let (status, said) = start.refused().await;
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("others can read"), "{said}");
    let start = start.with_environment("CREDENTIALS_DIRECTORY", &credentials);
    let (status, log) = start.run().await.terminate().await;
    assert_eq!(status, Some(0), "{log}");
    set_permissions(&credentials, Permissions::from_mode(0o700)).unwrap();
}
