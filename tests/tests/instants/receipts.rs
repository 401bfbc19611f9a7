//! Kills between the bag's name and the end of its receipt: the same command always ends with the receipt of that bag.

use std::process::Command;

use libtest_mimic::{Failed, Trial};
use sandbox::Platform;
use serde_json::Value;
use tests::kit::{Key, Signer, Site};

use super::{File, Instant, check_tickets, instant, killed_in, site};

const RENAMES: &str = "rename,renameat,renameat2,link,linkat";
const SIGNATURE: &str = ".r.json.minisig.uforge-receipt";
const RECEIPT: &str = ".r.json.uforge-receipt";

const INSTANTS: [Instant; 7] = [
    instant(
        "as_the_bag_is_given_its_name",
        RENAMES,
        File::UnfinishedRun,
        1,
    ),
    instant(
        "as_the_signature_is_written",
        "write",
        File::Beside(SIGNATURE),
        1,
    ),
    instant(
        "as_the_signature_is_given_its_name",
        RENAMES,
        File::Beside(SIGNATURE),
        1,
    ),
    instant(
        "as_the_receipt_is_written",
        "write",
        File::Beside(RECEIPT),
        1,
    ),
    instant(
        "as_the_receipt_is_flushed",
        "fsync",
        File::Beside(RECEIPT),
        1,
    ),
    instant(
        "as_the_receipt_is_given_its_name",
        RENAMES,
        File::Beside(RECEIPT),
        1,
    ),
    instant(
        "as_the_journal_is_removed",
        "unlink,unlinkat",
        File::Journal,
        1,
    ),
];

/// The trials of this module.
pub(super) fn trials(has_tools: bool) -> impl Iterator<Item = Trial> {
    let bags = [("j.zip", false), ("j.tar.gz.age", true)];
    bags.into_iter().flat_map(move |(name, is_encrypted)| {
        INSTANTS.into_iter().map(move |instant| {
            let title = format!("receipts::{name}::a_kill_{}", instant.name);
            Trial::test(title, move || {
                killed_at(instant, name, is_encrypted);
                Ok::<(), Failed>(())
            })
            .with_ignored_flag(!has_tools)
        })
    })
}

fn killed_at(instant: Instant, name: &str, is_encrypted: bool) {
    let site = site();
    let signer = Signer::new(&site.program, "signer", None);
    let key = Key::new(&site.program);
    let export = || {
        let mut export = export(&site, name, &signer);
        if is_encrypted {
            export.args(["--encrypt-to", &key.recipient]);
        }
        export
    };
    killed_in(&site, instant, name, &export());
    let ended = site.program.run(export()).expect_status(0);
    assert_eq!(site.listing(), [name, "r.json", "r.json.minisig"]);
    let receipt = std::fs::read(site.path("r.json")).expect("a receipt");
    let receipt: Value = serde_json::from_slice(&receipt).expect("JSON");
    let bag = std::fs::read(site.path(name)).expect("a bag");
    assert_eq!(receipt["bag"]["sha256"], Platform::sha256(&bag));
    let mut verify = site.program.command(["verify"]);
    verify.arg(site.path(name)).arg("--receipt");
    verify.arg(site.path("r.json")).arg("--public-key");
    verify.arg(&signer.public).arg("--identity").arg(&key.file);
    site.program.run(verify).expect_status(0);
    check_tickets(&site, ended);
}

fn export(site: &Site, name: &str, signer: &Signer) -> Command {
    let mut export = site.export_to(name);
    export.arg("--receipt").arg(site.path("r.json"));
    export.arg("--sign-key").arg(&signer.secret);
    export
}
