//! The system's clock, the sandbox's, the hasty one of the kit, and those of tests.

use adapters_clock::SystemClock;
use domain::testing::{ManualClock, SimClock};
use tests::contract::clock::every_promise;
use tests::kit::HastyClock;

#[tokio::test]
async fn the_system_clock_keeps_its_promises() {
    every_promise(&SystemClock::start()).await;
}

#[tokio::test]
async fn the_sandbox_s_clock_keeps_its_promises() {
    every_promise(&sandbox::SystemClock::start()).await;
}

#[tokio::test]
async fn the_hasty_clock_keeps_its_promises() {
    every_promise(&HastyClock::running(50)).await;
}

#[tokio::test]
async fn the_clock_that_a_test_sets_keeps_its_promises() {
    every_promise(&ManualClock::default()).await;
}

#[test]
fn the_simulated_clock_keeps_its_promises() {
    let time = SimClock::default();
    time.run(every_promise(&time));
}
