//! What is learned with the first requests of a run: whether there is a UForge, and whether it offers JSON.

use super::tests::{World, world};
use super::{Limits, RunError, plan};
use crate::model::{DocumentForms, ListResource, Page, Representation, Resource};
use crate::ports::ApiError;
use crate::report::{Completeness, Outcome};
use crate::testing::{Call, Script, appliance, mysoftware};

fn not_offered() -> ApiError {
    ApiError::NotOffered {
        request: "GET x".to_owned(),
        detail: "it answered 406".to_owned(),
    }
}

fn is_json(call: &Call) -> bool {
    matches!(call, Call::Document(_, Representation::Json))
}

fn is_json_of_an_item(call: &Call) -> bool {
    matches!(
        call,
        Call::Document(Resource::Item(_), Representation::Json)
    )
}

fn without_json() -> World {
    let world = world(&[appliance(1), appliance(2), appliance(3), mysoftware(1)]);
    world
        .platform
        .script(usize::MAX, is_json, Script::Refuse(not_offered()));
    world
}

fn notes_on_json(outcome: &Outcome) -> usize {
    let notes = outcome.report.notes.iter();
    notes
        .filter(|note| note.contains("JSON") && note.contains("kept as XML only"))
        .count()
}

#[test]
fn json_that_is_not_offered_is_no_failure_and_is_learned_once() {
    let world = without_json();
    let outcome = world.complete();
    assert_eq!(notes_on_json(&outcome), 1);
    assert!(world.platform.count(is_json) <= 2);
    let items = outcome.report.items.iter();
    assert!(items.clone().all(|item| item.reason.is_none()));
    assert!(items.clone().all(|item| !item.files.is_empty()));
}

#[test]
fn json_that_only_some_resources_lack_is_kept_of_the_others() {
    let world = world(&[appliance(1), appliance(2), appliance(3), mysoftware(1)]);
    let of_appliances = |call: &Call| match call {
        Call::Document(Resource::Item(item), Representation::Json) => {
            item.kind == crate::model::ItemKind::Appliance
        }
        _ => false,
    };
    world
        .platform
        .script(usize::MAX, of_appliances, Script::Refuse(not_offered()));
    let outcome = world.complete();
    assert_eq!(notes_on_json(&outcome), 1);
    assert_eq!(world.platform.count(of_appliances), 1);
    let files: Vec<&str> = outcome
        .report
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    let json_in = |folder: &str| {
        files
            .iter()
            .any(|path| path.starts_with(folder) && path.contains(".json"))
    };
    assert!(json_in("data/mysoftware/1-") && json_in("data/profile/"));
    assert!(!json_in("data/appliances/1-"));
}

/// A front end that knows no JSON may answer a page, or nothing, instead of 406.
#[test]
fn json_that_is_answered_with_a_page_or_nothing_again_and_again_is_not_offered() {
    let page = ApiError::NotUForge {
        request: "GET x".to_owned(),
        media_type: "text/html".to_owned(),
        expected: "a JSON document",
    };
    let nothing = |status| ApiError::Empty {
        request: "GET x".to_owned(),
        status,
    };
    for answer in [page, nothing(200), nothing(204)] {
        let world = world(&[appliance(1), appliance(2), appliance(3), mysoftware(1)]);
        world
            .platform
            .script(usize::MAX, is_json, Script::Refuse(answer));
        let outcome = world.complete();
        assert_eq!(notes_on_json(&outcome), 1);
        assert!(world.platform.count(is_json) <= 2 * Limits::ATTEMPTS as usize);
    }
}

#[test]
fn one_document_whose_json_is_a_page_is_a_failure_where_its_like_is_offered() {
    let world = world(&[appliance(1), appliance(2), appliance(3)]);
    let second =
        |call: &Call| *call == Call::Document(Resource::Item(appliance(2)), Representation::Json);
    let page = ApiError::NotUForge {
        request: "GET x".to_owned(),
        media_type: "text/html".to_owned(),
        expected: "a JSON document",
    };
    world
        .platform
        .script(usize::MAX, second, Script::Refuse(page));
    let report = world.partial().report;
    assert_eq!(report.failures.len(), 1, "{:?}", report.failures);
}

/// Each of a thousand documents cost five attempts, with their pauses.
#[test]
fn json_that_always_fails_costs_few_attempts_and_each_document_is_a_failure() {
    for status in [500, 503] {
        let items: Vec<_> = (1..=30).map(appliance).collect();
        let world = world(&items);
        let fails = match status {
            500 => ApiError::ServerFault {
                request: "GET x".to_owned(),
                status,
                message: None,
            },
            _ => ApiError::Overloaded {
                request: "GET x".to_owned(),
                status,
                retry_after: None,
                proxy: None,
                message: None,
            },
        };
        let failing = Script::Refuse(fails);
        world.platform.script(usize::MAX, is_json, failing);
        let report = world.partial().report;
        let of_items = |id| report.failures.iter().filter(move |it| it.id == Some(id));
        assert!((1..=30).all(|id| of_items(id).count() == 1));
        let most = 3 * Limits::PATIENT_ATTEMPTS as usize + report.failures.len();
        assert!(world.platform.count(is_json) <= most);
        let notes = report.notes.iter();
        let notes = notes.filter(|note| note.contains("again and again to give documents as JSON"));
        assert_eq!(notes.count(), 1, "{:?}", report.notes);
    }
}

#[test]
fn a_platform_that_gives_json_again_is_asked_as_before() {
    let items: Vec<_> = (1..=30).map(appliance).collect();
    let world = world(&items);
    let fault = |status| {
        Script::Refuse(ApiError::ServerFault {
            request: "GET x".to_owned(),
            status,
            message: None,
        })
    };
    // The profile, the first list, and one more: all their attempts, and then one each.
    let attempts = 3 * Limits::ATTEMPTS as usize;
    world.platform.script(attempts + 1, is_json, fault(500));
    let thirtieth =
        |call: &Call| *call == Call::Document(Resource::Item(appliance(30)), Representation::Json);
    world.platform.script(1, thirtieth, fault(500));
    let report = world.partial().report;
    assert!(report.failures.iter().all(|it| it.id != Some(30)));
    assert!(report.failures.len() <= 4, "{:?}", report.failures);
}

#[test]
fn json_alone_that_is_not_offered_is_missing_and_not_asked_for_again_and_again() {
    let mut world = without_json();
    world.order.documents = DocumentForms::Json;
    let outcome = world.partial();
    assert!(world.platform.count(is_json) <= 2);
    let failures = outcome.report.failures.iter();
    assert!(failures.clone().all(|failure| failure.attempts == 1));
    assert!(
        failures
            .clone()
            .any(|failure| failure.message.contains("XML only"))
    );
}

#[test]
fn a_run_that_goes_on_asks_for_no_json_again() {
    let world = without_json();
    let is_start = |call: &Call| matches!(call, Call::Start(_));
    let away = ApiError::Unreachable {
        request: "POST x".to_owned(),
        host: "h".to_owned(),
        detail: "refused".to_owned(),
    };
    world
        .platform
        .script(8, is_start, Script::Refuse(away.clone()));
    world.platform.script(24, is_start, Script::Refuse(away));
    assert!(matches!(world.export(), Err(RunError::Platform(_))));
    let asked = world.platform.count(is_json);
    let profile = |call: &Call| matches!(call, Call::Document(Resource::User, Representation::Xml));
    let profiles = world.platform.count(profile);
    world.platform.script(0, is_start, Script::LoseAnswer);
    while world.export().is_err() {}
    assert_eq!(world.platform.count(is_json), asked);
    // Once more for the recount at the end, and not because it is missing as JSON.
    assert_eq!(world.platform.count(profile), profiles + 1);
}

fn error_of(error: ApiError) -> (RunError, usize) {
    let world = world(&[appliance(1)]);
    let status = |call: &Call| *call == Call::Platform;
    world
        .platform
        .script(usize::MAX, status, Script::Refuse(error));
    let planned = world.clock.run(plan(world.ports(), &world.order));
    (planned.unwrap_err(), world.platform.count(status))
}

#[test]
fn a_plan_for_a_server_that_is_no_uforge_ends_with_the_first_question() {
    let (request, host, detail) = (
        || "GET status".to_owned(),
        || "h:22".to_owned(),
        || "x".to_owned(),
    );
    for (error, most) in [
        (
            ApiError::NotHttp {
                request: request(),
                host: host(),
                detail: detail(),
            },
            3,
        ),
        (
            ApiError::NoAnswer {
                request: request(),
                sent: true,
                detail: detail(),
            },
            5,
        ),
        (
            ApiError::ProxyUnauthorized {
                request: request(),
                proxy: host(),
            },
            1,
        ),
        (
            ApiError::ClientCertificate {
                request: request(),
                host: host(),
                detail: detail(),
            },
            1,
        ),
        (
            ApiError::UnknownHost {
                request: request(),
                host: host(),
                detail: detail(),
            },
            3,
        ),
    ] {
        let (ended, attempts) = error_of(error.clone());
        assert!(matches!(ended, RunError::Platform(last) if last == error));
        assert!(attempts <= most, "{error}: {attempts}");
    }
}

#[test]
fn a_server_that_knows_nothing_is_a_wrong_address_and_not_a_stranger() {
    let nowhere = || ApiError::NotFound {
        request: "GET x".to_owned(),
        status: 404,
        message: None,
    };
    let world_without = |knows_status: bool| {
        let world = world(&[]);
        let refused = move |call: &Call| match call {
            Call::Platform => !knows_status,
            _ => true,
        };
        world
            .platform
            .script(usize::MAX, refused, Script::Refuse(nowhere()));
        world
    };
    let ended = world_without(false).export().unwrap_err();
    assert!(matches!(ended, RunError::WrongAddress { .. }), "{ended}");
    let ended = world_without(true).export().unwrap_err();
    assert!(
        matches!(ended, RunError::NothingAvailable { .. }),
        "{ended}"
    );
}

#[test]
fn a_status_that_wants_a_sign_in_says_nothing_of_the_credentials() {
    let world = world(&[appliance(1)]);
    let unsigned = ApiError::Unauthorized {
        request: "GET status".to_owned(),
        message: None,
    };
    world.platform.script(
        usize::MAX,
        |call| *call == Call::Platform,
        Script::Refuse(unsigned),
    );
    let outcome = world.complete();
    assert_eq!(outcome.report.completeness, Completeness::Complete);
    assert_eq!(world.platform.count(is_json_of_an_item), 1);
    let list = Resource::List(ListResource::Appliances, Page::Whole);
    assert!(
        world
            .platform
            .count(|call| *call == Call::Document(list, Representation::Json))
            == 1
    );
}
