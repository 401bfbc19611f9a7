//! What people come for, from the first page to a checked bag, as a browser does it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use tests::kit::Program;

use crate::driver::{Browser, PATIENCE};
use crate::service::Service;
use crate::structure::press;

/// A language, and some words by which a test sees that it is spoken.
#[derive(Clone, Copy)]
pub(crate) struct Language {
    pub(crate) name: &'static str,
    pub(crate) tag: &'static str,
    ask: &'static str,
    ready: &'static str,
}

pub(crate) const LANGUAGES: [Language; 3] = [
    Language {
        name: "english",
        tag: "en",
        ask: "Ask for the copy",
        ready: "Ready, complete",
    },
    Language {
        name: "french",
        tag: "fr",
        ask: "Demander la copie",
        ready: "Prêt, complet",
    },
    Language {
        name: "japanese",
        tag: "ja",
        ask: "コピーを請求する",
        ready: "準備完了",
    },
];

/// The link to the file of an export.
const FILE: &str = "a[href$='/archive']";

/// Chooses a language with the switch at the foot of the page.
pub(crate) async fn choose(language: Language, browser: &Browser) {
    let button = format!("button[name=language][value={}]", language.tag);
    browser.follow(&button).await;
}

/// Fills the form in and sends it.
pub(crate) async fn sign_in(login: &str, password: &str, browser: &Browser) {
    browser.fill_in("#login", login).await;
    browser.fill_in("#password", password).await;
    browser.follow("form[action='/sign-in'] button").await;
}

/// Signs in, asks, watches, downloads, checks the bag, deletes it, and signs out.
pub(crate) async fn travel(
    language: Language,
    scripts: bool,
    service: &Service,
    browser: &Browser,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let download = json!({ "behavior": "allow", "downloadPath": folder.path() });
    browser
        .chromium("Browser.setDownloadBehavior", download)
        .await;
    if !scripts {
        let off = json!({ "value": true });
        browser
            .chromium("Emulation.setScriptExecutionDisabled", off)
            .await;
    }
    browser.visit(&service.url).await;
    choose(language, browser).await;
    sign_in(&service.user.login, &service.user.password, browser).await;
    assert!(page(browser).await.contains(language.ask));
    // Each journey asks for something else: the same order twice is one export.
    browser.click("#some").await;
    for kind in ["profile", "appliances", order_of(language, scripts)] {
        browser.click(&format!("#kind-{kind}")).await;
    }
    browser.follow("form[action='/exports'] button").await;
    let address = browser.address().await;
    assert!(address.contains("/exports/"), "{address}");
    if scripts {
        watch(browser).await;
    } else {
        assert!(!browser.has("p[data-live]:not([hidden])").await);
        look_again(browser).await;
    }
    assert!(page(browser).await.contains(language.ready));
    browser.click(FILE).await;
    let bag = downloaded(folder.path()).await;
    verify(&bag);
    browser.follow(".button.danger").await;
    browser.follow("button.danger").await;
    assert_eq!(browser.address().await, address);
    assert!(!browser.has(FILE).await);
    browser.follow("form[action='/sign-out'] button").await;
    assert!(browser.has("#password").await);
}

fn order_of(language: Language, scripts: bool) -> &'static str {
    match (language.tag, scripts) {
        ("en", true) => "roles",
        ("en", false) => "quotas",
        ("fr", true) => "usage",
        ("fr", false) => "statistics",
        (_, true) => "ssh-keys",
        (_, false) => "workspaces",
    }
}

async fn page(browser: &Browser) -> String {
    let text = browser.run("return document.body.innerText;").await;
    text.as_str().expect("text").to_owned()
}

/// Sees from inside the page what moves there, however seldom somebody asks. Returns whether something still can.
const SEE_MOVES: &str = "
const see = () => { if (document.querySelector('.steps .done, .active li')) sessionStorage.setItem('moved', 'yes'); };
new MutationObserver(see).observe(document.documentElement, { subtree: true, childList: true, attributes: true });
see();
return !document.querySelector(arguments[0]);";

/// Without touching the page: it shows what is under way, and in the end the download.
async fn watch(browser: &Browser) {
    let is_under_way = browser.run_with(SEE_MOVES, json!([FILE])).await == true;
    let began = Instant::now();
    while !browser.has(FILE).await {
        assert!(began.elapsed() < PATIENCE, "it does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let moved = browser
        .run("return sessionStorage.getItem('moved') === 'yes';")
        .await;
    assert!(moved == true || !is_under_way, "nothing was seen to move");
}

/// With the link that is there for it.
async fn look_again(browser: &Browser) {
    let began = Instant::now();
    while !browser.has(FILE).await {
        if browser.has("noscript a").await {
            browser.follow("noscript a").await;
        }
        assert!(began.elapsed() < PATIENCE, "it does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn downloaded(folder: &Path) -> PathBuf {
    let began = Instant::now();
    loop {
        let mut files = std::fs::read_dir(folder).expect("the folder");
        let bag = files.find_map(|file| {
            let path = file.expect("a file").path();
            path.extension()
                .is_some_and(|it| it == "zip")
                .then_some(path)
        });
        if let Some(bag) = bag {
            return bag;
        }
        assert!(began.elapsed() < PATIENCE, "nothing was downloaded");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn verify(bag: &Path) {
    let program = Program::new(env!("CARGO_BIN_EXE_uforge-export-under-test"));
    let bag = bag.to_str().expect("a path");
    program.run_with(["verify", bag]).expect_status(0);
}

/// The first stop leads past the navigation; the form is filled in and sent with keys alone, and every stop is outlined.
pub(crate) async fn sign_in_with_the_keyboard(service: &Service, browser: &Browser) {
    browser.visit(&service.url).await;
    press(browser, "Tab", 9).await;
    let first = "const of = document.activeElement; return [of.className, of.getBoundingClientRect().top >= 0, getComputedStyle(of).outlineStyle];";
    assert_eq!(browser.run(first).await, json!(["skip", true, "solid"]));
    press(browser, "Enter", 13).await;
    for (id, typed) in [
        ("login", &service.colleague.login),
        ("password", &service.colleague.password),
    ] {
        press(browser, "Tab", 9).await;
        let stop = browser
            .run("return [document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle];")
            .await;
        assert_eq!(stop, json!([id, "solid"]));
        let text = json!({ "text": typed });
        browser.chromium("Input.insertText", text).await;
    }
    press(browser, "Enter", 13).await;
    let began = Instant::now();
    while !browser.has("form[action='/sign-out']").await {
        assert!(began.elapsed() < PATIENCE, "nobody is signed in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
