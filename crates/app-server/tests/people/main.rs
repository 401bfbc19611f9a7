//! Many people's small exports on two places: how long they take together, and that everybody gets theirs.
//!
//! `PEOPLE=200 cargo test --release -p app-server --test people -- --nocapture` prints the figures of docs/server.md.
#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too")]
#![allow(dead_code, reason = "the helpers are those of the other tests")]

#[path = "../service/bench.rs"]
mod bench;
#[path = "../service/caller.rs"]
mod caller;

use std::time::Instant;

use bench::{bench, create, quick, until};
use caller::Caller;
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread")]
async fn everybody_s_small_export_comes_to_its_end_on_two_places() {
    let people: u32 = std::env::var("PEOPLE").map_or(12, |number| number.parse().unwrap());
    let mut scenario = quick();
    scenario.data.neighbours = people;
    let password = scenario.colleague.password.clone();
    let bench = bench(scenario).await;
    let began = Instant::now();
    let exports = (1..=people).map(async |number| {
        let login = format!("neighbour-{number}");
        let person = Caller::new(bench.service.url(), &login, &password);
        let path = create(
            &person,
            r#"{"include":["profile","appliances","mysoftware"]}"#,
        )
        .await;
        let export = until(&person, &path, "ready").await;
        assert_eq!(export["outcome"], "complete", "{login}");
        assert_eq!(export["requested_by"], login);
    });
    join_all(exports).await;
    let took = began.elapsed();
    println!(
        "{people} exports of four archives each on two places: {:.1} s, {:.1} a second",
        took.as_secs_f64(),
        f64::from(people) / took.as_secs_f64()
    );
    // The sandbox has two foreign tickets at most, which nobody here may touch.
    let open = bench.forge.platform().open_tickets();
    assert!(
        open.iter()
            .all(|ticket| !ticket.owner.starts_with("neighbour")),
        "{open:?}"
    );
}
