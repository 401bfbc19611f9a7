//! The page as people see it: on screens of every width, light and dark.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::driver::Browser;
use crate::pages::Page;
use crate::pictures;

/// A way to look at the page.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) name: &'static str,
    width: u32,
    scheme: &'static str,
}

const fn view(name: &'static str, width: u32, scheme: &'static str) -> View {
    View {
        name,
        width,
        scheme,
    }
}

/// The last is WCAG's own measure (1.4.10, Reflow).
pub(crate) const VIEWS: [View; 5] = [
    view("on_a_wide_screen", 1280, "light"),
    view("on_a_wide_screen_in_the_dark", 1280, "dark"),
    view("on_a_phone", 390, "light"),
    view("on_a_phone_in_the_dark", 390, "dark"),
    view("enlarged_four_times", 320, "light"),
];

/// Every rule that axe has, those for WCAG 2.2 that it leaves out by itself too.
const AXE: &str = "
const done = arguments[arguments.length - 1];
axe.run(document, { rules: { 'target-size': { enabled: true } } }).then(
  (found) => done({
    passes: found.passes.length,
    violations: found.violations.map((rule) => [rule.id, rule.help, rule.nodes.length, rule.nodes[0].html, rule.nodes[0].failureSummary]),
    undecided: found.incomplete.map((rule) => [rule.id, rule.nodes.length, rule.nodes[0].html]),
  }),
  (error) => done({ broken: String(error) }),
);";

pub(crate) const OPEN_ALL: &str =
    "document.querySelectorAll('details').forEach((of) => { of.open = true; });";

const WIDER_THAN_THE_SCREEN: &str = "
const wide = document.documentElement.clientWidth;
return [...document.querySelectorAll('body *')]
  .filter((of) => !of.matches('.skip, .unseen, pre *') && of.getBoundingClientRect().right > wide + 0.5)
  .map((of) => of.outerHTML.slice(0, 200))
  .concat(document.documentElement.scrollWidth > wide ? ['the page: ' + document.documentElement.scrollWidth] : []);";

/// Opens the page in this view; axe finds nothing, with its passages as they are and all open, and nothing is wider than the screen.
pub(crate) async fn check(page: &Page, view: View, axe: &str, browser: &Browser) {
    look(browser, view).await;
    browser.go(&page.index()).await;
    picture(browser, view, &format!("{}-{}", page.name, view.name)).await;
    browser.run(axe).await;
    check_with_axe(browser, "as it opens").await;
    browser.run(OPEN_ALL).await;
    if !page.is_long {
        check_with_axe(browser, "with everything opened").await;
    }
    check_width(browser, view).await;
}

/// The page that is open, in this view: axe finds nothing, and nothing is wider than the screen. axe is there already.
pub(crate) async fn check_open(browser: &Browser, view: View, name: &str) {
    look(browser, view).await;
    picture(browser, view, &format!("{name}-{}", view.name)).await;
    check_with_axe(browser, &format!("{name}, {}", view.name)).await;
    check_width(browser, view).await;
}

async fn check_width(browser: &Browser, view: View) {
    let wide = browser.run(WIDER_THAN_THE_SCREEN).await;
    assert_eq!(wide, json!([]), "wider than {} px", view.width);
}

async fn look(browser: &Browser, view: View) {
    let (width, scheme) = (view.width, view.scheme);
    let size =
        json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500 });
    browser
        .chromium("Emulation.setDeviceMetricsOverride", size)
        .await;
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    browser.chromium("Emulation.setEmulatedMedia", media).await;
}

async fn check_with_axe(browser: &Browser, state: &str) {
    let found = browser.run_until_called(AXE).await;
    assert_eq!(found["broken"], Value::Null, "{state}");
    assert!(found["passes"].as_u64() > Some(20), "{state}: {found}");
    assert_eq!(found["violations"], json!([]), "{state}");
    assert_eq!(found["undecided"], json!([]), "{state}");
}

/// The longest picture that is taken; Chromium refuses one of 50,000 pixels.
const TALLEST: u64 = 6_000;

async fn picture(browser: &Browser, view: View, name: &str) {
    let height = browser
        .run("return document.documentElement.scrollHeight;")
        .await;
    let height = TALLEST.min(height.as_u64().unwrap_or(TALLEST));
    let clip = json!({ "x": 0, "y": 0, "width": view.width, "height": height, "scale": 1 });
    let whole = json!({ "captureBeyondViewport": true, "format": "png", "clip": clip });
    let taken = browser.chromium("Page.captureScreenshot", whole).await;
    let bytes = BASE64_STANDARD
        .decode(taken["data"].as_str().expect("a picture"))
        .expect("base64");
    std::fs::write(pictures().join(format!("{name}.png")), bytes).expect("written");
}
