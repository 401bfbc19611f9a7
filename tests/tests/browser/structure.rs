//! What programs find in the page: a screen reader, a keyboard, somebody who looks for references.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::driver::Browser;
use crate::pages::Page;

pub(crate) const HEADINGS: &str = "return [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((of) => Number(of.localName[1]));";

/// Tables without a caption, and heads without a scope.
pub(crate) const TABLES: &str = "
return [
  ...[...document.querySelectorAll('table')].filter((of) => !of.caption?.textContent.trim() || !of.tHead),
  ...document.querySelectorAll('th:not([scope])'),
  ...[...document.querySelectorAll('tbody tr')].filter((of) => of.querySelectorAll('th[scope=row]').length !== 1),
].map((of) => of.outerHTML.slice(0, 200));";

/// Whatever can run, load, send or lead away, apart from links.
pub(crate) const REFERENCES: &str = "
const can = 'script, iframe, frame, object, embed, form, link, base, img, audio, video, math, svg [href], svg image, svg use, svg foreignObject, [src], [srcset], [action], [ping], [target], [style]';
const found = [...document.querySelectorAll(can)];
const handlers = [...document.querySelectorAll('*')].filter((of) => of.getAttributeNames().some((name) => name.startsWith('on')));
const styles = [...document.querySelectorAll('style')].filter((of) => /url\\(|@import|@font-face/.test(of.textContent));
return [...found, ...handlers, ...styles].map((of) => of.outerHTML.slice(0, 200));";

pub(crate) const LINKS: &str =
    "return [...document.querySelectorAll('[href]')].map((of) => of.getAttribute('href'));";
const TARGETS: &str = "return [...document.querySelectorAll('[id]')].map((of) => of.id);";

/// Title, language, landmarks, headings, tables: in the document, and in what the browser hands a screen reader.
pub(crate) async fn check(page: &Page, browser: &Browser) {
    browser.go(&page.index()).await;
    let said = browser
        .run("return [document.title, document.documentElement.lang];")
        .await;
    assert_eq!(said, json!([format!("UForge data of {}", page.user), "en"]));
    check_headings(&browser.run(HEADINGS).await);
    assert_eq!(browser.run(TABLES).await, json!([]));
    let roles = roles(browser).await;
    for landmark in ["banner", "navigation", "main", "contentinfo"] {
        assert_eq!(roles.get(landmark), Some(&1), "{landmark}: {roles:?}");
    }
    let tables = browser
        .run("return [...document.querySelectorAll('table')].filter((of) => of.checkVisibility()).length;")
        .await;
    assert_eq!(roles.get("table").copied(), tables.as_u64(), "{roles:?}");
    assert!(roles.get("columnheader") >= roles.get("table"), "{roles:?}");
    assert!(roles.contains_key("rowheader"), "{roles:?}");
}

pub(crate) fn check_headings(levels: &Value) {
    let levels: Vec<u64> = serde_json::from_value(levels.clone()).expect("levels");
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert_eq!(levels.first(), Some(&1));
    assert!(
        levels.windows(2).all(|two| two[1] <= two[0] + 1),
        "a level is left out: {levels:?}"
    );
}

/// How often each role stands in the tree that a screen reader reads.
pub(crate) async fn roles(browser: &Browser) -> BTreeMap<String, u64> {
    browser.chromium("Accessibility.enable", json!({})).await;
    let tree = browser
        .chromium("Accessibility.getFullAXTree", json!({}))
        .await;
    let mut roles = BTreeMap::new();
    for node in tree["nodes"].as_array().expect("nodes") {
        if node["ignored"] == false {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            *roles.entry(role.to_owned()).or_insert(0) += 1;
        }
    }
    roles
}

/// Without a network the page opens whole; it asks for itself and nothing else, and every link leads to a file of the bag.
pub(crate) async fn check_references(page: &Page, browser: &Browser) {
    let offline =
        json!({ "offline": true, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0 });
    browser.chromium("Network.enable", json!({})).await;
    browser
        .chromium("Network.emulateNetworkConditions", offline)
        .await;
    browser.requests().await;
    browser.go(&page.index()).await;
    let asked = browser.requests().await;
    assert_eq!(asked, [format!("file://{}", page.index().display())]);
    assert_eq!(browser.run(REFERENCES).await, json!([]));
    let links: BTreeSet<String> =
        serde_json::from_value(browser.run(LINKS).await).expect("addresses");
    let targets: BTreeSet<String> =
        serde_json::from_value(browser.run(TARGETS).await).expect("names");
    assert!(links.len() > 15, "{links:?}");
    for link in &links {
        if let Some(target) = link.strip_prefix('#') {
            assert!(targets.contains(target), "#{target} leads nowhere");
        } else {
            assert!(page.files.contains(link), "{link} is not in the bag");
        }
    }
}

/// The first stop is the way past the navigation, it can be seen, and it leads there; no stop is without its outline.
pub(crate) async fn check_keyboard(page: &Page, browser: &Browser) {
    browser.go(&page.index()).await;
    press(browser, "Tab", 9).await;
    let first = browser
        .run("const of = document.activeElement; return [of.className, of.getBoundingClientRect().top >= 0, getComputedStyle(of).outlineStyle];")
        .await;
    assert_eq!(first, json!(["skip", true, "solid"]));
    press(browser, "Enter", 13).await;
    let reached = browser.run("return document.activeElement.id;").await;
    assert_eq!(reached, "content");
    press(browser, "Tab", 9).await;
    let next = browser
        .run("const of = document.activeElement; return [of.closest('main') !== null, getComputedStyle(of).outlineStyle];")
        .await;
    assert_eq!(next, json!([true, "solid"]));
}

pub(crate) async fn press(browser: &Browser, key: &str, code: u32) {
    let text = if key == "Enter" { "\r" } else { "" };
    for kind in ["keyDown", "keyUp"] {
        let stroke = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
        browser.chromium("Input.dispatchKeyEvent", stroke).await;
    }
}
