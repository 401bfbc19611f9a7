use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::model::{BagFormat, DocumentForms, ObjectId, Section, Strictness};
use proptest::prelude::*;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::method::choose;
use super::places::parse;
use super::*;
use crate::args::GeneralArguments;
use crate::credentials::{CredentialsError, Method, Secret, SecretSource};

/// A machine with configuration files of its own.
struct Machine {
    folder: TempDir,
    environment: Environment,
    general: GeneralArguments,
}

impl Machine {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment: Environment::default(),
            general: GeneralArguments::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn named(mut self, name: &str) -> Self {
        self.general.config = Some(self.path(name));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        let only = Environment::read(|asked| (asked == name).then(|| value.into())).unwrap();
        let all = &mut self.environment;
        all.url = only.url.or(all.url.take());
        all.user = only.user.or(all.user.take());
        all.publickey = only.publickey.or(all.publickey.take());
        all.password = only.password.or(all.password.take());
        all.secretkey = only.secretkey.or(all.secretkey.take());
        self
    }

    fn inputs(&self, flags: Layer) -> Result<Inputs, SettingsError> {
        let places = Places {
            system: self.path("system.toml"),
            user: Some(self.path("user.toml")),
            home: Some(self.folder.path().to_owned()),
        };
        let inputs =
            Inputs::without_credentials(&places, self.environment.clone(), &self.general, flags)?;
        inputs.check_standard_input()?;
        inputs.add_official(&places)
    }

    fn connection(&self, flags: Layer) -> Result<ConnectionSettings, SettingsError> {
        UnsignedConnection::of(&mut self.inputs(flags)?)?.sign()
    }
}

fn flags(set: impl FnOnce(&mut Layer)) -> Layer {
    let mut layer = Layer::default();
    set(&mut layer);
    layer
}

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

const FULL: &str = "url = 'https://h/api'\nuser = 'john'\npassword-file = 'pw'\n";

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
            .pick(|layer| &layer.url);
        assert_eq!(url.map_or("none".to_owned(), |url| url.value), expected);
    }
    flags.url = Some("https://flag".to_owned());
    let url = machine
        .inputs(flags)
        .unwrap()
        .layers
        .pick(|layer| &layer.url);
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
            .pick(|l| &l.url),
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
    let path = |of: fn(&Layer) -> &Option<PathBuf>| layers.pick(of).unwrap().value;
    assert_eq!(path(|l| &l.notice), machine.path("etc/notice.txt"));
    assert_eq!(path(|l| &l.cacert), machine.path("ca.pem"));
    assert_eq!(path(|l| &l.output), Path::new("/backup"));
    assert_eq!(path(|l| &l.password_file), Path::new("-"));
}

#[test]
fn a_password_comes_from_the_highest_source_that_has_one() {
    let machine = Machine::new()
        .file("user.toml", FULL)
        .file("pw", "from file\n");
    let password = |machine: &Machine, flags: Layer| {
        let signed = machine.connection(flags).unwrap();
        match signed.sign_in {
            SignIn::Direct {
                secret: Secret::Password(password),
                ..
            } => password.expose_secret().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(password(&machine, Layer::default()), "from file");
    let machine = machine.variable("UFORGE_PASSWORD", "from environment");
    assert_eq!(password(&machine, Layer::default()), "from environment");
    let machine = machine.file("flag", "from flag\n");
    let path = machine.path("flag");
    let typed = flags(|layer| layer.password_file = Some(path));
    assert_eq!(password(&machine, typed), "from flag");
}

#[test]
fn a_key_pair_above_a_password_wins_and_beside_it_is_a_contradiction() {
    let machine = Machine::new().file("user.toml", FULL).file("pw", "p");
    let machine = machine
        .variable("UFORGE_PUBLICKEY", "P")
        .variable("UFORGE_SECRETKEY", "S");
    let signed = machine.connection(Layer::default()).unwrap();
    assert!(matches!(
        signed.sign_in,
        SignIn::Direct { secret: Secret::KeyPair { ref public, .. }, .. } if public == "P"
    ));
    let machine = machine.variable("UFORGE_PASSWORD", "p");
    assert!(matches!(
        machine.connection(Layer::default()),
        Err(SettingsError::Credentials(CredentialsError::Both { .. }))
    ));
}

#[test]
fn a_secret_key_beside_another_public_key_is_not_used() {
    let machine = Machine::new().file(
        ".hammr/credentials.yml",
        "user: john\nurl: https://h/api\npublickey: THEIRS\nsecretkey: S\n",
    );
    let typed = flags(|layer| layer.publickey = Some("OTHER".to_owned()));
    let inputs = machine.inputs(typed).unwrap();
    let method = choose(
        &inputs.layers,
        &inputs.environment,
        inputs.official.as_ref(),
    )
    .unwrap();
    assert!(matches!(
        method,
        Method::KeyPair { ref public, secret: SecretSource::Prompt } if public == "OTHER"
    ));
}

const HAMMR: &str = "user: john\npassword: p\nurl: https://h/api/\nacceptAutoSigned: true\n";

#[test]
fn the_official_clients_file_is_enough_to_sign_in() {
    let machine = Machine::new().file(".hammr/credentials.yml", HAMMR);
    let signed = machine.connection(Layer::default()).unwrap();
    assert_eq!(signed.server.url, "https://h/api");
    assert_eq!(signed.user.as_str(), "john");
    assert!(matches!(signed.trust, Trust::Any));
}

#[test]
fn a_password_that_lies_about_goes_only_where_its_file_says() {
    let machine = Machine::new().file(".hammr/credentials.yml", HAMMR);
    for typed in [
        flags(|layer| layer.url = Some("https://elsewhere/api".to_owned())),
        flags(|layer| layer.user = Some("jane".to_owned())),
    ] {
        assert!(machine.inputs(typed).unwrap().official.is_none());
    }
    let same = flags(|layer| layer.url = Some("https://h/api".to_owned()));
    assert!(machine.inputs(same).unwrap().official.is_some());
}

#[test]
fn a_credentials_file_that_was_typed_and_contradicts_is_an_error() {
    let machine = Machine::new().file("c.yml", HAMMR);
    let path = machine.path("c.yml");
    let typed = flags(|layer| {
        layer.credentials = Some(path.clone());
        layer.user = Some("jane".to_owned());
    });
    assert!(matches!(
        machine.inputs(typed),
        Err(SettingsError::Credentials(
            CredentialsError::OtherUser { .. }
        ))
    ));
    let typed = flags(|layer| {
        layer.credentials = Some(path.clone());
        layer.url = Some("https://the-same-by-another-name".to_owned());
    });
    assert!(machine.inputs(typed).unwrap().official.is_some());
    let machine = machine.variable("UFORGE_URL", "https://elsewhere");
    let typed = flags(|layer| layer.credentials = Some(path));
    assert!(machine.inputs(typed).is_err());
}

#[test]
fn a_broken_file_that_nobody_named_is_a_warning() {
    let machine = Machine::new().file(".hammr/credentials.yml", "- hunter2\n");
    let inputs = machine.inputs(Layer::default()).unwrap();
    assert_eq!(inputs.warnings.len(), 1);
    assert!(!inputs.warnings[0].contains("hunter2"));
}

#[test]
fn what_is_missing_is_said_before_anything_is_sent() {
    let machine = Machine::new();
    assert!(matches!(
        machine.connection(Layer::default()),
        Err(SettingsError::NoUrl)
    ));
    let url = flags(|layer| layer.url = Some("https://h".to_owned()));
    assert!(matches!(
        machine.connection(url),
        Err(SettingsError::NoUser)
    ));
    let no_scheme = flags(|layer| layer.url = Some("uforge.example.com/api".to_owned()));
    assert!(matches!(
        machine.connection(no_scheme),
        Err(SettingsError::Url { .. })
    ));
    let supervisor = flags(|layer| {
        layer.url = Some("https://h".to_owned());
        layer.user = Some("root".to_owned());
        layer.supervisor = Some(true);
    });
    assert!(matches!(
        machine.connection(supervisor),
        Err(SettingsError::SupervisorOfNobody)
    ));
}

#[test]
fn a_supervisor_signs_in_as_both() {
    let machine = Machine::new().file("user.toml", FULL).file("pw", "p");
    let typed = flags(|layer| {
        layer.supervisor = Some(true);
        layer.as_user = Some("jane".to_owned());
    });
    let signed = machine.connection(typed).unwrap();
    assert_eq!(signed.user.as_str(), "jane");
    assert!(
        matches!(signed.sign_in, SignIn::Supervisor { ref login, .. } if login.as_str() == "john")
    );
}

#[test]
fn a_password_over_plain_http_is_warned_of_unless_it_stays_on_this_machine() {
    let machine = Machine::new().file("user.toml", FULL);
    for (url, warnings) in [
        ("https://h", 0),
        ("http://h", 1),
        ("http://127.0.0.1:8080/api", 0),
        ("http://localhost", 0),
    ] {
        let typed = flags(|layer| layer.url = Some(url.to_owned()));
        let mut inputs = machine.inputs(typed).unwrap();
        UnsignedConnection::of(&mut inputs).unwrap();
        assert_eq!(inputs.warnings.len(), warnings, "{url}");
    }
    let typed = flags(|layer| layer.insecure = Some(true));
    let mut inputs = machine.inputs(typed).unwrap();
    UnsignedConnection::of(&mut inputs).unwrap();
    assert!(inputs.warnings[0].contains("certificates are not checked"));
}

#[test]
fn a_ca_file_has_to_hold_a_certificate() {
    let machine = Machine::new()
        .file("user.toml", FULL)
        .file("ca.pem", "no certificate");
    for name in ["ca.pem", "none.pem"] {
        let path = machine.path(name);
        let typed = flags(|layer| layer.cacert = Some(path));
        let error = machine.connection(typed).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn standard_input_gives_one_secret() {
    let typed = flags(|layer| {
        layer.password_file = Some("-".into());
        layer.passphrase_file = Some("-".into());
    });
    assert!(Machine::new().inputs(typed).is_err());
}

#[test]
fn the_selection_is_what_is_included_less_what_is_excluded() {
    let layers = |layer| Layers(vec![(Origin::Flag, layer)]);
    let chosen = SelectionSettings::of(&layers(flags(|layer| {
        layer.include = Some(vec![Section::Profile, Section::Roles]);
        layer.exclude = Some(vec![Section::Roles]);
        layer.strict = Some(true);
    })))
    .unwrap();
    assert_eq!(chosen.selection.sections, [Section::Profile].into());
    assert_eq!(chosen.strictness, Strictness::EverySection);
    assert_eq!(chosen.documents, DocumentForms::Both);
    let nothing = flags(|layer| layer.exclude = Some(Section::ALL.to_vec()));
    assert!(matches!(
        SelectionSettings::of(&layers(nothing)),
        Err(SettingsError::NothingSelected)
    ));
    let ids = flags(|layer| {
        layer.exclude = Some(vec![Section::Appliances]);
        layer.appliance = Some(Vec::new());
    });
    assert!(matches!(
        SelectionSettings::of(&layers(ids)),
        Err(SettingsError::IdsOfExcluded { .. })
    ));
}

#[test]
fn a_notice_is_text_of_at_most_a_megabyte() {
    let machine = Machine::new()
        .file("good", "Bonjour")
        .file("large", &"x".repeat(1_048_577));
    fs::write(machine.path("binary"), [0xff, 0x00]).unwrap();
    let notice = |name: &str| {
        let path = machine.path(name);
        let layer = flags(|layer| layer.notice = Some(path));
        SelectionSettings::of(&Layers(vec![(Origin::Flag, layer)])).map(|s| s.notice)
    };
    fs::write(machine.path("marked"), "\u{feff}Bonjour").unwrap();
    for good in ["good", "marked"] {
        assert_eq!(notice(good).unwrap().as_deref(), Some("Bonjour"), "{good}");
    }
    for wrong in ["large", "binary", "missing"] {
        assert!(notice(wrong).is_err(), "{wrong}");
    }
}

fn output(set: impl FnOnce(&mut Layer)) -> Result<OutputSettings, SettingsError> {
    OutputSettings::of(&Layers(vec![(Origin::Flag, flags(set))]))
}

#[test]
fn the_format_follows_the_ending_and_never_contradicts_it() {
    for (path, format) in [
        ("x.zip", BagFormat::Zip),
        ("x.tar", BagFormat::Tar),
        ("x.tar.gz", BagFormat::TarGz),
        ("x.TGZ", BagFormat::TarGz),
        ("x", BagFormat::Zip),
        ("x.bag", BagFormat::Zip),
    ] {
        let settings = output(|layer| layer.output = Some(path.into())).unwrap();
        assert_eq!(settings.format, format, "{path}");
    }
    assert!(matches!(
        output(|layer| {
            layer.output = Some("x.tar".into());
            layer.format = Some(BagFormat::Zip);
        }),
        Err(SettingsError::FormatContradiction { .. })
    ));
    assert!(matches!(
        output(|layer| layer.output = Some("x.zip.age".into())),
        Err(SettingsError::NotEncrypted { .. })
    ));
}

#[test]
fn a_folder_a_file_and_standard_output_are_distinguished() {
    let machine = Machine::new();
    let folder = machine.folder.path().to_owned();
    for (path, target) in [
        (folder.clone(), Target::Folder(folder)),
        ("missing/".into(), Target::Folder("missing/".into())),
        ("-".into(), Target::Stdout),
        ("a/b".into(), Target::File("a/b".into())),
    ] {
        assert_eq!(
            output(|layer| layer.output = Some(path)).unwrap().target,
            target
        );
    }
    assert_eq!(output(|_| {}).unwrap().target, Target::Folder(".".into()));
}

#[test]
fn the_effective_configuration_is_itself_a_configuration_file_without_secrets() {
    let machine = Machine::new()
        .file(
            "user.toml",
            "jobs = 8\ninclude = ['profile', 'roles']\nmax-wait = '2h'",
        )
        .file(
            ".hammr/credentials.yml",
            "user: john\npassword: hunter2\nurl: https://h\n",
        )
        .variable("UFORGE_PASSWORD", "hunter3");
    let typed = flags(|layer| layer.timeout = Some(30));
    let text = effective(&machine.inputs(typed).unwrap());
    assert!(!text.contains("hunter"), "{text}");
    let read = parse(&text).unwrap();
    assert_eq!((read.jobs, read.timeout), (Some(8), Some(30)));
    assert_eq!(read.max_wait, Some(Duration::from_hours(2)));
    assert_eq!(read.user.as_deref(), Some("john"));
    let place = machine.folder.path().display().to_string();
    insta::assert_snapshot!(text.replace(&place, "HOME"));
}

/// Once it printed `format = "zip"` where nobody had said so; a file made of it then contradicted `-o x.tar.gz`.
#[test]
fn the_effective_configuration_leaves_the_format_to_the_ending() {
    let machine = Machine::new();
    let text = effective(&machine.inputs(Layer::default()).unwrap());
    let machine = machine.file("user.toml", &text);
    let typed = flags(|layer| layer.output = Some("x.tar.gz".into()));
    let read = OutputSettings::of(&machine.inputs(typed).unwrap().layers).unwrap();
    assert_eq!(read.format, BagFormat::TarGz);
    let typed = flags(|layer| layer.format = Some(BagFormat::Tar));
    assert!(effective(&machine.inputs(typed).unwrap()).contains("format = \"tar\""));
}

#[test]
fn a_value_that_would_stop_an_export_is_reported_by_config_too() {
    for wrong in [
        "jobs = 99",
        "downloads = 0",
        "timeout = 0",
        "max-wait = '1ms'",
        "documents = []",
        "exclude = ['appliances']\nappliance = [1]",
    ] {
        let machine = Machine::new().file("user.toml", wrong);
        let inputs = machine.inputs(Layer::default()).unwrap();
        assert!(check(&inputs.layers).is_err(), "{wrong}");
    }
    assert!(check(&Machine::new().inputs(Layer::default()).unwrap().layers).is_ok());
}

proptest! {
    #[test]
    fn any_value_of_a_configuration_file_comes_back(
        user in "\\PC{0,40}",
        jobs in any::<u32>(),
        insecure in any::<bool>(),
        ids in proptest::collection::vec(1_i64.., 0..5),
    ) {
        // A string of JSON is a string of TOML as well.
        let quoted = serde_json::Value::from(user.as_str());
        let text = format!("# mine\nuser = {quoted}\njobs={jobs}\ninsecure   =  {insecure}\nappliance = {ids:?}\n");
        let read = parse(&text).unwrap();
        let expected = Layer {
            user: Some(user),
            jobs: Some(u64::from(jobs)),
            insecure: Some(insecure),
            appliance: Some(ids.into_iter().map(|id| ObjectId::try_from(id).unwrap()).collect()),
            ..Layer::default()
        };
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn any_text_is_a_configuration_or_an_error(text in "(url|jobs|include|=|'|\"|\\[|\\]|\\{|\\}|,|\n| |#|-?[0-9]{1,20}|true|[a-z]){0,40}") {
        let read = parse(&text);
        // A key that nobody knows is never passed over, whatever stands beside it.
        let unknown = format!("password = 'x'\n{text}");
        prop_assert!(parse(&unknown).is_err());
        if let Ok(layer) = read {
            let commented = format!("{text}\n# end\n");
            prop_assert_eq!(parse(&commented).unwrap(), layer);
        }
    }
}
