use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::causes::Causes;

/// A machine with configuration files of its own.
struct Machine {
    folder: TempDir,
    variables: BTreeMap<&'static str, OsString>,
}

impl Machine {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            variables: BTreeMap::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.insert(name, value.into());
        self
    }

    fn given(&self, typed: &[&str]) -> Result<Given, GivenError> {
        let places = Places {
            system: self.path("system.toml"),
            user: Some(self.path("user.toml")),
            home: Some(self.path("home")),
        };
        let typed = std::iter::once("uforge-export-server").chain(typed.iter().copied());
        Given::read(
            crate::args::command(),
            typed.map(OsString::from),
            &places,
            |name| self.variables.get(name).cloned(),
        )
    }

    fn args(&self, typed: &[&str]) -> Args {
        self.given(typed).unwrap().args().unwrap()
    }

    fn refusal(&self, typed: &[&str]) -> String {
        match self.given(typed) {
            Err(error) => Causes(&error).to_string(),
            Ok(given) => given.args().unwrap_err().to_string(),
        }
    }
}

const ENOUGH: &str = "url = 'https://h/api'\ndata = 'exports'\n";

#[test]
fn a_file_is_enough_and_its_paths_are_relative_to_it() {
    let machine = Machine::new().file(
        "user.toml",
        &format!(
            "{ENOUGH}cacert = '~/ca.pem'\nservice-credentials = '/etc/c.yml'\njobs = 3\nkeep-archive = '2d'\n\
             store-limit = '20GB'\nadmin = ['root', 'a,b']\nlisten = '127.0.0.1:1'\n"
        ),
    );
    let args = machine.args(&[]);
    assert_eq!(args.url.as_deref(), Some("https://h/api"));
    assert_eq!(args.data, Some(machine.path("exports")));
    assert_eq!(args.cacert, Some(machine.path("home/ca.pem")));
    assert_eq!(
        args.service_credentials.as_deref(),
        Some(Path::new("/etc/c.yml"))
    );
    assert_eq!(
        (args.jobs.get(), args.store_limit),
        (3, Some(20_000_000_000))
    );
    assert_eq!(args.keep_archive, Duration::from_hours(48));
    // In a file a list is a list: no comma divides.
    let admins: Vec<_> = args.admin.iter().map(ToString::to_string).collect();
    assert_eq!(admins, ["root", "a,b"]);
}

#[test]
fn each_source_wins_over_those_below_it() {
    let mut machine = Machine::new().file("system.toml", ENOUGH);
    let jobs = |machine: &Machine, typed: &[&str]| machine.args(typed).jobs.get();
    assert_eq!(jobs(&machine, &[]), 2);
    for (name, number) in [("system.toml", 11), ("user.toml", 12), ("named.toml", 13)] {
        machine = machine.file(name, &format!("{ENOUGH}jobs = {number}"));
        let named = machine.path("named.toml").display().to_string();
        let typed = ["--config", &named];
        let typed = if number == 13 { &typed[..] } else { &[] };
        assert_eq!(jobs(&machine, typed), number);
    }
    machine = machine.variable("UFORGE_EXPORT_JOBS", "");
    assert_eq!(jobs(&machine, &[]), 12);
    machine = machine.variable("UFORGE_EXPORT_JOBS", "14");
    assert_eq!(jobs(&machine, &[]), 14);
    assert_eq!(jobs(&machine, &["-j", "15"]), 15);
}

#[test]
fn a_higher_source_wins_over_what_contradicts_it_in_a_lower_one() {
    let lower = format!("{ENOUGH}cacert = 'ca.pem'\n");
    let machine = Machine::new().file("system.toml", &lower);
    let args = machine.args(&["--insecure"]);
    assert!(args.insecure && args.cacert.is_none());
    let shown = machine.given(&["--insecure"]).unwrap().text();
    assert!(!shown.contains("cacert"), "{shown}");
    let machine = machine.file("user.toml", "insecure = true");
    assert!(machine.args(&[]).insecure);
    let args = machine.args(&["--cacert", "typed.pem"]);
    assert!(!args.insecure && args.cacert.is_some());
    // Beside each other they are a contradiction; what is off contradicts nothing.
    let machine = machine.file("user.toml", &format!("{lower}insecure = true"));
    assert!(machine.refusal(&[]).contains("cannot be used with"));
    let machine = machine.file("user.toml", &format!("{lower}insecure = false"));
    assert!(machine.args(&[]).cacert.is_some());
}

#[test]
fn a_wrong_file_is_named_with_its_key_and_what_is_wrong() {
    for (text, parts) in [
        ("urll = 'x'", ["`urll`", "`url`"]),
        ("config = 'x'", ["`config`", "`url`"]),
        ("password = 'hunter2'", ["`password`", "`url`"]),
        ("jobs = 0", ["`jobs`", "zero"]),
        ("jobs = true", ["`jobs`", "one value"]),
        ("jobs = 1.5", ["`jobs`", "1.5"]),
        ("insecure = 'yes'", ["`insecure`", "true or false"]),
        ("admin = 'root'", ["`admin`", "a list"]),
        ("admin = [1]", ["`admin`", "a list"]),
        ("admin = ['']", ["`admin`", "empty"]),
        (
            "trusted-proxy = ['0.0.0.0/0']",
            ["`trusted-proxy`", "every address"],
        ),
        ("keep-archive = 'soon'", ["`keep-archive`", "soon"]),
        ("listen = 8081", ["`listen`", "8081"]),
        (
            "public-url = 'exports.example.com'",
            ["`public-url`", "exports"],
        ),
        ("[url]\nx = 1", ["`url`", "one value"]),
        ("url = ", ["TOML", "line 1"]),
    ] {
        let said = Machine::new().file("user.toml", text).refusal(&[]);
        for part in parts.into_iter().chain(["user.toml"]) {
            assert!(said.contains(part), "{part} is missing from: {said}");
        }
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_wrong_variable_is_named() {
    let machine = Machine::new().variable("UFORGE_EXPORT_JOBS", "0");
    let said = machine.refusal(&[]);
    assert!(
        said.contains("UFORGE_EXPORT_JOBS") && said.contains("zero"),
        "{said}"
    );
    let listed = Machine::new()
        .file("user.toml", ENOUGH)
        .variable("UFORGE_EXPORT_ADMIN", "root,mary");
    assert_eq!(listed.args(&[]).admin.len(), 2);
}

#[test]
#[cfg(unix)]
fn a_path_need_not_be_text_and_all_else_has_to() {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = || OsString::from_vec(b"/j\xf6hn".to_vec());
    let machine = Machine::new()
        .file("user.toml", ENOUGH)
        .variable("UFORGE_EXPORT_DATA", bytes());
    assert_eq!(machine.args(&[]).data, Some(PathBuf::from(bytes())));
    let machine = machine.variable("UFORGE_EXPORT_LOG", bytes());
    let said = machine.refusal(&[]);
    assert!(said.contains("UFORGE_EXPORT_LOG is not text"), "{said}");
}

#[test]
fn what_is_typed_is_answered_as_ever() {
    let machine = Machine::new().file("user.toml", ENOUGH);
    for (typed, part) in [
        ("--help", "Usage: uforge-export-server"),
        ("--no-such-flag", "unexpected argument '--no-such-flag'"),
        ("--jobs=0", "invalid value '0' for '--jobs <N>'"),
        ("--admin=", "a login cannot be empty"),
        ("--insecure=yes", "--insecure"),
        ("--log", "a value is required"),
    ] {
        let said = machine.refusal(&[typed]);
        assert!(said.contains(part), "{typed}: {said}");
    }
    let said = Machine::new().refusal(&[]);
    assert!(
        said.contains("--url <URL>") && said.contains("--data <DIR>"),
        "{said}"
    );
    let args = machine.args(&["--admin", "root,mary", "--admin=jane"]);
    assert_eq!(args.admin.len(), 3);
}

#[test]
fn the_effective_settings_are_themselves_a_configuration_file() {
    let machine = Machine::new()
        .file("user.toml", &format!("{ENOUGH}admin = ['root']"))
        .variable("UFORGE_EXPORT_STORE_LIMIT", "200G");
    let text = machine.given(&["--jobs", "7"]).unwrap().text();
    let place = machine.folder.path().display().to_string();
    let text_without_place = text.replace(&place, "HERE");
    let lines = text_without_place.lines();
    let shown: Vec<String> = lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in [
        "url = \"https://h/api\" # HERE/user.toml",
        "data = \"HERE/exports\" # HERE/user.toml",
        "admin = [\"root\"] # HERE/user.toml",
        "jobs = 7 # command line (--jobs)",
        "store-limit = \"200G\" # environment (UFORGE_EXPORT_STORE_LIMIT)",
        "keep-archive = \"7d\" # default",
        "insecure = false # default",
        "connections = 4096 # default",
    ] {
        assert!(shown.iter().any(|it| it == line), "{line}: {shown:#?}");
    }
    let again = Machine::new().file("user.toml", &text);
    let args = again.args(&[]);
    assert_eq!((args.jobs.get(), args.admin.len()), (7, 1));
    assert_eq!(args.data, Some(machine.path("exports")));
}
