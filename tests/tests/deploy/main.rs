//! What is in `deploy/`, held against the programs and against itself, without a container engine or a service manager.
//!
//! The unit's hardening is judged by `systemd-analyze`, which `cargo xtask test` installs; without `UFORGE_EXPORT_TEST_TOOLS` that test is
//! ignored, and counted as such. `cargo xtask image` builds the image where an engine works, `cargo xtask deb-check` tries the packages,
//! and `tests/tests/proxy/` the files of nginx and Caddy.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod chart;
mod compose;
mod dockerfile;
mod image;
mod packages;
mod settings;
mod unit;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

const TOOLS: &str = "UFORGE_EXPORT_TEST_TOOLS";

const CHECKS: [(&str, fn()); 23] = [
    (
        "image::base_images_are_pinned",
        image::base_images_are_pinned,
    ),
    (
        "image::every_source_of_a_copy_is_there",
        image::sources_are_there,
    ),
    (
        "image::the_build_stage_has_all_that_cargo_reads",
        image::cargo_reads_it,
    ),
    (
        "image::commands_can_be_parsed",
        image::commands_can_be_parsed,
    ),
    (
        "image::the_program_is_built_and_copied",
        image::program_is_built,
    ),
    (
        "image::it_is_nobody_special_and_writes_to_its_volume",
        image::is_nobody_special,
    ),
    ("image::ports_are_those_of_the_documents", image::ports),
    ("compose::images_are_pinned", compose::images_are_pinned),
    (
        "compose::containers_may_little",
        compose::containers_may_little,
    ),
    (
        "compose::only_the_proxy_is_trusted_and_published",
        compose::only_the_proxy,
    ),
    ("compose::secrets_are_files", compose::secrets_are_files),
    (
        "compose::the_health_check_asks_where_the_service_listens",
        compose::health_check,
    ),
    ("compose::many_processes_agree", compose::many_processes),
    ("chart::a_web_and_workers_are_deployed", chart::deployments),
    ("chart::processes_agree", chart::settings),
    (
        "chart::workers_scale_by_a_metric_that_exists",
        chart::scaling,
    ),
    ("unit::workers_are_like_the_service", unit::workers),
    (
        "unit::starts_the_program_of_the_package",
        unit::starts_the_program,
    ),
    (
        "unit::stops_and_starts_as_the_service_promises",
        unit::stops_and_starts,
    ),
    (
        "packages::what_they_hold_is_there",
        packages::what_they_hold_is_there,
    ),
    (
        "packages::scripts_can_be_parsed_and_name_one_user",
        packages::scripts,
    ),
    (
        "settings::the_example_holds_flags_of_the_service",
        settings::example_holds_flags,
    ),
    (
        "settings::variables_are_those_of_the_service",
        settings::variables_are_known,
    ),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let has_tools = std::env::var_os(TOOLS).is_some();
    let mut trials: Vec<Trial> = CHECKS
        .into_iter()
        .map(|(name, check)| trial(name, check))
        .collect();
    let hardening = trial("unit::is_hardened", unit::is_hardened);
    trials.push(hardening.with_ignored_flag(!has_tools));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, check: fn()) -> Trial {
    Trial::test(name, move || {
        check();
        Ok(())
    })
}

/// The workspace's folder.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("a workspace").to_owned()
}

fn read(path: &str) -> String {
    let whole = root().join(path);
    std::fs::read_to_string(&whole).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether an image is named with a version, so that it is the same tomorrow.
fn is_pinned(image: &str) -> bool {
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    let version = tag.split('-').next().unwrap_or_default();
    let version = version.strip_prefix('v').unwrap_or(version);
    let numbers: Vec<&str> = version.split('.').collect();
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    numbers.len() >= 2 && numbers.iter().all(is_number)
}

/// Fails unless a shell can parse this.
fn parse_shell(script: &str) {
    let parsed = std::process::Command::new("sh")
        .args(["-n", "-c", script])
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&parsed.stderr);
    assert!(parsed.status.success(), "{said}\n{script}");
}
