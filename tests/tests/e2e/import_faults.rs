//! `import` into a platform on which things go wrong.

use sandbox::Scenario;
use sandbox::scenario::{Ending, Fault, ImportFault, ImportScenario, ItemKind, Times};
use tests::kit::Site;

use crate::imports::{
    check_all_there, check_nothing_left, empty, json, names, run_import, two_sites,
};

fn asked(site: &Site, request: &str) -> usize {
    site.platform().count_requests(&request.parse().unwrap())
}

fn with(request: &str, times: u32, fault: Fault) -> Scenario {
    empty().with_fault(request.parse().unwrap(), Times::First(times), fault)
}

/// Whatever happens to these requests, everything is imported once.
#[track_caller]
fn gets_over(target: Scenario) -> Site {
    let (source, target) = two_sites("j.tar", target);
    let bag = source.path("j.tar");
    let outcome = json(&run_import(&target, &bag, &["--json"]).expect_status(0));
    assert_eq!(names(&outcome, "imported").len(), 5);
    check_all_there(&source, &target, &bag);
    target
}

#[test]
fn uploads_that_break_are_begun_again_on_a_new_ticket() {
    let broken = Fault::UploadBroken { after: 10_000 };
    let target = gets_over(with("POST users/*/imports/*/uploads", 2, broken.clone()));
    assert_eq!(asked(&target, "POST users/*/imports"), 5);
    let target = gets_over(with("POST users/*/bundleimports/*/uploads", 1, broken));
    assert_eq!(asked(&target, "POST users/*/bundleimports"), 3);
}

#[test]
fn uploads_whose_answers_are_lost_are_not_repeated() {
    let target = gets_over(with("POST users/*/imports/*/uploads", 2, Fault::LostAnswer));
    assert_eq!(asked(&target, "POST users/*/imports/*/uploads"), 3);
    let target = gets_over(with(
        "POST users/*/bundleimports/*/uploads",
        2,
        Fault::LostAnswer,
    ));
    assert_eq!(asked(&target, "POST users/*/bundleimports/*/uploads"), 2);
}

#[test]
fn tickets_whose_answers_are_lost_are_found() {
    let target = gets_over(with("POST users/*/imports", 2, Fault::LostAnswer));
    assert_eq!(asked(&target, "POST users/*/imports"), 3);
    gets_over(with("POST users/*/bundleimports", 1, Fault::LostAnswer));
}

#[test]
fn a_busy_platform_is_asked_again() {
    let busy = Fault::Refuse {
        status: 503,
        retry_after: None,
    };
    gets_over(with("POST users/*/imports", 2, busy.clone()));
    gets_over(with("GET users/*/imports/*/status", 2, busy.clone()));
    gets_over(with("GET users/*/imports/*", 2, busy.clone()));
    gets_over(with("DELETE users/*/imports/*", 2, busy));
}

fn import_faults(kind: ItemKind, fault: ImportFault) -> Scenario {
    let mut scenario = empty();
    scenario.imports.push(ImportScenario {
        kind,
        name: None,
        faults: vec![fault],
    });
    scenario
}

#[test]
fn a_hostile_reference_is_neither_followed_nor_shown() {
    let evil = "https://evil.example/users/jleaver/appliances/1".to_owned();
    let (source, target) = two_sites(
        "j.zip",
        import_faults(ItemKind::Appliance, ImportFault::Reference { uri: evil }),
    );
    let ended = run_import(&target, &source.path("j.zip"), &["--json"]).expect_status(0);
    assert!(!ended.out().contains("evil") && !ended.stderr.contains("evil"));
    assert_eq!(names(&json(&ended), "imported").len(), 5);
    check_all_there(&source, &target, &source.path("j.zip"));
}

#[test]
fn a_ticket_that_vanishes_has_done_its_work() {
    let vanishes = ImportFault::TicketVanishes {
        times: Times::Always,
    };
    gets_over(import_faults(ItemKind::Appliance, vanishes));
}

#[test]
fn what_the_platform_refuses_is_reported_in_its_words_and_the_rest_is_imported() {
    for how in [Ending::Error, Ending::ErrorAndComplete, Ending::Cancelled] {
        let ends = ImportFault::Ends {
            how,
            times: Times::Always,
        };
        let (source, target) = two_sites("j.zip", import_faults(ItemKind::Software, ends));
        source.leaves_run_files("what failed can be tried again");
        let bag = source.path("j.zip");
        let ended = run_import(&target, &bag, &["--json"]).expect_status(3);
        let outcome = json(&ended);
        assert_eq!(names(&outcome, "failed").len(), 2, "{how:?}");
        assert_eq!(names(&outcome, "imported").len(), 3);
        // Tickets of software cannot be deleted.
        ended
            .expect_word("import ticket")
            .expect_word("is left there");
        let open = target.platform().open_imports();
        assert!(open.iter().all(|ticket| ticket.kind == ItemKind::Software));
    }
}

#[test]
fn no_redirect_takes_an_archive_elsewhere() {
    let elsewhere = two_sites("j.zip", empty()).1;
    let redirect = Fault::Redirect {
        location: format!(
            "{}/users/jleaver/imports/1/uploads",
            elsewhere.announcement().url
        ),
        status: 307,
    };
    let mut scenario = with("POST users/*/imports/*/uploads", 9, redirect.clone());
    scenario = scenario.with_fault(
        "POST users/*/bundleimports".parse().unwrap(),
        Times::Always,
        redirect,
    );
    let (source, target) = two_sites("j.zip", scenario);
    let bag = source.path("j.zip");
    let outcome = json(&run_import(&target, &bag, &["--json"]).expect_status(1));
    assert_eq!(names(&outcome, "failed").len(), 5);
    assert_eq!(target.platform().uploaded(), Vec::<String>::new());
    assert_eq!(elsewhere.platform().requests().len(), 0);
    std::fs::remove_file(source.path(".j.zip.uforge-import")).unwrap();
    check_nothing_left(&target, &bag);
}
