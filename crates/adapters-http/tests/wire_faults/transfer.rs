use std::time::Duration;

use bytes::Bytes;
use domain::model::{BinaryRef, ItemKind, ObjectId};
use domain::ports::{ApiError, Download, ResumeAt, UserDataApi as _};
use futures_util::StreamExt as _;

use crate::exports::ticket;
use crate::server::{Reply, Server};

async fn archive(reply: Reply, from: Option<ResumeAt>) -> Result<Download, ApiError> {
    archive_of(Server::replying([reply]).await, from).await
}

async fn archive_of(server: Server, from: Option<ResumeAt>) -> Result<Download, ApiError> {
    server
        .api()
        .download(ticket(ItemKind::Appliance, 201, 12), from)
        .await
}

async fn body(download: Download) -> (usize, Option<ApiError>) {
    let mut received = 0;
    let mut body = download.body;
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => received += chunk.len(),
            Err(error) => {
                assert!(body.next().await.is_none(), "an error ends the body");
                return (received, Some(error));
            }
        }
    }
    (received, None)
}

fn point() -> ResumeAt {
    ResumeAt {
        offset: 5,
        validator: "\"v1\"".to_owned(),
    }
}

#[tokio::test]
async fn an_archive_passes_through_as_it_was_sent() {
    let packed = [0x1f, 0x8b, 8, 0, 0xff, 0];
    let reply = Reply::answer(
        "200 OK",
        "Content-Type: application/x-gzip\r\nETag: \"v1\"\r\nAccept-Ranges: bytes\r\n",
        &packed,
    );
    let download = archive(reply, None).await.unwrap();
    assert_eq!(
        download.request,
        "GET users/john/appliances/201/exports/12/downloads"
    );
    assert_eq!(
        (
            download.media_type.as_str(),
            download.length,
            download.starts_at
        ),
        ("application/x-gzip", Some(6), 0)
    );
    assert_eq!(download.validator.as_deref(), Some("\"v1\""));
    let chunks: Vec<Bytes> = download.body.map(Result::unwrap).collect().await;
    assert_eq!(chunks.concat(), packed);
}

#[tokio::test]
async fn a_broken_download_goes_on_where_the_server_can() {
    let reply = Reply::answer(
        "206 Partial Content",
        "Content-Type: application/gzip\r\nContent-Range: bytes 5-8/9\r\nETag: \"v1\"\r\n",
        b"5678",
    );
    let server = Server::replying([reply]).await;
    let download = server
        .api()
        .download(ticket(ItemKind::Appliance, 201, 12), Some(point()))
        .await
        .unwrap();
    assert_eq!((download.starts_at, download.length), (5, Some(4)));
    assert_eq!(body(download).await, (4, None));
    let head = &server.heads()[0];
    assert!(
        head.contains("range: bytes=5-\r\n") && head.contains("if-range: \"v1\"\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn a_server_that_cannot_go_on_begins_anew_or_says_so() {
    let anew = archive(Reply::answer("200 OK", "", b"012345678"), Some(point()))
        .await
        .unwrap();
    assert_eq!(anew.starts_at, 0);
    let elsewhere = Reply::answer(
        "206 Partial Content",
        "Content-Range: bytes 0-8/9\r\n",
        b"012345678",
    );
    assert!(matches!(
        archive(elsewhere, Some(point())).await,
        Err(ApiError::Unreadable { .. })
    ));
    let beyond = Reply::answer(
        "416 Range Not Satisfiable",
        "Content-Range: bytes */9\r\n",
        b"",
    );
    assert!(matches!(
        archive(beyond, Some(point())).await,
        Err(ApiError::Refused { status: 416, .. })
    ));
}

#[tokio::test]
async fn a_download_that_ends_early_is_not_whole() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/gzip\r\n";
    for framing in [
        "Content-Length: 9\r\n\r\n0123",
        "Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n",
        "Transfer-Encoding: chunked\r\n\r\n9\r\n0123",
    ] {
        let download = archive(Reply::Close(format!("{head}{framing}").into_bytes()), None)
            .await
            .unwrap();
        let (received, error) = body(download).await;
        assert_eq!(
            (received, error),
            (
                4,
                Some(ApiError::Interrupted {
                    request: "GET users/john/appliances/201/exports/12/downloads".to_owned(),
                    received: 4,
                })
            ),
            "{framing}"
        );
    }
    // Nothing but the archive itself shows it here.
    let closed = archive(
        Reply::Close(format!("{head}Connection: close\r\n\r\n0123").into_bytes()),
        None,
    )
    .await
    .unwrap();
    assert_eq!(closed.length, None);
    assert_eq!(body(closed).await, (4, None));
}

#[tokio::test]
async fn a_download_that_stalls_or_drips_ends() {
    let head =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/gzip\r\nContent-Length: 1000000\r\n\r\n0123"
            .to_vec();
    let drip = Reply::Drip(head.clone(), b"x".to_vec(), Duration::from_millis(50));
    let mut errors = Vec::new();
    for reply in [Reply::Silence(head), drip] {
        let server = Server::replying([reply]).await.silent();
        let download = archive_of(server, None).await.unwrap();
        let ended = tokio::time::timeout(Duration::from_mins(1), body(download)).await;
        errors.extend(ended.unwrap().1);
    }
    // On a busy machine a pause between two bytes may be as long as a stall.
    assert!(
        matches!(
            errors[..],
            [
                ApiError::Stalled { .. },
                ApiError::Interrupted { .. } | ApiError::Stalled { .. }
            ]
        ),
        "{errors:?}"
    );
}

#[tokio::test]
async fn a_reader_that_takes_its_time_is_no_stall() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/gzip\r\nContent-Length: 8\r\n\r\n0123";
    let server = Server::replying([Reply::Drip(
        head.into(),
        b"4567".to_vec(),
        Duration::from_millis(20),
    )])
    .await
    .silent();
    let download = server
        .api()
        .download(ticket(ItemKind::Appliance, 201, 12), None)
        .await
        .unwrap();
    let mut body = download.body;
    let first = body.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let second = body.next().await.unwrap().unwrap();
    assert_eq!([first, second].concat(), b"01234567");
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn a_page_or_an_error_is_no_archive() {
    let page = Reply::answer(
        "200 OK",
        "Content-Type: text/html;charset=utf-8\r\n",
        b"<html>",
    );
    assert!(matches!(
        archive(page, None).await,
        Err(ApiError::NotUForge { .. })
    ));
    let early = Reply::answer(
        "409 Conflict",
        "Content-Type: text/plain\r\n",
        b"not complete",
    );
    let Err(ApiError::Refused {
        status, message, ..
    }) = archive(early, None).await
    else {
        panic!()
    };
    assert_eq!((status, message.as_deref()), (409, Some("not complete")));
    let once = Reply::answer("404 Not Found", "", b"");
    assert!(matches!(
        archive(once, None).await,
        Err(ApiError::NotFound { .. })
    ));
}

#[tokio::test]
async fn a_photo_is_a_file_like_any_other() {
    let server = Server::replying([Reply::answer(
        "200 OK",
        "Content-Type: image/png\r\n",
        b"\x89PNG",
    )])
    .await;
    let photo = BinaryRef::Photo(ObjectId::try_from(8).unwrap());
    let download = server.api().binary(photo).await.unwrap();
    assert_eq!(
        (download.media_type.as_str(), download.request.as_str()),
        ("image/png", "GET users/john/photo/8")
    );
    assert_eq!(body(download).await, (4, None));
}
