//! Exports from the request to the archive.

use domain::model::{OutputFormat, Representation, Sha256};
use sandbox::scenario::ItemKind;

use crate::bag::unpack;
use crate::bench::{bench, create, endless, quick, until};
use crate::caller::Caller;

/// The sections that a bag is incomplete without.
const CORE: &str = r#"{"include":["profile","appliances","mysoftware","cloud-accounts"]}"#;

#[tokio::test]
async fn an_archive_holds_what_the_platform_has_byte_for_byte_and_leaves_no_ticket() {
    let bench = bench(quick()).await;
    let user = bench.user();
    let path = create(&user, CORE).await;
    let export = until(&user, &path, "ready").await;
    assert_eq!(export["outcome"], "complete", "{export:#}");
    assert_eq!(export["report"]["format"], "uforge-export/1");

    let archive = user.get(&format!("{path}/archive")).await;
    assert_eq!(archive.status, 200);
    let sum = Sha256::of(&archive.body).to_string();
    assert_eq!(export["archive"]["sha256"], *sum);
    assert_eq!(archive.headers["etag"], format!("\"{sum}\""));

    let files = unpack(&archive.body);
    let platform = bench.forge.platform();
    for (kind, section) in [
        (ItemKind::Appliance, "appliances"),
        (ItemKind::Software, "mysoftware"),
    ] {
        for id in platform.items(kind) {
            let content = platform
                .archive_content(kind, id, OutputFormat::Yaml)
                .unwrap();
            let folder = format!("data/{section}/{id}-");
            let kept = files
                .iter()
                .find(|(name, _)| name.starts_with(&folder) && name.ends_with("/archive.tar.gz"));
            assert_eq!(*kept.unwrap().1, content, "{kind:?} {id}");
        }
    }
    let login = &platform.scenario().user.login;
    let profile = platform.document(&format!("users/{login}"), Representation::Xml);
    assert_eq!(files["data/profile/user.xml"], profile.unwrap());
    assert_eq!(platform.open_tickets(), []);
}

#[tokio::test]
async fn the_report_of_the_record_is_the_one_in_the_bag() {
    let bench = bench(quick()).await;
    let user = bench.user();
    let path = create(&user, r#"{"include":["profile"]}"#).await;
    let export = until(&user, &path, "ready").await;
    let archive = user.get(&format!("{path}/archive")).await;
    let report: serde_json::Value =
        serde_json::from_slice(&unpack(&archive.body)["export.json"]).unwrap();
    assert_eq!(export["report"], report);
}

#[tokio::test]
async fn somebody_else_s_export_is_not_there() {
    let bench = bench(quick()).await;
    let user = bench.user();
    let path = create(&user, r#"{"include":["profile"]}"#).await;
    until(&user, &path, "ready").await;
    let colleague = bench.colleague();
    for path in [path.clone(), format!("{path}/archive")] {
        let answer = colleague.get(&path).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json()["type"], "/problems/unknown-export");
    }
    assert_eq!(colleague.delete(&path).await.status, 404);
    let list = colleague.get("/api/v1/exports").await.json();
    assert_eq!(list["exports"], serde_json::json!([]));
    assert_eq!(user.get(&path).await.json()["state"], "ready");
}

#[tokio::test]
async fn a_wrong_password_is_refused_by_the_platform_s_word() {
    let bench = bench(quick()).await;
    let login = &bench.forge.platform().scenario().user.login;
    let stranger = Caller::new(bench.service.url(), login, "wrong");
    let refused = stranger.post("{}").await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    assert_eq!(
        refused.headers["www-authenticate"],
        r#"Basic realm="UForge", charset="UTF-8""#
    );
}

#[tokio::test]
async fn somebody_else_s_data_is_given_to_whom_the_platform_gives_it() {
    let bench = bench(quick()).await;
    let login = bench.forge.platform().scenario().user.login.clone();
    let body = format!(r#"{{"user":"{login}","include":["profile"]}}"#);

    let administrator = bench.administrator();
    let path = create(&administrator, &body).await;
    let export = until(&administrator, &path, "ready").await;
    assert_eq!(export["user"], *login);

    let colleague = bench.colleague();
    assert_eq!(colleague.post(&body).await.status, 403);
    assert_eq!(bench.user().get(&path).await.status, 404);
}

#[tokio::test]
async fn an_archive_is_fetched_in_parts_and_gone_once_deleted() {
    let bench = bench(quick()).await;
    let user = bench.user();
    let path = create(&user, r#"{"include":["profile"],"format":"tar"}"#).await;
    until(&user, &path, "ready").await;
    let archive = format!("{path}/archive");
    let whole = user.get(&archive).await;
    assert_eq!(whole.headers["content-type"], "application/x-tar");
    let etag = whole.headers["etag"].as_str();

    let mut joined = Vec::new();
    for range in ["bytes=0-999", "bytes=1000-"] {
        let headers = [("range", range), ("if-range", etag)];
        let part = user.send("GET", &archive, &headers, "").await;
        assert_eq!(part.status, 206);
        joined.extend(part.body);
    }
    assert_eq!(joined, whole.body);
    let other = [("range", "bytes=5-9"), ("if-range", "\"another\"")];
    let again = user.send("GET", &archive, &other, "").await;
    assert_eq!((again.status, again.body), (200, whole.body));

    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(user.get(&archive).await.status, 410);
    let record = user.get(&path).await.json();
    assert_eq!(record["state"], "deleted");
    // The two parts are one download.
    assert_eq!(record["downloads_total"], 3);
    assert_eq!(bench.folders(), 0);
}

#[tokio::test]
async fn a_cancelled_export_leaves_no_ticket_on_the_platform_and_no_file_here() {
    let bench = bench(endless()).await;
    let user = bench.user();
    let path = create(&user, "{}").await;
    bench.until_tickets().await;
    let early = user.get(&format!("{path}/archive")).await;
    assert_eq!(early.status, 409);
    assert!(early.headers.contains_key("retry-after"));

    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(bench.forge.platform().open_tickets(), []);
    assert_eq!(bench.folders(), 0);
    assert_eq!(user.get(&path).await.json()["state"], "cancelled");
    assert_eq!(user.get(&format!("{path}/archive")).await.status, 410);
}

#[tokio::test]
async fn an_item_that_fails_is_named_and_the_rest_is_there() {
    use sandbox::scenario::{ItemFault, ItemScenario, Times};
    let scenario = quick().with_item(ItemScenario::new(ItemKind::Appliance, 201).with_fault(
        ItemFault::StartRefused {
            status: 403,
            times: Times::Always,
        },
    ));
    let bench = bench(scenario).await;
    let user = bench.user();
    let path = create(&user, r#"{"include":["appliances"]}"#).await;
    let export = until(&user, &path, "ready").await;
    assert_eq!(export["outcome"], "partial");
    assert_eq!(export["report"]["failures"][0]["id"], 201, "{export:#}");
    assert_eq!(export["report"]["failures"][0]["stage"], "start");
}
