//! The HTTP adapter against the sandbox on a socket, the sandbox in process, the decorator that records starts, and the fake platform
//! under the workflow's tests.

use std::sync::Arc;
use std::time::Duration;

use adapters_http::TrackedStarts;
use domain::model::{BinaryRef, ObjectFacts, ObjectId, OutputFormat, PartKind, PartRef};
use domain::ports::{Clock as _, UserDataApi};
use domain::testing::{FakeItem, FakePlatform, SimClock, appliance, mysoftware};
use sandbox::scenario::Ranges;
use sandbox::{InProcess, Platform, Scenario};
use tests::contract::user_data_api::{self as suite, Has};
use tests::kit;

/// Exports that end soon, but not at once.
fn scenario() -> Scenario {
    let mut scenario = Scenario::default();
    scenario.timing.export_millis = 60;
    scenario.downloads.ranges = Ranges::Honoured;
    scenario
}

fn photo(id: i64) -> BinaryRef {
    BinaryRef::Photo(ObjectId::try_from(id).expect("an id"))
}

/// The first appliance has a boot script.
fn with_boot_script(platform: FakePlatform) -> FakePlatform {
    let item = appliance(201);
    let id = ObjectId::try_from(5).expect("an id");
    let part = |path: &str, ids: &[ObjectId]| {
        let kind = PartKind::all(item.kind).find(|kind| kind.below_item() == path);
        PartRef::new(item, kind.expect("a kind"), ids).expect("as many ids")
    };
    let script = vec![ObjectFacts {
        id: Some(id.get()),
        ..ObjectFacts::default()
    }];
    platform
        .with_part(part("bootscripts", &[]), script.clone())
        .with_part(part("bootscripts/{bsid}", &[id]), script)
        .with_file(
            BinaryRef::Part(part("bootscripts/{bsid}/bin", &[id])),
            b"#!/bin/sh".to_vec(),
        )
}

/// What the sandbox's demo data have.
fn demo() -> Has {
    Has {
        photo: photo(77),
        filled_lists: true,
        ranges: true,
    }
}

async fn every_promise(api: &dyn UserDataApi) {
    suite::every_promise(api, demo(), &|| {
        Box::pin(tokio::time::sleep(Duration::from_millis(5)))
    })
    .await;
}

#[tokio::test]
async fn the_http_adapter_keeps_its_promises() {
    let platform = kit::start(scenario()).await;
    every_promise(&kit::api_for(&platform)).await;
    assert_eq!(platform.platform().open_tickets(), []);
}

#[tokio::test]
async fn the_platform_in_process_keeps_its_promises() {
    let platform = Platform::new(scenario());
    every_promise(&InProcess::new(platform.clone())).await;
    assert_eq!(platform.open_tickets(), []);
}

#[tokio::test]
async fn the_platform_that_records_starts_keeps_its_promises() {
    let api = InProcess::new(Platform::new(scenario()));
    let starts = TrackedStarts::new(Arc::new(api));
    every_promise(&starts).await;
    let started = starts
        .start_export(appliance(201), OutputFormat::Yaml)
        .await;
    let ticket = started.expect("a ticket").ticket;
    assert_eq!(starts.settle(Duration::ZERO).await, [ticket].into());
}

#[test]
fn the_fake_platform_keeps_its_promises() {
    let clock = SimClock::default();
    let items = [201, 202, 203].map(appliance).into_iter();
    let items = items.chain([mysoftware(301)]).map(FakeItem::new);
    let platform = FakePlatform::new(&clock, items)
        .with_batch()
        .with_ranges()
        .with_file(photo(77), b"a photo".to_vec());
    let platform = with_boot_script(platform);
    let has = Has {
        filled_lists: false,
        ..demo()
    };
    let pause = || {
        let clock = clock.clone();
        Box::pin(async move { clock.sleep(Duration::from_secs(1)).await }) as _
    };
    clock.run(suite::every_promise(&platform, has, &pause));
    assert_eq!(platform.tickets(), []);
}
