//! A secret is in no log, no message, no command line.

use std::fs;
use std::process::Command;

use sandbox::scenario::{Fault, ItemFault, ItemKind, ItemScenario, Times};
use tests::kit::{Site, quick};

use crate::sign_in::{with_environment, with_keys, with_official_file};
use crate::site;

/// Runs a command with everything logged; its words and its command line must not hold what nobody may see.
fn check(site: &Site, mut command: Command, secrets: &[&str]) {
    command.args(["-v", "--log", "trace", "-o"]);
    command.arg(site.path("j.zip")).arg("--force");
    let mut child = site.program.spawn(command);
    let id = child.id();
    assert!(child.wait_until(|| site.platform().requests_in_all() > 0));
    let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap();
    let arguments = String::from_utf8_lossy(&arguments).into_owned();
    let ended = child.wait();
    assert!(matches!(ended.status, Some(0 | 3)), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("DEBUG"),
        "everything is logged:\n{}",
        ended.stderr
    );
    for secret in secrets {
        for text in [&arguments, &ended.stderr, &ended.out()] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "`{secret}` is shown");
        }
    }
}

/// Base64 as RFC 4648 has it: what Basic authentication sends.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |index: usize| u32::from(*three.get(index).unwrap_or(&0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4_usize {
            let index = (bits >> (18 - 6 * place)) & 63;
            let filled = place <= three.len();
            text.push(if filled {
                char::from(ALPHABET[index as usize])
            } else {
                '='
            });
        }
    }
    text
}

/// A platform with something to complain about.
fn troubled() -> Site {
    let refused = ItemFault::StartRefused {
        status: 500,
        times: Times::Always,
    };
    let scenario = quick()
        .with_item(ItemScenario::new(ItemKind::Appliance, 202).with_fault(refused))
        .with_fault(
            "GET users/*/roles".parse().unwrap(),
            Times::First(1),
            Fault::Reset,
        )
        .with_fault(
            "GET users/*/scans".parse().unwrap(),
            Times::First(1),
            Fault::HtmlLogin,
        );
    site(scenario)
}

#[test]
fn the_password_is_shown_nowhere() {
    let site = troubled();
    let announced = site.announcement();
    let header = base64(format!("{}:{}", announced.user, announced.password).as_bytes());
    let secrets = [announced.password.as_str(), &header];
    check(&site, site.export(), &secrets);
    check(&site, with_environment(&site), &secrets);
    check(&site, with_official_file(&site), &secrets);
}

#[test]
fn the_secret_key_and_its_signatures_are_shown_nowhere() {
    let site = troubled();
    let secrets = [site.announcement().secretkey, "signature=".to_owned()];
    check(&site, with_keys(&site), &[&secrets[0], &secrets[1]]);
}

#[test]
fn no_secret_of_the_data_is_shown() {
    let site = troubled();
    let secrets = site.platform().secrets();
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let long: Vec<&str> = secrets
        .into_iter()
        .filter(|secret| secret.len() > 7)
        .collect();
    assert!(long.len() > 20);
    check(&site, site.export(), &long);
}
