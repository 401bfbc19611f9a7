//! What reading the platform's answers costs. `cargo xtask bench micro` runs it.

#![expect(clippy::expect_used, reason = "benchmarks run on data of their own")]

use std::fmt::Write as _;

use adapters_http::testing;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use domain::model::{ListResource, Page, Representation, Resource};

const OBJECTS: usize = 1000;
const APPLIANCES: Resource = Resource::List(ListResource::Appliances, Page::Whole);

fn main() {
    divan::main();
}

fn read(bencher: Bencher<'_, '_>, form: Representation, list: &str) {
    bencher
        .counter(BytesCount::of_str(list))
        .bench(|| testing::facts(black_box(list.as_bytes()), APPLIANCES, form).expect("a list"));
}

#[divan::bench]
fn xml_list_of_1000_appliances(bencher: Bencher<'_, '_>) {
    let mut list =
        "<ns2:appliances xmlns:ns2=\"http://www.usharesoft.com/uforge\"><appliances>".to_owned();
    for id in 0..OBJECTS {
        let _ = write!(
            list,
            "<appliance><uri>users/john/appliances/{id}</uri><dbId>{id}</dbId><digest>d{id}</digest><created>2024-03-01T10:00:00.000+01:00</created><lastModified>2026-10-02T08:00:00.000+02:00</lastModified><name>Web front end {id}</name><version>1.{id}</version><revision>3</revision><distributionName>Debian</distributionName><archName>x86_64</archName></appliance>"
        );
    }
    list.push_str("</appliances></ns2:appliances>");
    read(bencher, Representation::Xml, &list);
}

#[divan::bench]
fn json_list_of_1000_appliances(bencher: Bencher<'_, '_>) {
    let mut list = "{\"appliances\": [".to_owned();
    for id in 0..OBJECTS {
        let comma = if id > 0 { "," } else { "" };
        let _ = write!(
            list,
            "{comma}{{\"uri\": \"users/john/appliances/{id}\", \"dbId\": {id}, \"digest\": \"d{id}\", \"created\": \"2024-03-01T10:00:00.000+01:00\", \"lastModified\": \"2026-10-02T08:00:00.000+02:00\", \"name\": \"Web front end {id}\", \"version\": \"1.{id}\", \"revision\": 3}}"
        );
    }
    list.push_str("]}");
    read(bencher, Representation::Json, &list);
}
