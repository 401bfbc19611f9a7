use std::path::PathBuf;

use serde::Deserialize;

use super::*;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Said {
    name: Option<String>,
    many: Option<Vec<String>>,
    number: Option<u64>,
    on: Option<bool>,
    #[serde(with = "crate::path")]
    file: Option<PathBuf>,
}

const NAME: Key<Said, String> = Key::new("name", |said| &said.name);
const MANY: Key<Said, Vec<String>> = Key::new("many", |said| &said.many);
const NUMBER: Key<Said, u64> = Key::new("number", |said| &said.number);
const ON: Key<Said, bool> = Key::new("on", |said| &said.on);
const FILE: Key<Said, PathBuf> = Key::new("file", |said| &said.file);

fn file(name: &str) -> Origin {
    Origin::File(name.into())
}

fn layers() -> Layers<Said> {
    let built_in = Said {
        number: Some(1),
        many: Some(Vec::new()),
        ..Said::default()
    };
    let lower = Said {
        name: Some("0123".to_owned()),
        many: Some(vec!["a,b".to_owned()]),
        on: Some(true),
        number: Some(u64::MAX),
        ..Said::default()
    };
    let upper = Said {
        many: Some(Vec::new()),
        on: Some(false),
        ..Said::default()
    };
    Layers::new(
        built_in,
        vec![(file("lower"), lower), (Origin::Flag, upper)],
    )
    .unwrap()
}

fn sourced<T>(value: T, origin: Origin) -> Sourced<T> {
    Sourced { value, origin }
}

#[test]
fn the_highest_layer_that_says_anything_wins_and_is_the_origin() {
    let layers = layers();
    let name = "0123".to_owned();
    assert_eq!(layers.pick(NAME), Some(sourced(name, file("lower"))));
    assert_eq!(layers.get(NUMBER), sourced(u64::MAX, file("lower")));
    assert_eq!(layers.pick(ON), Some(sourced(false, Origin::Flag)));
    assert_eq!(layers.pick(FILE), None);
}

#[test]
fn an_empty_list_is_a_value() {
    assert_eq!(layers().pick(MANY), Some(sourced(Vec::new(), Origin::Flag)));
}

#[test]
fn layers_are_added_where_they_belong() {
    let named = |name: &str| Said {
        name: Some(name.to_owned()),
        number: Some(7),
        ..Said::default()
    };
    let mut all = layers();
    all.add_lowest(file("lowest"), named("lowest")).unwrap();
    assert_eq!(all.pick(NAME).unwrap().value, "0123");
    all.add_below(&Origin::Flag, file("middle"), named("middle"))
        .unwrap();
    assert_eq!(all.pick(NAME).unwrap().value, "middle");
    assert_eq!(all.get(NUMBER), sourced(7, file("middle")));
    let origins: Vec<_> = all
        .sources()
        .map(|(origin, _)| origin.to_string())
        .collect();
    assert_eq!(
        origins,
        ["default", "lowest", "lower", "middle", "command line"]
    );
}

#[test]
fn a_line_is_a_line_of_a_configuration_file() {
    let layers = layers();
    let line = |key| layers.line(key, "V");
    assert_eq!(
        line("name").unwrap(),
        "name = \"0123\"                                # lower"
    );
    let all: String = ["name", "many", "number", "on", "file"]
        .into_iter()
        .filter_map(line)
        .filter(|line| !line.starts_with("number"))
        .map(|line| line + "\n")
        .collect();
    let read: Said = crate::parse(&all).unwrap();
    assert_eq!((read.on, read.many), (Some(false), Some(Vec::new())));
    assert_eq!(line("file"), None);
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    for (url, shown) in [
        ("https://u:hunter2@h/api", "\"https://***@h/api\""),
        ("https://hunter2@h", "\"https://***@h\""),
        ("https://u:hunt@er2@h:1?x", "\"https://***@h:1?x\""),
        ("https://h/a@b", "\"https://h/a@b\""),
        ("https://h", "\"https://h\""),
        ("j@h", "\"j@h\""),
    ] {
        let layer = Said {
            name: Some(url.to_owned()),
            ..Said::default()
        };
        let layers = Layers::new(layer, Vec::new()).unwrap();
        let line = layers.line("name", "").unwrap();
        assert!(line.starts_with(&format!("name = {shown} ")), "{line}");
    }
}

#[test]
#[cfg(unix)]
fn a_path_need_not_be_text() {
    use std::os::unix::ffi::OsStringExt as _;
    let path = PathBuf::from(std::ffi::OsString::from_vec(b"/j\xf6hn".to_vec()));
    let layer = Said {
        file: Some(path.clone()),
        ..Said::default()
    };
    let origin = Origin::File(path.clone());
    let layers = Layers::new(Said::default(), vec![(origin.clone(), layer)]).unwrap();
    assert_eq!(layers.pick(FILE), Some(sourced(path.clone(), origin)));
    let line = layers.line("file", "").unwrap();
    let read: Said = crate::parse(&line).unwrap();
    assert_eq!(read.file, Some(path));
}

#[test]
fn no_password_of_any_url_is_shown() {
    for (value, shown) in [
        ("\"https://h/api\"", "\"https://h/api\""),
        ("\"https://jo:secret@h/api\"", "\"https://***@h/api\""),
        ("\"https://secret@h/@team\"", "\"https://***@h/@team\""),
        (
            "[\"http://a:secret@b\",\"http://c:secret@d/e\"]",
            "[\"http://***@b\",\"http://***@d/e\"]",
        ),
        (
            "\"postgres://u@h/d?sslmode=x\"",
            "\"postgres://u@h/d?sslmode=x\"",
        ),
        ("\"postgres://u:secret@h/d\"", "\"postgres://***@h/d\""),
        ("\"postgres://u:se/secret@h/d\"", "\"postgres://***@h/d\""),
        (
            "\"postgresql://h/d?user=u&password=secret&sslPassword=secret&a=b\"",
            "\"postgresql://h/d?user=u&password=***&sslPassword=***&a=b\"",
        ),
    ] {
        assert_eq!(super::without_credentials(value), shown);
    }
}
