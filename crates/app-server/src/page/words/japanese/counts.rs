//! Counting in Japanese: nothing has a plural.

use domain::jobs::Audience;
use domain::report::grouped;
use std::time::Duration;

use crate::page::words::units::Wait;

pub(super) fn wait(time: Duration) -> String {
    match Wait::of(time) {
        Wait::Seconds(number) => format!("{number} 秒"),
        Wait::Minutes(number) => format!("{number} 分"),
        Wait::Hours(number) => format!("{number} 時間"),
    }
}

/// For whom a campaign is.
pub(super) fn campaign_for(audience: &Audience, people: Option<u64>) -> String {
    let number = |whom: String| match people {
        Some(people) => format!("対象：{whom}（{}人）", grouped(people)),
        None => format!("対象：{whom}（人数は依頼したときに決まります）"),
    };
    match audience {
        Audience::Users(people) => format!("対象：指定した{}人", grouped(*people)),
        Audience::Organization(org) => number(format!("組織{org}のメンバー")),
        Audience::Everyone => number("UForgeに登録されている全員".to_owned()),
    }
}
