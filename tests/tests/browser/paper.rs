//! The page on paper.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::driver::Browser;
use crate::pages::Page;
use crate::pictures;

/// A sheet of A4 between margins of a centimetre, in CSS pixels.
const SHEET: u32 = 718;

/// Text that stands on the page, and not on paper. The long list of addresses is left to the screen, and so is the navigation.
const LOST: &str = "
const lost = [];
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const of = texts.currentNode.parentElement;
  const spared = of.closest('nav, .skip') || (of.closest('details.long') && !of.closest('summary'));
  if (texts.currentNode.data.trim() && !spared && !of.checkVisibility({ visibilityProperty: true, opacityProperty: true })) {
    lost.push(texts.currentNode.data.trim());
  }
}
return lost;";

const CUT: &str = "
const wide = document.documentElement.clientWidth;
return [...document.querySelectorAll('main *')]
  .filter((of) => !of.matches('.unseen') && of.getBoundingClientRect().right > wide + 0.5)
  .map((of) => of.outerHTML.slice(0, 200));";

/// Everything that is read on the screen is on paper too, closed passages among it, black on white.
pub(crate) async fn check(page: &Page, browser: &Browser) {
    lay_out(browser).await;
    check_file(&page.index(), browser).await;
    print(page, browser).await;
}

/// The same of the pages on which the data is read.
pub(crate) async fn check_views(page: &Page, browser: &Browser) {
    lay_out(browser).await;
    for name in ["profile", "appliances", "cloud-accounts"] {
        check_file(&page.view(name), browser).await;
    }
}

async fn lay_out(browser: &Browser) {
    let sheet = json!({ "width": SHEET, "height": 1047, "deviceScaleFactor": 1, "mobile": false });
    browser
        .chromium("Emulation.setDeviceMetricsOverride", sheet)
        .await;
    // Somebody who works in the dark prints as well.
    let dark = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
    let media = json!({ "media": "print", "features": dark });
    browser.chromium("Emulation.setEmulatedMedia", media).await;
}

async fn check_file(file: &Path, browser: &Browser) {
    browser.go(file).await;
    assert_eq!(browser.run(LOST).await, json!([]), "not on paper");
    assert_eq!(browser.run(CUT).await, json!([]), "cut off on paper");
    let colours = browser
        .run("const of = getComputedStyle(document.body); return [of.color, of.backgroundColor];")
        .await;
    assert_eq!(colours, json!(["rgb(0, 0, 0)", "rgb(255, 255, 255)"]));
}

async fn print(page: &Page, browser: &Browser) {
    let a4 = json!({ "paperWidth": 8.27, "paperHeight": 11.69 });
    let printed = browser.chromium("Page.printToPDF", a4).await;
    let pdf = BASE64_STANDARD
        .decode(printed["data"].as_str().expect("a PDF"))
        .expect("base64");
    assert!(pdf.starts_with(b"%PDF-"));
    assert!(pdf.len() > 20_000, "{} bytes", pdf.len());
    std::fs::write(pictures().join(format!("{}.pdf", page.name)), pdf).expect("written");
}
