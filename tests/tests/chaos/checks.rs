//! What must hold after all that: the payload, how often it was fetched, the tickets, the folder.

use std::collections::BTreeMap;

use sandbox::scenario::ItemKind;
use serde_json::Value;
use tests::kit::{Bag, Key, Site};

use crate::plan::Plan;

/// Lists of this run's own tickets say something else at every time.
pub(crate) const MOVING: &str = "data/exports/";

/// What a seed came to.
pub(crate) struct Lived<'a> {
    pub(crate) site: &'a Site,
    pub(crate) plan: &'a Plan,
    pub(crate) key: &'a Key,
    pub(crate) kills: usize,
}

impl Lived<'_> {
    /// Fails where anything was lost, fetched too often or left behind.
    pub(crate) fn check(&self, expected: &BTreeMap<String, String>) {
        let (site, output) = (self.site, self.plan.output);
        assert_eq!(site.listing(), [output], "nothing is left beside the bag");
        let bag = self.bag();
        bag.check();
        bag.check_lists();
        assert_eq!(&bag.sums_without(&[MOVING]), expected);
        let export = bag.export_json();
        assert_eq!(export["outcome"], "complete");
        assert_eq!(export["failures"], Value::Array(Vec::new()));
        let mut verify = site.program.command(["verify", "--deep", "--identity"]);
        verify.arg(&self.key.file).arg(site.path(output));
        site.program.run(verify).expect_status(0);
        for (kind, resource) in [
            (ItemKind::Appliance, "appliances"),
            (ItemKind::Software, "mysoftware"),
        ] {
            for id in site.platform().items(kind) {
                self.check_thrift(resource, id);
            }
        }
        self.check_tickets(&export);
    }

    fn bag(&self) -> Bag {
        let path = self.site.path(self.plan.output);
        match self.plan.output.strip_suffix(".age") {
            Some(plain) => Bag::of_bytes(plain, self.key.open(&path)),
            None => Bag::read(&path),
        }
    }

    /// Each item is started and fetched once; once more for each kill, and for each time that something went wrong with it.
    fn check_thrift(&self, resource: &str, id: i64) {
        for request in [
            format!("POST users/*/{resource}/{id}/exports"),
            format!("GET users/*/{resource}/{id}/exports/*/downloads"),
        ] {
            let pattern = request.parse().unwrap();
            let asked = self.site.platform().count_requests(&pattern);
            let struck = self.site.platform().count_struck(&pattern);
            assert!(
                (1..=1 + self.kills + struck).contains(&asked),
                "{asked} times {request}, {struck} struck, {} kills",
                self.kills
            );
        }
    }

    /// No ticket of an appliance is left. Software has no list of tickets: one whose answer was lost stays there, and is reported.
    fn check_tickets(&self, export: &Value) {
        let platform = self.site.platform();
        let tickets = platform.tickets();
        let foreign = tickets.iter().filter(|ticket| ticket.foreign).count();
        assert_eq!(foreign, 1, "somebody else's ticket");
        let left = platform.open_tickets();
        let notes = export["notes"].to_string();
        let mut unreported = 0;
        for ticket in &left {
            assert_eq!(ticket.kind, ItemKind::Software, "{ticket:?} is left");
            let lost = format!("POST users/*/mysoftware/{}/exports", ticket.item);
            let struck = platform.count_struck(&lost.parse().unwrap());
            let same_item = left.iter().filter(|other| other.item == ticket.item);
            assert!(
                same_item.count() <= struck + self.kills,
                "{ticket:?} is left without a reason"
            );
            let reported = notes.contains(&format!("mysoftware {}", ticket.item));
            unreported += usize::from(!reported);
        }
        assert_eq!(
            unreported, 0,
            "tickets are left and not reported: {left:?}, {notes}"
        );
    }
}
