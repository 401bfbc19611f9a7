//! The whole program: a real process, real sockets, real files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod against;
mod complete;
mod encryption;
mod failures;
mod fallback;
mod front_ends;
mod import_faults;
mod imports;
mod interrupt;
mod memory;
mod names;
mod places;
mod portability;
mod process;
mod receipt_checks;
mod receipts;
mod refusals;
mod reports;
mod resume;
mod secrets;
mod settings;
mod sign_in;
mod since;
mod slow;
mod verify;
mod views;

use sandbox::Scenario;
use tests::kit::Site;

/// A platform, the program and a folder for its bag.
fn site(scenario: Scenario) -> Site {
    Site::new(env!("CARGO_BIN_EXE_uforge-export-under-test"), scenario)
}
