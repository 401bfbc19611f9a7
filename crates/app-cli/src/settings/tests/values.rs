//! What selection and output mean, and how the whole is shown.

use super::*;

#[test]
fn the_selection_is_what_is_included_less_what_is_excluded() {
    let chosen = SelectionSettings::of(&typed(flags(|layer| {
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
        SelectionSettings::of(&typed(nothing)),
        Err(SettingsError::NothingSelected)
    ));
    let ids = flags(|layer| {
        layer.exclude = Some(vec![Section::Appliances]);
        layer.appliance = Some(Vec::new());
    });
    assert!(matches!(
        SelectionSettings::of(&typed(ids)),
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
        SelectionSettings::of(&typed(layer)).map(|s| s.notice)
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
    OutputSettings::of(&typed(flags(set)))
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
    let read: Layer = parse(&text).unwrap();
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

/// A file that says something with every key.
const EVERY_KEY: &str = "url = 'https://h/api'
user = 'john'
as = 'jane'
supervisor = true
password-file = '-'
publickey = 'P'
secretkey-file = '-'
credentials = '-'
cacert = '-'
insecure = true
timeout = 5
include = ['profile']
exclude = ['roles']
appliance = [1]
mysoftware = [2]
output-format = 'json'
documents = ['xml']
redact-secrets = true
strict = true
notice = '-'
output = '-'
format = 'tar'
encrypt-to = ['age1x']
passphrase-file = '-'
jobs = 3
downloads = 1
keep-tickets = true
max-wait = '2h'
progress = 'none'
log = 'info'
";

#[test]
fn every_key_has_the_name_and_the_field_that_a_file_means() {
    let file = Origin::File("f".into());
    for line in EVERY_KEY.lines() {
        let layer: Layer = parse(line).unwrap();
        macro_rules! said {
            ($($key:ident)*) => {
                [$((keys::$key.name(), keys::$key.of(&layer).is_some())),*]
            };
        }
        let said = said!(
            URL USER AS SUPERVISOR PASSWORD_FILE PUBLICKEY SECRETKEY_FILE CREDENTIALS CACERT INSECURE TIMEOUT
            INCLUDE EXCLUDE APPLIANCE MYSOFTWARE OUTPUT_FORMAT DOCUMENTS REDACT_SECRETS STRICT NOTICE
            OUTPUT FORMAT ENCRYPT_TO PASSPHRASE_FILE JOBS DOWNLOADS KEEP_TICKETS MAX_WAIT PROGRESS LOG
        );
        assert_eq!(said.len(), EVERY_KEY.lines().count());
        let named: Vec<_> = said.into_iter().filter(|(_, said)| *said).collect();
        let [(name, _)] = named[..] else {
            panic!("{line}: {named:?}");
        };
        assert!(line.starts_with(&format!("{name} = ")), "{name}: {line}");
        let layers = over_built_in(vec![(file.clone(), layer)]).unwrap();
        assert_eq!(layers.origin(name), file, "{name}");
    }
}

#[test]
fn config_shows_every_key() {
    let machine = Machine::new().file("user.toml", EVERY_KEY);
    let inputs = Inputs::without_credentials(
        &machine.places(),
        Environment::default(),
        &machine.general,
        Layer::default(),
    );
    let shown = effective(&inputs.unwrap());
    let keys = |text: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.split_once(" = "));
        lines.map(|(key, _)| key.to_owned()).collect()
    };
    assert_eq!(keys(&shown), keys(EVERY_KEY));
    let mut values = shown.lines().filter(|line| line.contains(" = "));
    assert!(values.all(|line| line.ends_with("user.toml")), "{shown}");
}

#[test]
fn a_value_that_would_stop_an_export_is_reported_by_config_too() {
    for wrong in [
        "url = 'uforge.example.com'",
        "url = 'https://john:hunter2@h'",
        "user = ''",
        "as = ''",
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
        let read: Layer = parse(&text).unwrap();
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
        let read = parse::<Layer>(&text);
        // A key that nobody knows is never passed over, whatever stands beside it.
        let unknown = format!("password = 'x'\n{text}");
        prop_assert!(parse::<Layer>(&unknown).is_err());
        if let Ok(layer) = read {
            let commented = format!("{text}\n# end\n");
            prop_assert_eq!(parse::<Layer>(&commented).unwrap(), layer);
        }
    }
}
