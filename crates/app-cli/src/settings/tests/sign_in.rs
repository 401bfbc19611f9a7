//! Who signs in, with which secret.

use super::*;

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
fn a_password_that_nobody_named_goes_only_where_its_file_says() {
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
