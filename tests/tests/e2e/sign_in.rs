//! Every way to sign in brings the same payload.

use std::process::Command;

use tests::kit::{Bag, Site, quick};

use crate::site;

/// Lists of this run's own tickets say something else at every time.
const MOVING: &str = "data/exports/";

/// `export` with an API key pair.
pub(crate) fn with_keys(site: &Site) -> Command {
    let announced = site.announcement();
    let secret = site.program.private_file("secret", &announced.secretkey);
    let mut command = site.program.command(["export", "-a", &announced.url]);
    command.args(["-u", &announced.user, "-k", &announced.publickey]);
    command.arg("--secretkey-file").arg(secret);
    command
}

/// `export` with a credentials file of the official client.
pub(crate) fn with_official_file(site: &Site) -> Command {
    let announced = site.announcement();
    let text = format!(
        "user: {}\npassword: {}\nurl: {}\n",
        announced.user, announced.password, announced.url
    );
    let file = site.program.private_file("credentials.yml", &text);
    let mut command = site.program.command(["export", "-c"]);
    command.arg(file);
    command
}

/// `export` with all that it needs in its environment.
pub(crate) fn with_environment(site: &Site) -> Command {
    let announced = site.announcement();
    let mut command = site.program.command(["export"]);
    command
        .env("UFORGE_URL", announced.url)
        .env("UFORGE_USER", announced.user)
        .env("UFORGE_PASSWORD", announced.password);
    command
}

/// `export` of somebody else's data.
fn as_administrator(site: &Site, flags: &[&str]) -> Command {
    let administrator = &site.platform().scenario().administrator;
    let password = site.program.private_file("master", &administrator.password);
    let announced = site.announcement();
    let mut command = site.program.command(["export", "-a", &announced.url]);
    command.args(["-u", &administrator.login, "--as", &announced.user]);
    command.arg("--password-file").arg(password).args(flags);
    command
}

#[test]
fn every_way_to_sign_in_brings_the_same_payload() {
    let site = site(quick());
    site.program.run(site.export_to("a.zip")).expect_status(0);
    let expected = Bag::read(&site.path("a.zip")).sums_without(&[MOVING]);
    for (name, mut command) in [
        ("keys.zip", with_keys(&site)),
        ("official.zip", with_official_file(&site)),
        ("environment.zip", with_environment(&site)),
        ("administrator.zip", as_administrator(&site, &[])),
        ("supervisor.zip", as_administrator(&site, &["--supervisor"])),
    ] {
        command.arg("-o").arg(site.path(name));
        site.program.run(command).expect_status(0);
        let bag = Bag::read(&site.path(name));
        assert_eq!(bag.sums_without(&[MOVING]), expected, "{name}");
    }
    site.check_no_ticket_left();
}
