//! Counting in English.

use domain::jobs::Audience;
use std::time::Duration;

use domain::report::grouped;

use crate::page::words::units::Wait;

pub(super) fn plural(number: u64, one: &'static str, many: &'static str) -> &'static str {
    if number == 1 { one } else { many }
}

pub(super) fn counted(number: u64, one: &'static str, many: &'static str) -> String {
    format!("{} {}", grouped(number), plural(number, one, many))
}

pub(super) fn wait(time: Duration) -> String {
    match Wait::of(time) {
        Wait::Seconds(number) => counted(number, "second", "seconds"),
        Wait::Minutes(number) => counted(number, "minute", "minutes"),
        Wait::Hours(number) => counted(number, "hour", "hours"),
    }
}

/// For whom a campaign is.
pub(super) fn campaign_for(audience: &Audience, people: Option<u64>) -> String {
    let people = people.map(|people| counted(people, "person", "people"));
    let number = |whom: String| match &people {
        Some(people) => format!("{whom}: {people}."),
        None => format!("{whom}. How many they are is known once it is ordered."),
    };
    match audience {
        Audience::Users(people) => {
            format!("For {} by name.", counted(*people, "person", "people"))
        }
        Audience::Organization(org) => number(format!("For the members of organization {org}")),
        Audience::Everyone => number("For everybody whom UForge lists".to_owned()),
    }
}
