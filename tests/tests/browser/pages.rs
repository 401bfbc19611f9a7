//! Bags that the program made, unpacked as a person does it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sandbox::Scenario;
use sandbox::scenario::Names;
use tempfile::TempDir;
use tests::kit::{Bag, Site, quick};

/// An unpacked bag.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) user: String,
    /// So long that axe reads it only as it opens, with its long lists closed: it compares every link with every other.
    pub(crate) is_long: bool,
    /// Every file of the bag.
    pub(crate) files: BTreeSet<String>,
    folder: TempDir,
}

impl Page {
    /// Where it was unpacked.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A page of `view/`, by its name.
    pub(crate) fn view(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("view/{name}.html"))
    }

    /// The page itself.
    pub(crate) fn index(&self) -> PathBuf {
        self.folder.path().join("index.html")
    }
}

/// The pages that are looked at.
pub(crate) const NAMES: [&str; 4] = ["rich", "partial", "long", "empty"];
pub(crate) const KINDS: [fn() -> Page; 4] = [rich, partial, long, empty];

/// Something of everything, and all of it there.
fn rich() -> Page {
    let mut scenario = quick();
    scenario.data.appliances = 6;
    scenario.data.software = 4;
    page("rich", scenario, &[], 0)
}

/// As bad as it gets: names that mean harm, things that fail in every way, words of the operator.
fn partial() -> Page {
    let mut scenario = Scenario::from_toml(PARTIAL).expect("a scenario");
    scenario.data.names = Names::Hostile;
    let arguments = ["--redact-secrets", "--exclude", "usage"];
    page("partial", scenario, &arguments, 3)
}

const PARTIAL: &str = r#"
[data]
appliances = 30
software = 14
archive-bytes = 2000
others = 3

[timing]
slots = 16
export-millis = 1

[access]
forbidden = ["scans"]
unknown = ["blueprints"]

[[items]]
kind = "appliance"
id = 202
faults = [{ start-refused = { status = 409 } }]

[[items]]
kind = "appliance"
id = 203
faults = [{ ends = { how = "detailed-error" } }]

[[items]]
kind = "software"
id = 302
faults = [{ ends = { how = "error" } }]

[[items]]
kind = "account"
id = 401
faults = ["secrets-missing"]

[[faults]]
request = "GET users/*/roles"
times = "always"
fault = "doctype"
"#;

/// Somebody who was busy for years.
fn long() -> Page {
    let mut scenario = quick();
    scenario.data.appliances = 300;
    scenario.data.archive_bytes = 1_000;
    scenario.timing.slots = 16;
    scenario.timing.export_millis = 1;
    let mut page = page("long", scenario, &["--jobs", "8"], 0);
    page.is_long = true;
    page
}

/// Nothing but the person.
fn empty() -> Page {
    let mut scenario = quick();
    scenario.data.appliances = 0;
    scenario.data.software = 0;
    scenario.data.accounts = 0;
    scenario.data.others = 0;
    page("empty", scenario, &[], 0)
}

const NOTICE: &str = "Under article 15 of the GDPR we inform you:\n\nYour data are used to run the image factory of Example Corp.\n\
    Questions: https://privacy.example.com/a-very-long-address/without-any-place-to-break-it/0123456789012345678901234567890123456789\n";

fn page(name: &'static str, scenario: Scenario, arguments: &[&str], status: i32) -> Page {
    let site = Site::new(env!("CARGO_BIN_EXE_uforge-export-under-test"), scenario);
    let mut export = site.export_to("bag.zip");
    export.args(arguments);
    if status != 0 {
        let notice = site.program.private_file("notice", NOTICE);
        export.arg("--notice").arg(notice);
    }
    site.program.run(export).expect_status(status);
    let bag = Bag::read(&site.path("bag.zip"));
    let folder = tempfile::tempdir().expect("a folder");
    for (path, bytes) in &bag.files {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, bytes).expect("written");
    }
    Page {
        name,
        user: site.announcement().user,
        is_long: false,
        files: bag.files.into_keys().collect(),
        folder,
    }
}
