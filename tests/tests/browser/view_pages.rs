//! The pages of `view/`, on which people read their data: in every view, by their structure, and what they load.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::driver::Browser;
use crate::pages::Page;
use crate::structure::{HEADINGS, LINKS, REFERENCES, TABLES, check_headings, roles};
use crate::views::{OPEN_ALL, View, check_open};

/// Those that have the most to show.
const RICHEST: [&str; 5] = [
    "profile",
    "appliances",
    "cloud-accounts",
    "images",
    "workspace-comments",
];

fn all(page: &Page) -> impl Iterator<Item = (String, PathBuf)> {
    let files = page.files.iter();
    let views = files.filter_map(|file| file.strip_prefix("view/")?.strip_suffix(".html"));
    views.map(|name| (name.to_owned(), page.view(name)))
}

/// axe finds nothing, all passages open, and nothing is wider than the screen.
pub(crate) async fn check_view(page: &Page, view: View, axe: &str, browser: &Browser) {
    for (name, file) in all(page).filter(|(name, _)| RICHEST.contains(&name.as_str())) {
        browser.go(&file).await;
        browser.run(OPEN_ALL).await;
        browser.run(axe).await;
        check_open(browser, view, &format!("{}-view-{name}", page.name)).await;
    }
}

/// Every page has its landmarks and headings, tables their heads; offline it loads itself and pictures of the bag, which are seen, and
/// nothing on it runs.
pub(crate) async fn check_each(page: &Page, browser: &Browser) {
    let offline =
        json!({ "offline": true, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0 });
    browser.chromium("Network.enable", json!({})).await;
    browser
        .chromium("Network.emulateNetworkConditions", offline)
        .await;
    let mut pictures = 0;
    for (name, file) in all(page) {
        browser.requests().await;
        browser.go(&file).await;
        let asked = browser.requests().await;
        let beside = format!("file://{}/", page.folder().display());
        for address in &asked {
            let inside = address.strip_prefix(&beside);
            let known = inside.is_some_and(|path| page.files.contains(path));
            assert!(known, "{name}: {address}");
        }
        check_headings(&browser.run(HEADINGS).await);
        assert_eq!(browser.run(TABLES).await, json!([]), "{name}");
        let roles = roles(browser).await;
        for landmark in ["banner", "main", "contentinfo"] {
            assert_eq!(
                roles.get(landmark),
                Some(&1),
                "{name}: {landmark}: {roles:?}"
            );
        }
        assert!(roles.contains_key("navigation"), "{name}: {roles:?}");
        let found: Vec<String> =
            serde_json::from_value(browser.run(REFERENCES).await).expect("elements");
        let others = found
            .iter()
            .filter(|of| !of.starts_with("<img src=\"../data/"));
        assert_eq!(others.count(), 0, "{name}: {found:?}");
        pictures += check_pictures(browser, &name).await;
        check_links(page, browser, &name).await;
    }
    assert!(pictures > 0, "no picture is seen");
}

/// Each picture is seen. How many they are.
async fn check_pictures(browser: &Browser, name: &str) -> u64 {
    let script = "
const done = arguments[arguments.length - 1];
const all = [...document.images];
all.forEach((of) => { of.loading = 'eager'; });
Promise.allSettled(all.map((of) => of.decode())).then(() => done(all.map((of) => [of.getAttribute('src'), of.naturalWidth])));";
    let seen = browser.run_until_called(script).await;
    let seen = seen.as_array().expect("pictures");
    for picture in seen {
        assert!(picture[1].as_u64() > Some(0), "{name}: {picture}");
    }
    seen.len() as u64
}

async fn check_links(page: &Page, browser: &Browser, name: &str) {
    let links = browser.run(LINKS).await;
    for link in links
        .as_array()
        .expect("links")
        .iter()
        .filter_map(Value::as_str)
    {
        let file = link.split('#').next().unwrap_or_default();
        let file = match file.strip_prefix("../") {
            Some(file) => file.to_owned(),
            None => format!("view/{file}"),
        };
        let is_there = link.starts_with('#') || page.files.contains(&file);
        assert!(is_there, "{name}: {link}");
    }
}
