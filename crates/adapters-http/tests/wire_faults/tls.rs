//! A server with a certificate of its own making, as most installations have: signed by itself, an authority by its own word, without
//! the host's name in it.
//!
//! Made by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=server.example`.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use adapters_http::{TlsTrust, UforgeApi};
use domain::model::{Representation, Resource};
use domain::ports::{ApiError, UserDataApi as _};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::server::settings;

const SERVER: &[u8] = include_bytes!("certificates/server.pem");
const SERVER_KEY: &[u8] = include_bytes!("certificates/server.key");
const STRANGER: &[u8] = include_bytes!("certificates/stranger.pem");

fn config() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(SERVER).unwrap();
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Arc::new(config)
}

/// Answers one connection with John's document.
fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut tls = StreamOwned::new(ServerConnection::new(config()).unwrap(), socket);
        let mut head = [0; 4096];
        // Whoever does not trust the certificate hangs up here.
        if tls.read(&mut head).is_ok() {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 7\r\n\r\n<user/>";
            tls.write_all(answer).unwrap();
            tls.flush().unwrap();
        }
    });
    port
}

async fn user(trust: TlsTrust) -> Result<(), ApiError> {
    let mut settings = settings(&format!("https://127.0.0.1:{}/api", serve()));
    settings.trust = trust;
    let api = UforgeApi::new(settings).unwrap();
    let document = api.document(Resource::User, Representation::Xml).await;
    document.map(|document| assert_eq!(&document.bytes[..], b"<user/>"))
}

#[tokio::test]
async fn a_certificate_that_was_given_is_trusted_as_the_server_s_own() {
    assert_eq!(user(TlsTrust::ExtraCa(SERVER.to_vec())).await, Ok(()));
    let both = [STRANGER, SERVER].concat();
    assert_eq!(user(TlsTrust::ExtraCa(both)).await, Ok(()));
}

#[tokio::test]
async fn any_certificate_is_accepted_only_where_that_was_asked_for() {
    assert_eq!(user(TlsTrust::AcceptAny).await, Ok(()));
    let result = user(TlsTrust::ExtraCa(STRANGER.to_vec())).await;
    let Err(ApiError::Untrusted { host, detail, .. }) = result else {
        panic!("{result:?}")
    };
    assert!(host.starts_with("127.0.0.1:"), "{host}");
    assert!(detail.contains("signed"), "{detail}");
}
