//! Who may be served without TLS, and what is refused before anything happens.

use crate::process::Start;

const NOWHERE: &str = "http://127.0.0.1:9/api";

#[tokio::test]
async fn plain_http_for_other_machines_is_refused_before_anything_happens() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8081"] {
        let start = Start::new(NOWHERE, &data).with("--listen", listen);
        let (status, said) = start.refused().await;
        assert_eq!(status, Some(2), "{said}");
        assert!(
            said.contains("hint: ") && said.contains("--tls-cert"),
            "{said}"
        );
        assert!(said.contains("--trusted-proxy"), "{said}");
        assert!(!data.exists());
    }
    let start = Start::new(NOWHERE, &data).with("--listen", "0.0.0.0:0");
    let proxied = start.with("--trusted-proxy", "127.0.0.1").run().await;
    assert_eq!(proxied.terminate().await.0, Some(0));
}

#[tokio::test]
async fn wrong_settings_are_refused_before_anything_happens() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let garbage = folder.path().join("garbage.pem");
    std::fs::write(&garbage, "hunter2").unwrap();
    let garbage = garbage.to_str().unwrap();
    let settings: [&[(&str, &str)]; 9] = [
        &[("--tls-cert", garbage)],
        &[("--tls-key", garbage)],
        &[("--tls-cert", garbage), ("--tls-key", garbage)],
        &[("--tls-cert", "/none.pem"), ("--tls-key", "/none.pem")],
        &[("--log", "=nonsense=")],
        &[("--log-format", "xml")],
        &[("--metrics-listen", "9100")],
        &[("--url", "ftp://uforge.example.com")],
        &[("--url", "https://john:hunter2@uforge.example.com/api")],
    ];
    for flags in settings {
        let mut start = Start::new(NOWHERE, &data);
        for (name, value) in flags {
            if *name == "--url" {
                start = Start::only(&["--data", data.to_str().unwrap()]);
            }
            start = start.with(name, value);
        }
        let (status, said) = start.refused().await;
        assert_eq!(status, Some(2), "{flags:?} {said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(!data.exists(), "{flags:?}");
    }
}
