use std::time::Duration;

use domain::model::{ItemKind, ItemRef, ObjectId, Section};
use domain::ports::{Event, ItemStage};

use super::bar::lines;
use super::board::Board;
use super::json::Json;
use super::plain::Plain;
use super::*;

fn appliance(id: i64) -> ItemRef {
    ItemRef {
        kind: ItemKind::Appliance,
        id: ObjectId::try_from(id).unwrap(),
    }
}

fn subject() -> Subject {
    Subject {
        preposition: "from",
        user: "john".to_owned(),
        host: "uforge.example.com".to_owned(),
    }
}

fn item(id: i64, name: &str, stage: ItemStage) -> Event {
    Event::Item {
        item: appliance(id),
        name: name.to_owned(),
        stage,
    }
}

fn waiting(percent: u8, message: &str) -> ItemStage {
    ItemStage::Waiting {
        percent: Some(percent),
        message: Some(message.to_owned()),
    }
}

/// A run of a minute, as it comes.
fn events() -> Vec<(u64, Event)> {
    vec![
        (
            0,
            Event::Connected {
                platform_version: Some("3.8.13".to_owned()),
            },
        ),
        (
            1,
            Event::SectionListed {
                section: Section::Appliances,
                items: 4,
            },
        ),
        (
            1,
            Event::SectionUnavailable {
                section: Section::Scans,
                reason: "not permitted (403)".to_owned(),
            },
        ),
        (
            2,
            Event::Planned {
                items: 4,
                documents: 9,
            },
        ),
        (
            2,
            Event::DocumentStored {
                section: Section::Appliances,
                path: "data/appliances/appliances.xml".to_owned(),
                bytes: 4096,
            },
        ),
        (
            2,
            item(201, "web-shop", ItemStage::Resumed { bytes: 5 << 20 }),
        ),
        (
            3,
            item(
                202,
                "a name that is very long indeed, 山田",
                ItemStage::Starting,
            ),
        ),
        (
            4,
            item(
                202,
                "a name that is very long indeed, 山田",
                waiting(45, "Compressing\u{1b}[2J"),
            ),
        ),
        (5, item(203, "db", waiting(100, "done"))),
        (6, item(203, "db", ItemStage::Ready)),
        (6, item(203, "db", ItemStage::Downloading)),
        (
            9,
            Event::Bytes {
                item: appliance(203),
                received: 10 << 20,
                total: Some(40 << 20),
            },
        ),
        (
            20,
            Event::Bytes {
                item: appliance(203),
                received: 30 << 20,
                total: Some(40 << 20),
            },
        ),
        (
            21,
            item(
                204,
                "odd one",
                ItemStage::Failed {
                    reason: "the server failed (500)".to_owned(),
                },
            ),
        ),
        (
            22,
            Event::Retry {
                what: "GET users/john/appliances/202/exports/3/status".to_owned(),
                attempt: 1,
                reason: "503".to_owned(),
                wait_ms: 4000,
            },
        ),
    ]
}

#[test]
fn the_display_reads_like_this_and_fits_80_columns() {
    console::set_colors_enabled_stderr(false);
    let mut board = Board::default();
    let mut shown = lines(&board, &subject(), Duration::ZERO).join("\n");
    let mut seen = 0;
    for (at, event) in events() {
        let now = Duration::from_secs(at);
        while seen < at {
            seen += 1;
            board.tick(Duration::from_secs(seen));
        }
        board.observe(&event, now);
        let screen = lines(&board, &subject(), now);
        for line in &screen {
            assert!(console::measure_text_width(line) < 80, "{line}");
            assert!(!line.contains('\u{1b}'), "{line:?}");
        }
        shown = format!("{shown}\n\n@ {at} s\n{}", screen.join("\n"));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn plain_lines_read_like_this() {
    let mut output = Vec::new();
    let mut plain = Plain::new(&mut output, &subject());
    for (at, event) in events() {
        plain.on(&event, Duration::from_secs(at));
    }
    plain.on(&Event::Recounting, Duration::from_secs(61));
    plain.on(&Event::Finishing, Duration::from_secs(62));
    insta::assert_snapshot!(String::from_utf8(output).unwrap());
}

#[test]
fn json_lines_are_objects_with_a_time_and_an_event() {
    let mut output = Vec::new();
    let mut json = Json::new(&mut output);
    for (at, event) in events() {
        json.on(&event, Duration::from_secs(at));
    }
    for line in String::from_utf8(output).unwrap().lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            value["event"].is_string() && value["time"].is_string(),
            "{line}"
        );
    }
}

#[test]
fn bytes_of_one_item_are_reported_in_json_twice_a_second_at_most() {
    let mut output = Vec::new();
    let mut json = Json::new(&mut output);
    for millis in (0..2000).step_by(10) {
        let event = Event::Bytes {
            item: appliance(1),
            received: millis,
            total: None,
        };
        json.on(&event, Duration::from_millis(millis));
    }
    assert_eq!(String::from_utf8(output).unwrap().lines().count(), 4);
}

#[test]
fn a_display_that_is_never_drawn_does_not_hold_a_run_up() {
    struct Stuck;
    impl View for Stuck {
        fn on(&mut self, _: &Event, _: Duration) {
            std::thread::park();
        }
    }
    let mut reporter = watch(Box::new(Stuck));
    for _ in 0..3 * QUEUE {
        reporter.on(&Event::Recounting);
    }
    reporter.stop();
}
