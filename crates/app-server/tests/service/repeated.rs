//! A campaign that takes what has not changed from each person's last archive, and that archive is damaged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sandbox::OutputFormat;
use sandbox::scenario::ItemKind;
use serde_json::{Value, json};

use crate::bench::{Bench, bench_with, quick};
use crate::caller::Caller;

const SECTIONS: [&str; 3] = ["profile", "appliances", "mysoftware"];

async fn bench() -> Bench {
    let scenario = quick();
    let administrator = domain::model::UserId::parse(&scenario.administrator.login).unwrap();
    bench_with(scenario, |settings| {
        settings.administrators.push(administrator);
    })
    .await
}

/// Orders a campaign for the user and waits for its end. Gives the record of the only export.
async fn exported(root: &Caller, login: &str, format: &str) -> Value {
    let order = json!({"users": [login], "include": SECTIONS, "format": format, "since": "last"});
    let headers = [("content-type", "application/json")];
    let path = "/api/v1/campaigns";
    let ordered = root.send("POST", path, &headers, &order.to_string()).await;
    assert_eq!(ordered.status, 202);
    let path = &ordered.headers["location"];
    loop {
        let campaign = root.get(path).await.json();
        if campaign["state"] == "done" {
            assert_eq!(campaign["counts"], json!({"ready": 1}));
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let report = root.get(&format!("{path}/report")).await.json();
    assert_eq!(report["rows"][0]["missing"], json!([]), "{report}");
    let export = report["rows"][0]["export"].as_str().unwrap().to_owned();
    let record = root.get(&format!("/api/v1/exports/{export}")).await.json();
    assert_eq!(record["outcome"], "complete", "{record:#}");
    record
}

/// The file of an export's archive.
fn file(bench: &Bench, record: &Value) -> PathBuf {
    let bags = bench.folder.path().join("data/bags");
    let folder = bags.join(record["id"].as_str().unwrap());
    let mut files = std::fs::read_dir(folder).unwrap();
    files.next().unwrap().unwrap().path()
}

/// Flips a bit in the archive of an appliance.
fn damage(bench: &Bench, path: &Path, id: i64) {
    let platform = bench.forge.platform();
    let archive = platform.archive_content(ItemKind::Appliance, id, OutputFormat::Yaml);
    let archive = archive.unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let mut places = bytes.windows(archive.len());
    let at = places.position(|part| part == archive).unwrap();
    bytes[at + archive.len() / 2] ^= 4;
    std::fs::write(path, bytes).unwrap();
}

/// Items that were taken from the earlier archive. None is missing or incomplete.
fn reused(record: &Value) -> Vec<i64> {
    let items = record["report"]["items"].as_array().unwrap().iter();
    let items = items.filter(|item| item["section"] != "profile");
    let items: Vec<&Value> = items.collect();
    assert_eq!(items.len(), 4);
    assert!(items.iter().all(|item| item["status"] == "complete"));
    let taken = items.iter().filter(|item| item["reused_from"].is_object());
    taken.map(|item| item["id"].as_i64().unwrap()).collect()
}

fn notes(record: &Value) -> String {
    record["notes"].to_string()
}

#[tokio::test]
async fn one_flipped_bit_in_the_last_archive_costs_one_export_and_is_reported() {
    for format in ["tar", "zip"] {
        let bench = bench().await;
        let root = bench.administrator();
        let login = bench.forge.platform().scenario().user.login.clone();
        let first = exported(&root, &login, format).await;
        assert_eq!(reused(&first), [0_i64; 0]);
        let second = exported(&root, &login, format).await;
        assert_eq!(reused(&second), [201, 202, 301, 302]);
        assert_eq!(notes(&second), "[]");
        damage(&bench, &file(&bench, &second), 202);
        let third = exported(&root, &login, format).await;
        assert_eq!(reused(&third), [201, 301, 302], "{format}");
        let said = "was not taken from `";
        assert!(notes(&third).contains(said), "{}", notes(&third));
        let fourth = exported(&root, &login, format).await;
        assert_eq!(reused(&fourth), [201, 202, 301, 302]);
        assert!(bench.forge.platform().open_tickets().is_empty());
    }
}

/// What says what is in it is damaged, or its end is missing, or all of it.
#[tokio::test]
async fn a_last_archive_that_cannot_be_read_costs_a_whole_export_and_is_reported() {
    for (number, format) in ["tar", "zip", "tar"].into_iter().enumerate() {
        let bench = bench().await;
        let root = bench.administrator();
        let login = bench.forge.platform().scenario().user.login.clone();
        let first = exported(&root, &login, format).await;
        let path = file(&bench, &first);
        let bytes = std::fs::read(&path).unwrap();
        match number {
            0 => {
                let mut bytes = bytes;
                let said = br#""format":"uforge-export/1""#;
                let alike = br#""format": "uforge-export/1""#;
                let mut at = bytes.windows(said.len()).position(|part| part == said);
                at = at.or_else(|| bytes.windows(alike.len()).position(|part| part == alike));
                bytes[at.unwrap()] = b'?';
                std::fs::write(&path, bytes).unwrap();
            }
            1 => std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap(),
            _ => std::fs::remove_file(&path).unwrap(),
        }
        let second = exported(&root, &login, format).await;
        assert_eq!(reused(&second), [0_i64; 0]);
        let said = "so that everything was exported";
        assert!(notes(&second).contains(said), "{}", notes(&second));
    }
}
