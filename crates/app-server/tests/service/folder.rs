//! The data folder: whose it is, and what is never touched.

use std::fs::{Permissions, create_dir, metadata, read_dir, set_permissions, write};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use crate::bench::{bench, create, quick, until};
use crate::process::Start;

const NOWHERE: &str = "http://127.0.0.1:9/api";

fn folder(path: &Path, mode: u32) {
    create_dir(path).unwrap();
    set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn a_folder_that_is_not_the_service_s_own_is_refused_and_left_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    let full = place.path().join("full");
    folder(&full, 0o755);
    write(full.join("photo.jpg"), "dear to somebody").unwrap();
    let open = place.path().join("open");
    folder(&open, 0o777);
    let target = place.path().join("target");
    folder(&target, 0o755);
    let link = place.path().join("link");
    symlink(&target, &link).unwrap();
    let foreign = place.path().join("foreign");
    folder(&foreign, 0o755);
    // Only root can give a folder away; whoever else runs this tests the rest.
    let is_given = chown(&foreign, Some(12_345), None).is_ok();
    let mut refused = vec![(&full, 0o755, 1), (&open, 0o777, 0), (&link, 0o755, 0)];
    if is_given {
        refused.push((&foreign, 0o755, 0));
    }
    for (path, before, entries) in refused {
        let (status, said) = Start::new(NOWHERE, path).refused().await;
        assert_eq!(status, Some(2), "{said}");
        assert_eq!(mode(path), before, "{}", path.display());
        assert_eq!(read_dir(path).unwrap().count(), entries);
    }
}

#[tokio::test]
async fn links_in_a_folder_of_the_service_are_not_followed() {
    for name in [
        "jobs.sqlite",
        "bags",
        "work",
        "lock",
        "uforge-export-server",
    ] {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        let start = Start::new(NOWHERE, &data);
        assert_eq!(start.run().await.terminate().await.0, Some(0));
        let dear = place.path().join("dear");
        let found = data.join(name);
        std::fs::rename(&found, &dear).unwrap();
        let before = metadata(&dear).unwrap().modified().unwrap();
        symlink(&dear, &found).unwrap();
        let (status, said) = start.refused().await;
        assert_eq!(status, Some(2), "{name} {said}");
        assert_eq!(
            metadata(&dear).unwrap().modified().unwrap(),
            before,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_folder_serves_one_server_at_a_time() {
    let place = tempfile::tempdir().unwrap();
    let start = Start::new(NOWHERE, &place.path().join("data"));
    let first = start.run().await;
    let (status, said) = start.refused().await;
    assert_eq!(status, Some(1));
    assert!(said.contains("another service is using"), "{said}");
    assert_eq!(first.terminate().await.0, Some(0));
}

/// With a new database, archives would be files without a record.
#[tokio::test]
async fn archives_whose_database_is_lost_are_kept() {
    let bench = bench(quick()).await;
    let user = bench.user();
    let path = create(&user, "").await;
    until(&user, &path, "ready").await;
    let data = bench.folder.path().join("data");
    let (database, away) = (data.join("jobs.sqlite"), data.join("away"));
    assert_eq!(user.get("/readyz").await.status, 200);
    std::fs::rename(&database, &away).unwrap();
    assert_eq!(user.get("/readyz").await.status, 503);
    std::fs::rename(&away, &database).unwrap();
    assert_eq!(user.get("/readyz").await.status, 200);
    write(&away, "another one").unwrap();
    std::fs::rename(&away, &database).unwrap();
    assert_eq!(user.get("/readyz").await.status, 503);
    bench.service.shutdown().await;

    let id = path.rsplit_once('/').unwrap().1;
    let archives = data.join("bags").join(id);
    assert_eq!(read_dir(&archives).unwrap().count(), 1);
    for name in ["jobs.sqlite", "jobs.sqlite-wal", "jobs.sqlite-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    let (status, said) = Start::new(NOWHERE, &data).refused().await;
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("jobs.sqlite"), "{said}");
    assert!(!database.exists());
    assert_eq!(read_dir(&archives).unwrap().count(), 1);
    std::fs::rename(data.join("bags"), data.join("away")).unwrap();
    let process = Start::new(NOWHERE, &data).run().await;
    assert_eq!(process.terminate().await.0, Some(0));
}

#[tokio::test]
async fn a_server_is_ready_without_its_platform() {
    let place = tempfile::tempdir().unwrap();
    let start = Start::new(NOWHERE, &place.path().join("data"));
    let process = start.run().await;
    let caller = crate::caller::Caller::new(&process.url, "", "");
    let answer = loop {
        // Until it has been asked, the state of the platform is unknown.
        let answer = caller.get("/readyz").await;
        assert_eq!(answer.status, 200);
        if answer.json()["platform"] != "unknown" {
            break answer.json();
        }
    };
    assert_eq!(answer["platform"], "unreachable");
    assert_eq!(answer["status"], "ready");
    assert_eq!(process.terminate().await.0, Some(0));
}
