//! TLS that the service speaks itself.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use app_server::{Settings, TlsFiles, start};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::bench::{bench, bench_with, quick};
use crate::caller::{Answer, parse};
use crate::process::Start;

/// A certificate for `localhost`, and what trusts it.
struct Identity {
    files: TlsFiles,
    der: CertificateDer<'static>,
}

fn identity(folder: &Path) -> Identity {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let files = TlsFiles {
        look_every: Duration::from_millis(10),
        ..TlsFiles::new(folder.join("cert.pem"), folder.join("key.pem"))
    };
    std::fs::write(&files.cert, cert.pem()).unwrap();
    std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
    let der = cert.der().clone();
    Identity { files, der }
}

fn address(url: &str) -> SocketAddr {
    url.strip_prefix("https://").unwrap().parse().unwrap()
}

impl Identity {
    async fn connect(&self, url: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let provider = tokio_rustls::rustls::crypto::ring::default_provider();
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address(url)).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await
    }

    async fn send(&self, url: &str, request: &str) -> Answer {
        let mut stream = self.connect(url).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        parse(&answer)
    }
}

const ALIVE: &str = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn cookies_are_for_tls_only_and_browsers_are_kept_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let mine = identity(folder.path());
    let files = mine.files.clone();
    let bench = bench_with(quick(), |settings| settings.tls = Some(files)).await;
    let url = bench.service.url();
    let answer = mine.send(url, ALIVE).await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers["strict-transport-security"].starts_with("max-age="));
    let user = &bench.forge.platform().scenario().user;
    let form = format!("login={}&password={}", user.login, user.password);
    let sign_in = |origin: &str| {
        format!(
            "POST /sign-in HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        )
    };
    let answer = mine.send(url, &sign_in("https://localhost")).await;
    assert_eq!(answer.status, 303, "{:?}", answer.headers);
    let cookie = &answer.headers["set-cookie"];
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"));
    let refused = mine.send(url, &sign_in("http://localhost")).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn silent_and_plain_callers_are_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mine = identity(folder.path());
    let files = mine.files.clone();
    let bench = bench_with(quick(), |settings| {
        settings.tls = Some(files);
        // Long enough for a handshake and a request on a busy machine.
        settings.connections.headers_within = Duration::from_secs(1);
        settings.connections.per_address = std::num::NonZeroUsize::new(2).unwrap();
    })
    .await;
    let url = bench.service.url();
    for said in ["", "GET / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}"] {
        let mut streams = Vec::new();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(address(url)).await.unwrap();
            let _ = stream.write_all(said.as_bytes()).await;
            streams.push(stream);
        }
        for mut stream in streams {
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            assert!(!answer.starts_with(b"HTTP/1.1 200"));
        }
    }
    // Their places are free again, as soon as the service has seen them go.
    loop {
        if let Ok(mut stream) = mine.connect(url).await {
            stream.write_all(ALIVE.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            assert_eq!(parse(&answer).status, 200);
            break;
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_used_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let old = identity(folder.path());
    let files = old.files.clone();
    let bench = bench_with(quick(), |settings| settings.tls = Some(files)).await;
    let url = bench.service.url();
    let mut before = old.connect(url).await.unwrap();
    let new = identity(folder.path());
    while new.connect(url).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(old.connect(url).await.is_err());
    // Connections that were open go on.
    before.write_all(ALIVE.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    before.read_to_end(&mut answer).await.unwrap();
    assert_eq!(parse(&answer).status, 200);
}

#[tokio::test]
async fn the_program_serves_other_machines_with_tls_and_says_https() {
    let bench = bench(quick()).await;
    let folder = tempfile::tempdir().unwrap();
    let mine = identity(folder.path());
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&mine.files.key, mode).unwrap();
    let start = Start::new(bench.forge.url(), &folder.path().join("data"))
        .with("--listen", "0.0.0.0:0")
        .with("--tls-cert", &mine.files.cert)
        .with("--tls-key", &mine.files.key);
    let process = start.run().await;
    let url = process.url.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(mine.send(&url, ALIVE).await.status, 200);
    let log = process.terminate().await.1;
    assert!(log.contains("https://0.0.0.0:"), "{log}");
    assert!(log.contains("can read the TLS key"), "{log}");
    let plain = start
        .clone()
        .with("--public-url", "http://exports.example.com");
    assert_eq!(plain.refused().await.0, Some(2));
    std::fs::write(&mine.files.key, "hunter2").unwrap();
    let (status, said) = start.refused().await;
    assert_eq!(status, Some(2));
    assert!(
        said.contains("key.pem") && !said.contains("hunter2"),
        "{said}"
    );
}

#[tokio::test]
async fn a_missing_certificate_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut settings = Settings::new("http://127.0.0.1:9/api", &data);
    settings.tls = Some(TlsFiles::new("/none/cert.pem", "/none/key.pem"));
    let error = start(settings).await.err().unwrap();
    assert!(error.to_string().contains("/none/cert.pem"), "{error}");
    assert!(!data.exists());
}
