//! The HTTP adapter against the sandbox on a socket, and the sandbox in process.

use std::time::Duration;

use domain::ports::UserDataApi;
use sandbox::{InProcess, Platform, Scenario};
use tests::contract::user_data_api as suite;
use tests::kit;

/// Exports that end soon, but not at once.
fn scenario() -> Scenario {
    let mut scenario = Scenario::default();
    scenario.timing.export_millis = 60;
    scenario
}

async fn every_promise(api: &dyn UserDataApi) {
    suite::the_platform_says_its_version(api).await;
    suite::facts_come_with_the_xml(api).await;
    suite::every_list_can_be_read(api).await;
    suite::what_is_not_there_is_not_found(api).await;
    suite::an_export_runs_its_course(api, &|| {
        Box::pin(tokio::time::sleep(Duration::from_millis(5)))
    })
    .await;
    suite::a_download_before_the_end_fails(api).await;
    suite::open_tickets_and_their_statuses_are_listed(api).await;
}

#[tokio::test]
async fn the_http_adapter_keeps_its_promises() {
    let platform = kit::start(scenario()).await;
    every_promise(&kit::api_for(&platform)).await;
}

#[tokio::test]
async fn the_platform_in_process_keeps_its_promises() {
    every_promise(&InProcess::new(Platform::new(scenario()))).await;
}
