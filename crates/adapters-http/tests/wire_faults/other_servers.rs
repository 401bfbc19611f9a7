//! What is no UForge, and what stands before one: each has an error of its own.

use adapters_http::{TlsTrust, UforgeApi};
use domain::model::{Representation, Resource};
use domain::ports::{ApiError, UserDataApi as _};

use crate::server::{IMPATIENCE, Reply, Server, settings};

#[tokio::test]
async fn another_protocol_is_distinguished_from_a_lost_answer() {
    for banner in [
        &b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"[..],
        b"220 mail.example.com ESMTP ready\r\n",
        b"-ERR unknown command\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"\0\0\0\x0c\x01",
    ] {
        let server = Server::replying([Reply::Close(banner.to_vec())]).await;
        let result = server.api().platform().await;
        assert!(
            matches!(result, Err(ApiError::NotHttp { .. })),
            "{banner:?} {result:?}"
        );
    }
    let server = Server::replying([Reply::Close(Vec::new())]).await;
    let result = server.api().platform().await;
    assert!(
        matches!(result, Err(ApiError::NoAnswer { .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_distinguished_from_a_port_where_nobody_listens() {
    let api = UforgeApi::new(settings("http://no-such-host.invalid/api")).unwrap();
    let result = api.document(Resource::User, Representation::Xml).await;
    let Err(ApiError::UnknownHost { host, .. }) = result else {
        panic!("{result:?}")
    };
    assert_eq!(host, "no-such-host.invalid");
}

#[tokio::test]
async fn plain_http_where_tls_is_wanted_says_so() {
    let server = Server::replying([Reply::xml("<user/>")]).await;
    let mut settings = settings(&format!("https://127.0.0.1:{}/api", server.port));
    settings.trust = TlsTrust::AcceptAny;
    settings.silence = IMPATIENCE;
    let result = UforgeApi::new(settings).unwrap().platform().await;
    // A server that reads line by line waits for the end of a line that does not come.
    assert!(
        matches!(
            result,
            Err(ApiError::Unreachable { .. } | ApiError::Stalled { .. })
        ),
        "{result:?}"
    );
}
