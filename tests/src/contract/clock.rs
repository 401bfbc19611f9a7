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
