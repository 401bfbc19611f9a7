//! Numbers, sizes, dates and plurals in French.

use domain::jobs::Audience;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::page::words::units::{Size, Wait, apart};

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

pub(super) fn day(time: Timestamp) -> String {
    let date = time.to_zoned_datetime(TimeZone::UTC);
    let month = usize::try_from(date.month() - 1).ok();
    let month = month
        .and_then(|month| MONTHS.get(month))
        .copied()
        .unwrap_or_default();
    // The first of a month is an ordinal.
    let first = if date.day() == 1 { "er" } else { "" };
    format!("{}{first} {month} {}", date.day(), date.year())
}

pub(super) fn number(number: u64) -> String {
    apart(number, "\u{202f}")
}

/// Nothing and one are singular.
pub(super) fn plural(number: u64, one: &'static str, many: &'static str) -> &'static str {
    if number < 2 { one } else { many }
}

pub(super) fn counted(count: u64, one: &'static str, many: &'static str) -> String {
    format!("{} {}", number(count), plural(count, one, many))
}

pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["ko", "Mo", "Go", "To", "Po", "Eo"];
    match Size::of(bytes) {
        Size::Bytes(bytes) => format!("{bytes}\u{a0}{}", plural(bytes, "octet", "octets")),
        Size::Units {
            whole,
            tenth,
            power,
        } => {
            format!(
                "{whole},{tenth}\u{a0}{}",
                UNITS.get(power).copied().unwrap_or_default()
            )
        }
    }
}

pub(super) fn wait(time: Duration) -> String {
    match Wait::of(time) {
        Wait::Seconds(count) => counted(count, "seconde", "secondes"),
        Wait::Minutes(count) => counted(count, "minute", "minutes"),
        Wait::Hours(count) => counted(count, "heure", "heures"),
    }
}

/// For whom a campaign is.
pub(super) fn campaign_for(audience: &Audience, people: Option<u64>) -> String {
    let people = people.map(|people| counted(people, "personne", "personnes"));
    let number = |whom: String| match &people {
        Some(people) => format!("{whom} : {people}."),
        None => format!("{whom}. Leur nombre sera connu une fois la campagne demandée."),
    };
    match audience {
        Audience::Users(people) => format!(
            "Pour {}, par identifiant.",
            counted(*people, "personne", "personnes")
        ),
        Audience::Organization(org) => number(format!("Pour les membres de l’organisation {org}")),
        Audience::Everyone => number("Pour toutes les personnes qu’UForge connaît".to_owned()),
    }
}
