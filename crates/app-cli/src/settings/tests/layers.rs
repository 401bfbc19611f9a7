//! Which source wins, and what is said of a wrong one.

use super::*;

/// Once such a variable counted as not set, and the data of whomever a file named was exported.
#[test]
#[cfg(unix)]
fn a_variable_that_is_no_text_is_an_error_that_names_it() {
    use std::os::unix::ffi::OsStringExt as _;
    for name in [
        "UFORGE_URL",
        "UFORGE_USER",
        "UFORGE_PUBLICKEY",
        "UFORGE_PASSWORD",
        "UFORGE_SECRETKEY",
    ] {
        let broken = || std::ffi::OsString::from_vec(b"j\xf6hn".to_vec());
        let error = Environment::read(|asked| (asked == name).then(broken)).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(name) && !said.contains("hn`"), "{said}");
    }
}

#[test]
fn each_layer_wins_over_those_below_it() {
    let mut machine = Machine::new();
    let mut flags = Layer::default();
    let steps: [(&dyn Fn(Machine) -> Machine, &str); 5] = [
        (&|m| m, "none"),
        (
            &|m| m.file("system.toml", "url = 'https://system'"),
            "https://system",
        ),
        (
            &|m| m.file("user.toml", "url = 'https://user'"),
            "https://user",
        ),
        (
            &|m| {
                m.file("named.toml", "url = 'https://named'")
                    .named("named.toml")
            },
            "https://named",
        ),
        (
            &|m| m.variable("UFORGE_URL", "https://environment"),
            "https://environment",
        ),
    ];
    for (step, expected) in steps {
        machine = step(machine);
        let url = machine
            .inputs(flags.clone())
            .unwrap()
            .layers
            .pick(keys::URL);
        assert_eq!(url.map_or("none".to_owned(), |url| url.value), expected);
    }
    flags.url = Some("https://flag".to_owned());
    let url = machine.inputs(flags).unwrap().layers.pick(keys::URL);
    assert_eq!(
        url,
        Some(Sourced {
            value: "https://flag".to_owned(),
            origin: Origin::Flag
        })
    );
}

#[test]
fn an_empty_variable_says_nothing() {
    let machine = Machine::new().variable("UFORGE_URL", "");
    assert_eq!(
        machine
            .inputs(Layer::default())
            .unwrap()
            .layers
            .pick(keys::URL),
        None
    );
}

#[test]
fn a_wrong_configuration_file_is_named_with_its_key_and_what_is_allowed() {
    for (text, key, allowed) in [
        ("urll = 'x'", "urll", "`url`"),
        ("format = 'rar'", "format", "`zip`"),
        ("include = ['profil']", "profil", "cloud-accounts"),
        ("progress = 'loud'", "progress", "`plain`"),
        ("max-wait = 'soon'", "soon", "`30m`"),
        ("documents = 'xml'", "documents", "sequence"),
        ("password = 'hunter2'", "password", "`password-file`"),
        ("force = true", "force", "`format`"),
    ] {
        let machine = Machine::new().file("user.toml", text);
        let error = machine.inputs(Layer::default()).unwrap_err();
        let shown = format!("{error}: {}", std::error::Error::source(&error).unwrap());
        for part in ["user.toml", key, allowed] {
            assert!(shown.contains(part), "{part} is missing from: {shown}");
        }
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_number_out_of_range_names_its_origin() {
    for (text, key) in [
        ("jobs = 0", "jobs"),
        ("downloads = 99", "downloads"),
        ("max-wait = '10ms'", "max-wait"),
    ] {
        let machine = Machine::new().file("user.toml", text);
        let inputs = machine.inputs(Layer::default()).unwrap();
        let error = OutputSettings::of(&inputs.layers).unwrap_err().to_string();
        assert!(
            error.contains(key) && error.contains("user.toml") && error.contains("has to be"),
            "{error}"
        );
    }
}

#[test]
fn paths_in_a_file_are_relative_to_it() {
    let machine = Machine::new().file(
        "etc/c.toml",
        "notice = 'notice.txt'\ncacert = '~/ca.pem'\noutput = '/backup'\npassword-file = '-'",
    );
    let machine = machine.named("etc/c.toml");
    let layers = machine.inputs(Layer::default()).unwrap().layers;
    let path = |key: keys::Key<PathBuf>| layers.pick(key).unwrap().value;
    assert_eq!(path(keys::NOTICE), machine.path("etc/notice.txt"));
    assert_eq!(path(keys::CACERT), machine.path("ca.pem"));
    assert_eq!(path(keys::OUTPUT), Path::new("/backup"));
    assert_eq!(path(keys::PASSWORD_FILE), Path::new("-"));
}
