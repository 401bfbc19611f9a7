//! What `minisign` itself says of signed receipts, and what the program makes of its keys.
//!
//! `cargo xtask test` installs `minisign`. Where that is not promised by `UFORGE_EXPORT_TEST_TOOLS`, every test here is ignored, and
//! counted as such.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use tests::kit::{Site, quick};

const TOOLS: &str = "UFORGE_EXPORT_TEST_TOOLS";
/// As people type it twice.
const PASSPHRASE: &str = "correct horse";

type Test = fn();

const TESTS: [(&str, Test); 2] = [
    (
        "minisign_accepts_what_is_signed_with_its_own_key",
        plain_key,
    ),
    (
        "a_key_with_a_passphrase_is_opened_as_minisign_does",
        encrypted_key,
    ),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let has_tools = std::env::var_os(TOOLS).is_some();
    if !has_tools && !arguments.list {
        // Past the harness, which would keep it to itself.
        let _ = std::io::stderr().write_all(
            b"\nThe tests with `minisign` are NOT run: they need it. `cargo xtask test` brings it and runs all tests.\n",
        );
    }
    let trials = TESTS.map(|(name, test)| {
        let run = move || {
            test();
            Ok::<(), Failed>(())
        };
        Trial::test(name, run).with_ignored_flag(!has_tools)
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

fn site() -> Site {
    Site::new(env!("CARGO_BIN_EXE_uforge-export-under-test"), quick())
}

/// A key pair that `minisign` made: the secret and the public half.
fn key_pair(site: &Site, flags: &[&str], typed: &str) -> (PathBuf, PathBuf) {
    let [secret, public] = ["m.key", "m.pub"].map(|name| site.program.home().join(name));
    let mut command = Command::new("minisign");
    command.arg("-G").args(flags);
    command.arg("-s").arg(&secret).arg("-p").arg(&public);
    command.env("HOME", site.program.home());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("minisign is installed");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(typed.as_bytes()).expect("typed");
    drop(stdin);
    assert!(child.wait().expect("its end").success());
    (secret, public)
}

/// Whether `minisign` accepts the signature beside a file.
fn is_accepted(public: &Path, file: &Path) -> bool {
    let checked = Command::new("minisign")
        .args(["-V", "-q", "-p"])
        .arg(public)
        .arg("-m")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    checked.expect("minisign is installed").success()
}

fn export(site: &Site, secret: &Path) -> Command {
    let mut export = site.export_to("j.zip");
    export.arg("--receipt").arg(site.path("r.json"));
    export.arg("--sign-key").arg(secret);
    export
}

fn plain_key() {
    let site = site();
    let (secret, public) = key_pair(&site, &["-W"], "");
    site.program.run(export(&site, &secret)).expect_status(0);
    let receipt = site.path("r.json");
    assert!(is_accepted(&public, &receipt));
    let mut verify = site.program.command(["verify"]);
    verify
        .arg(site.path("j.zip"))
        .arg("--receipt")
        .arg(&receipt);
    verify.arg("--public-key").arg(&public);
    site.program.run(verify).expect_status(0);
    let good = fs::read(&receipt).expect("a receipt");
    let mut changed = good.clone();
    changed[good.len() / 2] ^= 1;
    fs::write(&receipt, changed).expect("written");
    assert!(!is_accepted(&public, &receipt));
}

fn encrypted_key() {
    let site = site();
    let typed = format!("{PASSPHRASE}\n{PASSPHRASE}\n");
    let (secret, public) = key_pair(&site, &[], &typed);
    let passphrase = site.program.private_file("passphrase", "another\n");
    let mut refused = export(&site, &secret);
    refused.arg("--sign-passphrase-file").arg(&passphrase);
    site.program
        .run(refused)
        .expect_status(2)
        .expect_word("does not open the secret key");
    site.program
        .private_file("passphrase", &format!("{PASSPHRASE}\n"));
    let mut signed = export(&site, &secret);
    signed.arg("--sign-passphrase-file").arg(&passphrase);
    site.program.run(signed).expect_status(0);
    assert!(is_accepted(&public, &site.path("r.json")));
}
