//! What may be done in few places only: looking into secrets, deciding the exit status, waiting.

use crate::tree::texts;

/// A call or type, where it may stand, and why nowhere else.
struct Rule {
    what: &'static str,
    places: &'static [&'static str],
    reason: &'static str,
}

const RULES: [Rule; 4] = [
    Rule {
        what: "expose_secret(",
        places: &[
            "crates/adapters-archive/src/signature/secret.rs",
            "crates/adapters-http/src/auth.rs",
            "crates/app-server/src/auth/gate.rs",
            "crates/app-server/src/compose/seal.rs",
            "crates/app-server/src/compose/sessions.rs",
            "crates/app-server/src/runner/registry.rs",
        ],
        reason: "a secret is looked into where it is sent, sealed or compared, or opens a key, nowhere else",
    },
    Rule {
        what: "ExitCode",
        places: &[
            "crates/app-cli/src/exit.rs",
            "crates/app-cli/src/lib.rs",
            "crates/app-cli/src/main.rs",
            "crates/app-server/src/exit.rs",
            "crates/app-server/src/lib.rs",
            "crates/app-server/src/main.rs",
            "crates/fleet-load/src/main.rs",
        ],
        reason: "a program's exit status is decided in one file",
    },
    Rule {
        what: "sleep(",
        places: &[
            "crates/adapters-archive/src/spool/pause.rs",
            "crates/adapters-clock/src/lib.rs",
            // Until a run that was dropped has closed its files; until a database that went away answers again, and between two
            // signals.
            "crates/adapters-store/src/files/runs.rs",
            "crates/adapters-store/src/postgres/",
            // The server, through the clock port: between two events of progress, after a connection that could not be
            // accepted, until a caller who reads nothing is cut off, between two looks for jobs whose time has come, before this
            // process records again that it is alive.
            "crates/app-server/src/api/events.rs",
            "crates/app-server/src/serve/",
            "crates/app-server/src/compose/membership.rs",
            // Until measured times are added up.
            "crates/app-server/src/metrics/registry/",
            "crates/app-server/src/runner/",
            "crates/domain/src/ports/clock.rs",
            "crates/domain/src/testing/",
            "crates/domain/src/workflow/",
            // No part of a program that is delivered: between two looks at the processes under load, and until a database answers.
            "crates/fleet-load/src/",
            // The sandbox simulates a slow network and a slow platform.
            "crates/sandbox/src/http/pause.rs",
            "crates/sandbox/src/platform/clock.rs",
        ],
        reason: "the workflow and the server wait through the clock port; one file of an adapter waits for a lock or a file system, within a second; the sandbox simulates slow servers",
    },
    Rule {
        what: "sleep_until(",
        places: &[
            // Until this process's next request may be sent, and until slots are asked for again.
            "crates/app-server/src/rate.rs",
            "crates/app-server/src/slots/run.rs",
        ],
        reason: "a process among many waits for its turn before a request is made, nowhere else",
    },
];

#[test]
fn special_things_are_done_in_their_places_only() {
    let mut found = Vec::new();
    for text in texts(&[".rs"]) {
        if !text.path.starts_with("crates/") {
            continue;
        }
        let product = product_code(&text.content);
        for rule in &RULES {
            let allowed = rule.places.iter().any(|place| text.path.starts_with(place));
            if !allowed && !is_for_tests(&text.path) && product.contains(rule.what) {
                found.push(format!("  {}: `{}`: {}", text.path, rule.what, rule.reason));
            }
        }
    }
    assert!(
        found.is_empty(),
        "in the wrong place:\n{}",
        found.join("\n")
    );
}

fn is_for_tests(path: &str) -> bool {
    let names = ["/tests/", "/testing", "/test_kit", "tests.rs", "/bench.rs"];
    names.iter().any(|name| path.contains(name))
}

/// The file without its unit tests, which stand at its end, and without comments.
fn product_code(content: &str) -> String {
    let before_tests = content.split("#[cfg(test)]\nmod tests {").next();
    let lines = before_tests.unwrap_or_default().lines();
    let code = lines.filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}
