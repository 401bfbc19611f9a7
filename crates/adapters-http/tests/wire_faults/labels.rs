//! Labels that lie, and bodies that are packed: the bytes decide.

use std::io::Write as _;

use adapters_http::UforgeApi;
use domain::model::{BinaryRef, ItemKind, ObjectId, Representation, Resource};
use domain::ports::{ApiError, Download, UserDataApi as _};
use futures_util::TryStreamExt as _;

use crate::exports::ticket;
use crate::server::{Reply, Server};

const USER: &str = "<?xml version=\"1.0\"?><n:user xmlns:n=\"http://www.usharesoft.com/uforge\"><dbId>7</dbId></n:user>";
const PAGE: &[u8] = b"<!-- gateway --><!DOCTYPE html><title>Log in</title>";

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

async fn api(head: &str, body: &[u8]) -> UforgeApi {
    Server::replying([Reply::answer("200 OK", head, body)])
        .await
        .api()
}

async fn whole(download: Result<Download, ApiError>) -> (String, Vec<u8>) {
    let download = download.unwrap();
    let chunks: Vec<bytes::Bytes> = download.body.try_collect().await.unwrap();
    (download.media_type, chunks.concat())
}

#[tokio::test]
async fn a_right_document_is_taken_whatever_it_is_called() {
    for head in [
        "Content-Type: text/plain\r\n",
        "Content-Type: text/html; charset=utf-8\r\n",
        "Content-Type: application/octet-stream\r\n",
        "Content-Type: application/json\r\n",
        "Content-Type: application/xml; charset=ISO-8859-1\r\n",
        "Content-Type: application/xml\r\nContent-Encoding: x-gzip\r\n",
        "Content-Type: application/xml\r\nContent-Encoding: br\r\n",
        "",
    ] {
        let api = api(head, USER.as_bytes()).await;
        let document = api
            .document(Resource::User, Representation::Xml)
            .await
            .unwrap();
        assert_eq!(document.bytes, USER, "{head}");
        assert_eq!(document.media_type, "application/xml", "{head}");
        assert_eq!(document.facts.objects[0].id, Some(7));
    }
}

#[tokio::test]
async fn a_document_in_utf_16_is_kept_as_it_was_sent() {
    let sent: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(USER.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let api = api("Content-Type: application/xml\r\n", &sent).await;
    let document = api
        .document(Resource::User, Representation::Xml)
        .await
        .unwrap();
    assert_eq!(document.bytes, sent);
    assert_eq!(document.facts.objects[0].id, Some(7));
}

#[tokio::test]
async fn a_document_that_was_packed_on_its_way_is_unpacked_whatever_its_head_says() {
    for head in [
        "Content-Type: application/xml\r\nContent-Encoding: gzip\r\n",
        "Content-Type: application/xml\r\n",
    ] {
        let api = api(head, &gzip(USER.as_bytes())).await;
        let document = api
            .document(Resource::User, Representation::Xml)
            .await
            .unwrap();
        assert_eq!(document.bytes, USER);
    }
    // Limits count what it comes to.
    let bomb = gzip(&vec![b' '; 1 << 22]);
    let api = api("Content-Encoding: gzip\r\n", &bomb).await;
    let result = api.document(Resource::User, Representation::Xml).await;
    assert!(
        matches!(result, Err(ApiError::TooLarge { .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_page_stays_a_page_whatever_it_is_called() {
    for content_type in [
        "application/xml",
        "application/json",
        "application/gzip",
        "image/png",
    ] {
        let head = format!("Content-Type: {content_type}\r\n");
        let api = api(&head, PAGE).await;
        let appliance = ticket(ItemKind::Appliance, 7, 3);
        let photo = BinaryRef::Photo(ObjectId::try_from(1).unwrap());
        for result in [
            api.document(Resource::User, Representation::Xml)
                .await
                .map(drop),
            api.document(Resource::User, Representation::Json)
                .await
                .map(drop),
            api.export_status(appliance).await.map(drop),
            api.download(appliance, None).await.map(drop),
            api.binary(photo).await.map(drop),
            api.delete_export(appliance).await,
        ] {
            assert!(
                matches!(result, Err(ApiError::NotUForge { .. })),
                "{content_type}: {result:?}"
            );
        }
    }
}

#[tokio::test]
async fn json_that_is_not_offered_is_distinguished_from_json_that_failed() {
    for (status, head, body) in [
        ("406 Not Acceptable", "Content-Type: text/html\r\n", PAGE),
        ("415 Unsupported Media Type", "", b""),
        ("501 Not Implemented", "", b""),
        (
            "200 OK",
            "Content-Type: application/xml\r\n",
            USER.as_bytes(),
        ),
        (
            "200 OK",
            "Content-Type: application/json\r\n",
            USER.as_bytes(),
        ),
    ] {
        let api = Server::replying([Reply::answer(status, head, body)])
            .await
            .api();
        let result = api.document(Resource::User, Representation::Json).await;
        assert!(
            matches!(result, Err(ApiError::NotOffered { .. })),
            "{result:?}"
        );
    }
    let error = b"<e:uforgeError xmlns:e='u'><localizedErrorMsg><message>no</message></localizedErrorMsg></e:uforgeError>";
    for (status, body) in [
        ("200 OK", &error[..]),
        ("200 OK", b"<a>"),
        ("500 Oops", b""),
    ] {
        let api = Server::replying([Reply::answer(status, "", body)])
            .await
            .api();
        let result = api.document(Resource::User, Representation::Json).await;
        assert!(
            matches!(
                result,
                Err(ApiError::Unreadable { .. } | ApiError::ServerFault { .. })
            ),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn an_archive_is_taken_whatever_it_is_called() {
    let archive = gzip(b"template.yml and more");
    for head in [
        "Content-Type: text/html\r\n",
        "Content-Type: application/json\r\n",
        "Content-Type: application/x-tar\r\nContent-Encoding: x-gzip\r\n",
        "Content-Type: application/x-tar\r\nContent-Encoding: gzip\r\n",
        "",
    ] {
        let api = api(head, &archive).await;
        let got = whole(api.download(ticket(ItemKind::Appliance, 7, 3), None).await).await;
        assert!(got.0.starts_with("application/"), "{}", got.0);
        assert_ne!(got.0, "application/json");
        assert_eq!(got.1, archive, "{head}");
    }
    let api = api("Content-Encoding: gzip\r\n", &gzip(&archive)).await;
    let got = whole(api.download(ticket(ItemKind::Appliance, 7, 3), None).await).await;
    assert_eq!(got.1, archive);
}

#[tokio::test]
async fn a_photo_is_what_its_bytes_say() {
    let picture = b"\x89PNG\r\n\x1a\nand so on";
    let photo = BinaryRef::Photo(ObjectId::try_from(1).unwrap());
    for (head, sent) in [
        ("Content-Type: text/html\r\n", picture.to_vec()),
        ("Content-Type: image/png\r\n", picture.to_vec()),
        (
            "Content-Type: application/octet-stream\r\n",
            picture.to_vec(),
        ),
        (
            "Content-Type: image/png\r\nContent-Encoding: gzip\r\n",
            gzip(picture),
        ),
    ] {
        let got = whole(api(head, &sent).await.binary(photo).await).await;
        assert_eq!(got, ("image/png".to_owned(), picture.to_vec()), "{head}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_is_no_document() {
    for status in ["200 OK", "202 Accepted", "204 No Content"] {
        let server = Server::replying([Reply::answer(status, "", b"")]).await;
        let result = server
            .api()
            .document(Resource::User, Representation::Xml)
            .await;
        let Err(error @ ApiError::Empty { .. }) = result else {
            panic!("{result:?}")
        };
        assert!(error.to_string().contains("it is empty"), "{error}");
    }
}
