//! The promises of [`Clock`].

use std::time::Duration;

use domain::ports::Clock;

/// A sleep takes at least as long as was asked for, by the clock's own measure.
pub async fn a_sleep_is_never_too_short(clock: &dyn Clock) {
    for millis in [0, 1, 20] {
        let before = clock.elapsed();
        clock.sleep(Duration::from_millis(millis)).await;
        assert!(clock.elapsed() >= before + Duration::from_millis(millis));
    }
}

/// Elapsed time never goes back.
pub async fn elapsed_time_never_goes_back(clock: &dyn Clock) {
    let mut last = clock.elapsed();
    for _ in 0..100 {
        clock.sleep(Duration::ZERO).await;
        let now = clock.elapsed();
        assert!(now >= last);
        last = now;
    }
}

/// The time of day is a time of these years, and does not stand still for good.
pub async fn the_time_of_day_is_one(clock: &dyn Clock) {
    let first = clock.now();
    assert!(first > "2020-01-01T00:00:00Z".parse().expect("a time"));
    while clock.now() == first {
        clock.sleep(Duration::from_millis(1)).await;
    }
}

/// A sleep that nobody waits for any more holds nothing up.
pub async fn a_dropped_sleep_is_forgotten(clock: &dyn Clock) {
    drop(clock.sleep(Duration::from_secs(100_000)));
    let before = clock.elapsed();
    clock.sleep(Duration::from_millis(1)).await;
    assert!(clock.elapsed() < before + Duration::from_secs(100_000));
}

/// Every promise, one after the other.
pub async fn every_promise(clock: &dyn Clock) {
    a_sleep_is_never_too_short(clock).await;
    elapsed_time_never_goes_back(clock).await;
    the_time_of_day_is_one(clock).await;
    a_dropped_sleep_is_forgotten(clock).await;
}
