use clap::{CommandFactory, Parser};

use super::*;

fn help_of(path: &[&str]) -> String {
    let mut command = Arguments::command();
    command.build();
    let mut command = &mut command;
    for name in path {
        command = command.find_subcommand_mut(name).unwrap();
    }
    command.render_long_help().to_string()
}

#[test]
fn clap_finds_nothing_wrong_with_the_definitions() {
    Arguments::command().debug_assert();
}

#[test]
fn help_reads_like_this() {
    insta::assert_snapshot!("help", help_of(&[]));
    for name in [
        "export", "demo", "plan", "verify", "list", "import", "sandbox", "discard", "config",
    ] {
        insta::assert_snapshot!(format!("help-{name}"), help_of(&[name]));
    }
}

#[test]
fn help_fits_80_columns() {
    let names = Arguments::command();
    for name in names.get_subcommands().map(clap::Command::get_name) {
        for line in help_of(&[name]).lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn an_unknown_section_is_refused_with_those_that_there_are() {
    let error =
        Arguments::try_parse_from(["uforge-export", "export", "--include", "profile,appliance"])
            .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("appliances, mysoftware, cloud-accounts"),
        "{text}"
    );
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn contradictions_on_the_command_line_are_refused() {
    for wrong in [
        &["export", "--password-file", "a", "--publickey", "k"][..],
        &["export", "--encrypt-to", "age1x", "--passphrase-file", "f"],
        &["export", "--jobs", "0"],
        &["export", "--downloads", "1000"],
        &["export", "--timeout", "0"],
        &["export", "--max-wait", "soon"],
        &["export", "--appliance", "-3"],
        &["export", "--format", "rar"],
        &["export", "--password", "secret"],
        &["verify"],
        &["verify", "b", "--url", "u"],
        &["verify", "b", "-u", "john"],
        &["verify", "b", "--insecure"],
        &["verify", "b", "http://x/api"],
        &["verify", "--against"],
        &[
            "verify",
            "b",
            "http://x/api",
            "--against",
            "-a",
            "http://y/api",
        ],
        &[
            "verify",
            "b",
            "--against",
            "--password-file",
            "a",
            "-k",
            "k",
        ],
        &["-q", "-v", "man"],
        &["sandbox", "--listen", "8080"],
    ] {
        let arguments = ["uforge-export"].iter().chain(wrong);
        assert!(Arguments::try_parse_from(arguments).is_err(), "{wrong:?}");
    }
}

#[test]
fn every_flag_of_the_contract_is_there() {
    let typed = "uforge-export export -a u -u l --as x --supervisor --password-file f -c c --cacert p \
        --insecure --timeout 5 --include profile,roles --exclude roles --appliance 1,2 --mysoftware 3 \
        --output-format json --documents xml --redact-secrets --strict --notice n -o - --force -f tar.gz \
        --encrypt-to age1a --encrypt-to age1b -j 3 --downloads 1 --keep-tickets --max-wait 2h --restart \
        --progress json --log debug -q --config t";
    let Command::Export(arguments) = Arguments::try_parse_from(typed.split_whitespace())
        .unwrap()
        .command
    else {
        unreachable!()
    };
    let mut layer = crate::settings::Layer::default();
    arguments.connection.fill(&mut layer);
    arguments.selection.fill(&mut layer);
    arguments.output.fill(&mut layer);
    assert_eq!(layer.appliance.map(|ids| ids.len()), Some(2));
    assert_eq!(layer.encrypt_to.map(|all| all.len()), Some(2));
    assert_eq!(layer.format, Some(domain::model::BagFormat::TarGz));
    assert_eq!(layer.max_wait, Some(std::time::Duration::from_hours(2)));
    assert_eq!((layer.force, layer.restart), (Some(true), Some(true)));
}

#[test]
fn what_was_not_typed_says_nothing() {
    let Command::Export(arguments) = Arguments::try_parse_from(["uforge-export", "export"])
        .unwrap()
        .command
    else {
        unreachable!()
    };
    let mut layer = crate::settings::Layer::default();
    arguments.connection.fill(&mut layer);
    arguments.selection.fill(&mut layer);
    arguments.output.fill(&mut layer);
    assert_eq!(layer, crate::settings::Layer::default());
}

#[test]
fn the_platform_to_verify_against_is_taken_in_every_order() {
    for typed in [
        "verify b --against -a http://x -u john",
        "verify --against b -a http://x -u john",
        "verify -a http://x --against -u john b",
        "verify b --against http://x -u john",
        "verify --against b http://x -u john",
        "verify b --deep --json http://x --against -u john",
    ] {
        let typed = std::iter::once("uforge-export").chain(typed.split_whitespace());
        let Command::Verify(mut arguments) = Arguments::try_parse_from(typed).unwrap().command
        else {
            unreachable!()
        };
        assert!(arguments.against);
        assert_eq!(arguments.bag, PathBuf::from("b"));
        let connection = arguments.connection();
        assert_eq!(connection.url.as_deref(), Some("http://x"));
        assert_eq!(connection.user.as_deref(), Some("john"));
    }
}
