//! What must hold after all that: the payload, how often it was fetched, the tickets, the folder.

use std::collections::BTreeMap;

use sandbox::scenario::ItemKind;
use serde_json::Value;
use tests::kit::{Bag, Site};

/// Lists of this run's own tickets say something else at every time.
pub(crate) const MOVING: &str = "data/exports/";

/// Fails where anything was lost, fetched too often or left behind.
#[track_caller]
pub(crate) fn check(site: &Site, output: &str, kills: usize, expected: &BTreeMap<String, String>) {
    assert_eq!(site.listing(), [output], "nothing is left beside the bag");
    let bag = Bag::read(&site.path(output));
    bag.check();
    assert_eq!(&bag.sums_without(&[MOVING]), expected);
    let export = bag.export_json();
    assert_eq!(export["outcome"], "complete");
    assert_eq!(export["failures"], Value::Array(Vec::new()));
    let mut verify = site.program.command(["verify", "--deep"]);
    verify.arg(site.path(output));
    site.program.run(verify).expect_status(0);
    for (kind, resource) in [
        (ItemKind::Appliance, "appliances"),
        (ItemKind::Software, "mysoftware"),
    ] {
        for id in site.platform().items(kind) {
            check_thrift(site, resource, id, kills);
        }
    }
    check_tickets(site, &export, kills);
}

/// Each item is started and fetched once; once more for each kill, and for each time that something went wrong with it.
#[track_caller]
fn check_thrift(site: &Site, resource: &str, id: i64, kills: usize) {
    for request in [
        format!("POST users/*/{resource}/{id}/exports"),
        format!("GET users/*/{resource}/{id}/exports/*/downloads"),
    ] {
        let pattern = request.parse().unwrap();
        let asked = site.platform().count_requests(&pattern);
        let struck = site.platform().count_struck(&pattern);
        assert!(
            (1..=1 + kills + struck).contains(&asked),
            "{asked} times {request}, {struck} struck, {kills} kills"
        );
    }
}

/// No ticket of an appliance is left. Software has no list of tickets: one whose answer was lost stays there, and is told;
/// where a kill came before the telling, it may be untold.
#[track_caller]
fn check_tickets(site: &Site, export: &Value, kills: usize) {
    let tickets = site.platform().tickets();
    let foreign = tickets.iter().filter(|ticket| ticket.foreign).count();
    assert_eq!(foreign, 1, "somebody else's ticket");
    let left = site.platform().open_tickets();
    let notes = export["notes"].to_string();
    let mut untold = 0;
    for ticket in &left {
        assert_eq!(ticket.kind, ItemKind::Software, "{ticket:?} is left");
        let lost = format!("POST users/*/mysoftware/{}/exports", ticket.item);
        let struck = site.platform().count_struck(&lost.parse().unwrap());
        let of_item = left
            .iter()
            .filter(|other| other.item == ticket.item)
            .count();
        assert!(
            of_item <= struck + kills,
            "{ticket:?} is left without a reason"
        );
        let told = notes.contains(&format!("mysoftware {}", ticket.item));
        untold += usize::from(!told);
    }
    assert!(
        untold <= kills,
        "{untold} tickets are left and untold: {left:?}, {notes}"
    );
}
