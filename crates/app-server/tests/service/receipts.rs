//! The receipts that the program keeps: signed, through a kill, a deletion and a backup.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use adapters_archive::VerifyingKey;
use domain::bag::receipt::BagReceipt;
use domain::model::Sha256;

use crate::bench::{create, quick, until};
use crate::caller::Caller;
use crate::process::{Process, Start, finished};

/// As `minisign -G -W` writes them.
const SECRET: &str = "untrusted comment: minisign encrypted secret key\n\
    RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAN3ML+SkoGj/WpmMOfUwJ2xd4n8/OXb113evl\
    hS3FnowoidmkvUfRouNOIUH89EPb2myWJ+Bc6LhDuREXUwu3mzvXdHBLKm57AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
const PUBLIC: &str = "untrusted comment: minisign public key 3F1A2829F90B7337\n\
    RWQ3cwv5KSgaP+NOIUH89EPb2myWJ+Bc6LhDuREXUwu3mzvXdHBLKm57\n";

struct Place {
    forge: sandbox::Running,
    folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let forge = sandbox::serve(([127, 0, 0, 1], 0).into(), quick()).await;
        let place = Self {
            forge: forge.unwrap(),
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(place.path("key"), SECRET).unwrap();
        std::fs::write(place.path("key.pub"), PUBLIC).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self, data: &str) -> Start {
        let start = Start::new(self.forge.url(), &self.path(data));
        start.with("--sign-key", self.path("key"))
    }

    fn user(&self, process: &Process) -> Caller {
        let user = &self.forge.platform().scenario().user;
        Caller::new(&process.url, &user.login, &user.password)
    }
}

async fn fetch(user: &Caller, path: &str) -> (Vec<u8>, String) {
    let receipt = user.get(&format!("{path}/receipt")).await;
    let signature = user.get(&format!("{path}/receipt.minisig")).await;
    assert_eq!((receipt.status, signature.status), (200, 200));
    (receipt.body, String::from_utf8(signature.body).unwrap())
}

#[tokio::test]
async fn a_signed_receipt_survives_a_kill_a_deletion_and_a_backup() {
    let place = Place::new().await;
    let process = place.start("data").run().await;
    let user = place.user(&process);
    let path = create(&user, "").await;
    let export = until(&user, &path, "ready").await;
    let archive = user.get(&format!("{path}/archive")).await.body;
    let (receipt, signature) = fetch(&user, &path).await;
    let key = VerifyingKey::read(&place.path("key.pub")).unwrap();
    let comment = key.check(&receipt, &signature).unwrap();
    assert!(comment.contains("\tfile:"), "{comment}");
    let read = BagReceipt::read(&receipt).unwrap();
    assert_eq!(read.bag.sha256, Sha256::of(&archive));
    assert_eq!(read.bag.bytes, archive.len() as u64);
    assert_eq!(read.export_json_sha256.to_string().len(), 64);
    let report = &export["report"];
    let files = report["files"].as_array().unwrap().len() as u64;
    assert_eq!(read.counts.files, files);
    assert_eq!(report["user"], read.user.as_str());
    process.kill().await;

    let process = place.start("data").run().await;
    let user = place.user(&process);
    assert_eq!(
        fetch(&user, &path).await,
        (receipt.clone(), signature.clone())
    );
    user.delete(&path).await;
    until(&user, &path, "deleted").await;
    assert_eq!(
        fetch(&user, &path).await,
        (receipt.clone(), signature.clone())
    );
    let (data, copy) = (place.path("data"), place.path("copy"));
    let arguments = [
        "backup",
        "--data",
        data.to_str().unwrap(),
        copy.to_str().unwrap(),
    ];
    let (status, _, said) = finished(&arguments).await;
    assert_eq!(status, Some(0), "{said}");
    process.kill().await;

    std::fs::create_dir(place.path("restored")).unwrap();
    let owner_only = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(place.path("restored"), owner_only).unwrap();
    std::fs::copy(&copy, place.path("restored/jobs.sqlite")).unwrap();
    let process = place.start("restored").run().await;
    let user = place.user(&process);
    assert_eq!(fetch(&user, &path).await, (receipt, signature));
    assert_eq!(process.terminate().await.0, Some(0));
}

#[tokio::test]
async fn a_key_that_cannot_be_opened_stops_the_start() {
    let place = Place::new().await;
    std::fs::write(place.path("key"), PUBLIC).unwrap();
    let (status, said) = place.start("data").refused().await;
    assert_eq!(status, Some(2));
    assert!(said.contains("is no secret key of minisign"), "{said}");
    std::fs::remove_file(place.path("key")).unwrap();
    let (status, said) = place.start("data").refused().await;
    assert_eq!(status, Some(2));
    assert!(said.contains("minisign -G"), "{said}");
    assert!(!place.path("data").exists());
}
