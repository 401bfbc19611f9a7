use axum::body::Body;
use axum::http::StatusCode;
use domain::jobs::{AuditAction, AuditPage};
use domain::model::Sha256;
use serde_json::{Value, json};

use super::bench::{basic, bench};
use crate::testing::BAG;

#[tokio::test]
async fn a_receipt_is_offered_to_its_owner_also_when_the_archive_is_gone() {
    let bench = bench().await;
    let path = bench.ready().await;
    let export = bench.ask("GET", &path).await.json();
    let links = &export["links"];
    assert_eq!(links["receipt"], json!(format!("{path}/receipt")));
    assert_eq!(
        links["receipt_signature"],
        json!(format!("{path}/receipt.minisig"))
    );
    for state in ["ready", "deleted"] {
        bench.until(&path, state).await;
        let receipt = bench.ask("GET", &format!("{path}/receipt")).await;
        assert_eq!(receipt.status, StatusCode::OK);
        assert_eq!(receipt.header("content-type"), "application/json");
        let name = export["archive"]["name"].as_str().unwrap();
        assert_eq!(
            receipt.header("content-disposition"),
            format!("attachment; filename=\"{name}.receipt.json\"")
        );
        let said = receipt.json();
        assert_eq!(said["format"], "uforge-receipt/1");
        assert_eq!(said["requested_by"], "john");
        assert_eq!(
            said["bag"],
            json!({"name": name, "bytes": BAG.len(), "sha256": Sha256::of(BAG)})
        );
        let signature = bench.ask("GET", &format!("{path}/receipt.minisig")).await;
        assert_eq!(
            String::from_utf8(signature.body).unwrap(),
            format!("signature over {} bytes\n", receipt.body.len())
        );
        bench.ask("DELETE", &path).await;
    }
    let page = AuditPage {
        before: None,
        limit: 100,
    };
    let entries = bench.audit.page(page).await.unwrap();
    let actions: Vec<_> = entries
        .iter()
        .filter(|numbered| numbered.entry.action == AuditAction::ReceiptDownloaded)
        .collect();
    assert_eq!(actions.len(), 4);
}

#[tokio::test]
async fn nobody_else_gets_a_receipt_and_an_unfinished_export_has_none() {
    let bench = bench().await;
    let unfinished = bench.create().await;
    for file in ["receipt", "receipt.minisig"] {
        let answer = bench.ask("GET", &format!("{unfinished}/{file}")).await;
        assert_eq!(answer.problem(409), "/problems/not-ready");
        assert!(answer.headers.contains_key("retry-after"));
    }
    bench.backend.let_through(1);
    bench.until(&unfinished, "ready").await;
    for login in ["mary", "root"] {
        let request = axum::http::Request::builder()
            .uri(format!("{unfinished}/receipt"))
            .header("authorization", basic(login, "secret"))
            .body(Body::empty())
            .unwrap();
        let answer = bench.send(request).await;
        assert_eq!(answer.problem(404), "/problems/unknown-export", "{login}");
    }
    let links: Value = bench.ask("GET", &unfinished).await.json()["links"].clone();
    assert!(links["receipt"].is_string());
}
