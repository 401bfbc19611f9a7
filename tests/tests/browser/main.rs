//! `index.html` of real bags, and the pages of the service, in a real browser: read by axe-core, on a wide screen, on a phone, in the dark
//! and on paper; used with and without scripts.
//!
//! It needs Chromium, its `chromedriver` and axe-core, which `cargo xtask test` brings and names in `UFORGE_EXPORT_TEST_TOOLS`. Without
//! that variable every test here is ignored, and counted as such; with it a missing tool is a failure. Pictures of every view and the
//! pages as PDF are left in `target/tmp/pages`, to look at.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod driver;
mod journey;
mod pages;
mod paper;
mod service;
mod service_pages;
mod structure;
mod view_pages;
mod views;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use futures_util::FutureExt as _;
use libtest_mimic::{Arguments, Trial};

use driver::{Browser, Driver};
use pages::{KINDS, Page};
use service::Services;
use views::VIEWS;

const TOOLS: &str = "UFORGE_EXPORT_TEST_TOOLS";

/// What the tests share: made by the first that needs it, and ended with the last.
struct Bench {
    driver: LazyLock<Driver>,
    pages: Vec<LazyLock<Page>>,
    services: LazyLock<Services>,
    axe: LazyLock<String>,
}

impl Bench {
    fn new() -> Self {
        Self {
            driver: LazyLock::new(Driver::start),
            pages: KINDS.into_iter().map(LazyLock::new).collect(),
            services: LazyLock::new(Services::start),
            axe: LazyLock::new(axe),
        }
    }
}

/// Where pictures and PDFs are left.
fn pictures() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    folder
}

fn axe() -> String {
    let tools = std::env::var_os(TOOLS)
        .unwrap_or_else(|| panic!("{TOOLS} is not set: `cargo xtask test` brings the tools"));
    let file = PathBuf::from(tools).join("node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nobody else has installed one");
    let has_tools = std::env::var_os(TOOLS).is_some();
    if !has_tools && !arguments.list {
        // Past the harness, which would keep it to itself.
        let _ = std::io::stderr().write_all(
            b"\nThe tests of the page in a browser are NOT run: they need Chromium and axe-core. `cargo xtask test` brings both and runs all tests.\n",
        );
    }
    let bench = Arc::new(Bench::new());
    let trials = trials(&bench)
        .into_iter()
        .map(|trial| trial.with_ignored_flag(!has_tools))
        .collect();
    drop(bench);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(bench: &Arc<Bench>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (index, kind) in pages::NAMES.into_iter().enumerate() {
        for view in VIEWS {
            let name = format!("{kind}::reads_well_{}", view.name);
            trials.push(of_page(bench, index, name, async move |bench, browser| {
                views::check(&bench.pages[index], view, &bench.axe, browser).await;
            }));
        }
        let name = format!("{kind}::prints_whole");
        trials.push(of_page(bench, index, name, async move |bench, browser| {
            paper::check(&bench.pages[index], browser).await;
        }));
        let name = format!("{kind}::has_its_landmarks_headings_and_table_headers");
        trials.push(of_page(bench, index, name, async move |bench, browser| {
            structure::check(&bench.pages[index], browser).await;
        }));
        let name = format!("{kind}::opens_offline_without_script_and_leads_only_into_the_bag");
        trials.push(of_page(bench, index, name, async move |bench, browser| {
            structure::check_references(&bench.pages[index], browser).await;
        }));
        let name = format!("{kind}::can_be_used_with_the_keyboard");
        trials.push(of_page(bench, index, name, async move |bench, browser| {
            structure::check_keyboard(&bench.pages[index], browser).await;
        }));
    }
    // Something of everything, and what means harm.
    for (index, kind) in pages::NAMES.into_iter().enumerate().take(2) {
        for view in VIEWS {
            let name = format!("{kind}::views_read_well_{}", view.name);
            trials.push(of_page(bench, index, name, async move |bench, browser| {
                view_pages::check_view(&bench.pages[index], view, &bench.axe, browser).await;
            }));
        }
        let name = format!("{kind}::views_are_built_well_and_load_only_pictures_of_the_bag");
        trials.push(of_page(bench, index, name, async move |bench, browser| {
            view_pages::check_each(&bench.pages[index], browser).await;
        }));
        let name = format!("{kind}::views_print_whole");
        trials.push(of_page(bench, index, name, async move |bench, browser| {
            paper::check_views(&bench.pages[index], browser).await;
        }));
    }
    for kind in service_pages::KINDS {
        let name = format!(
            "service::{}::reads_well_in_every_view_and_language",
            kind.name
        );
        trials.push(of_service(bench, name, async move |bench, browser| {
            service_pages::check(kind, &bench.services, &bench.axe, browser).await;
        }));
    }
    for language in journey::LANGUAGES {
        for (how, scripts) in [("with_scripts", true), ("without_scripts", false)] {
            let name = format!(
                "service::an_export_is_asked_for_and_downloaded_in_{}_{how}",
                language.name
            );
            trials.push(of_service(bench, name, async move |bench, browser| {
                journey::travel(language, scripts, &bench.services.rich, browser).await;
            }));
        }
    }
    let name = "service::can_be_used_with_the_keyboard".to_owned();
    trials.push(of_service(bench, name, async move |bench, browser| {
        journey::sign_in_with_the_keyboard(&bench.services.rich, browser).await;
    }));
    trials
}

/// A test of a bag's page.
fn of_page<Body>(bench: &Arc<Bench>, page: usize, name: String, body: Body) -> Trial
where
    Body: AsyncFnOnce(&Bench, &Browser) + Send + 'static,
{
    let made = move |bench: &Bench| {
        LazyLock::force(&bench.pages[page]);
    };
    trial(bench, name, made, body)
}

/// A test of the service.
fn of_service<Body>(bench: &Arc<Bench>, name: String, body: Body) -> Trial
where
    Body: AsyncFnOnce(&Bench, &Browser) + Send + 'static,
{
    let made = |bench: &Bench| {
        LazyLock::force(&bench.services);
    };
    trial(bench, name, made, body)
}

/// A test with a browser of its own, which is closed however the test ends. `made` is what has to be there before.
fn trial<Body>(
    bench: &Arc<Bench>,
    name: String,
    made: impl FnOnce(&Bench) + Send + 'static,
    body: Body,
) -> Trial
where
    Body: AsyncFnOnce(&Bench, &Browser) + Send + 'static,
{
    let bench = Arc::clone(bench);
    Trial::test(name, move || {
        made(&bench);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let browser = Browser::open(&bench.driver).await;
            let ended = AssertUnwindSafe(body(&bench, &browser))
                .catch_unwind()
                .await;
            browser.close().await;
            ended.unwrap_or_else(|panic| resume_unwind(panic));
        });
        Ok(())
    })
}
