//! The real and the simulated clock.

use adapters_clock::SystemClock;
use domain::testing::SimClock;
use tests::contract::clock;

#[tokio::test]
async fn the_system_clock_keeps_its_promises() {
    clock::a_sleep_is_never_too_short(&SystemClock::start()).await;
    clock::elapsed_time_never_goes_back(&SystemClock::start()).await;
}

#[test]
fn the_simulated_clock_keeps_its_promises() {
    let time = SimClock::default();
    time.run(clock::a_sleep_is_never_too_short(&time));
    time.run(clock::elapsed_time_never_goes_back(&time));
}
