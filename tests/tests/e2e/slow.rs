//! Platforms on which one item of a run takes long, and what they were asked.

use sandbox::Scenario;
use sandbox::scenario::{Fault, ItemFault, ItemKind, ItemScenario, Times};
use tests::kit::{Site, quick};

/// The first export of appliance 202 ends when the test lets it.
pub(crate) fn long_wait() -> Scenario {
    let mut scenario = quick();
    scenario.timing.slots = 8;
    let times = Times::First(1);
    let item = ItemScenario::new(ItemKind::Appliance, 202);
    scenario.with_item(item.with_fault(ItemFault::NeverCompletes { times }))
}

/// The archive of appliance 202 comes at walking pace the first time.
pub(crate) fn long_download() -> Scenario {
    quick().with_fault(
        "GET users/*/appliances/202/exports/*/downloads"
            .parse()
            .unwrap(),
        Times::First(1),
        Fault::Slow {
            bytes_per_second: 4_000,
        },
    )
}

/// How many requests of this pattern came.
pub(crate) fn asked(site: &Site, pattern: &str) -> usize {
    site.platform().count_requests(&pattern.parse().unwrap())
}
