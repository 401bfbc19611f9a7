//! The template or bundle file of an archive, as far as it names other files of it.
//!
//! The platform's official client writes such archives as well: `template.yml` holds `stack`, with `config` and `bundles`, whose
//! `files` each have a `name` and a `source`, the path inside the archive (`bundles/NAME/VERSION/…`, `config/…`).

use std::collections::BTreeSet;

use domain::bag::verify::{Described, DescribedAs};
use serde_json::Value;

/// Larger than any template.
pub(super) const LARGEST_BYTES: u64 = 16 * 1024 * 1024;
/// Lists whose members are files of the archive.
const LISTS_OF_FILES: [&str; 3] = ["files", "config", "configs"];
/// Single files of the archive.
const LOGO: [&str; 2] = ["sourceLogo", "image"];

/// What a template or bundle file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Json,
    Yaml,
}

impl Language {
    /// The language of a template or bundle file by its name; `None` for any other file.
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, ending) = name.rsplit_once('.')?;
        match (stem, ending) {
            ("template" | "bundle", "json") => Some(Self::Json),
            ("template" | "bundle", "yml" | "yaml") => Some(Self::Yaml),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        }
    }
}

/// What it says: the files that it names, by their paths inside the archive, and what it calls the object. An error is the line where it
/// cannot be parsed.
pub(super) fn read(
    file: &str,
    text: &[u8],
    language: Language,
) -> Result<(BTreeSet<String>, Described), Option<u64>> {
    let document: Value = match language {
        Language::Json => {
            serde_json::from_slice(text).map_err(|error| Some(error.line() as u64))?
        }
        Language::Yaml => {
            let options = serde_saphyr::options! {
                // The official client's parser takes the last of two equal keys.
                duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
            };
            serde_saphyr::from_slice_with_options(text, options)
                .map_err(|error| error.location().map(|at| at.line()))?
        }
    };
    let mut named = BTreeSet::new();
    collect(&document, &mut named);
    Ok((named, described(file, &document)))
}

fn described(file: &str, document: &Value) -> Described {
    let is_template = file
        .rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with("template"));
    let (described_as, object) = if is_template {
        (DescribedAs::Template, document.get("stack"))
    } else {
        let inner = document.get("bundle").filter(|inner| inner.is_object());
        (DescribedAs::Bundle, Some(inner.unwrap_or(document)))
    };
    let object = object.filter(|object| object.is_object());
    let field = |name: &str| match object?.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(_) => Some(String::new()),
        _ => None,
    };
    Described {
        described_as,
        is_known_form: object.is_some(),
        name: field("name"),
        version: field("version"),
    }
}

fn collect(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, named)),
        Value::Object(members) => {
            for (key, value) in members {
                if LISTS_OF_FILES.contains(&key.as_str()) {
                    named.extend(files_of(value));
                } else if LOGO.contains(&key.as_str()) {
                    named.extend(value.as_str().and_then(inside));
                }
                collect(value, named);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The files of one list, at this level.
fn files_of(list: &Value) -> impl Iterator<Item = String> {
    let members = list.as_array().map(Vec::as_slice).unwrap_or_default();
    members.iter().filter_map(|file| {
        // A package of the operating system is named, not enclosed.
        if file.get("tag").and_then(Value::as_str) == Some("ospkg") {
            return None;
        }
        file.get("source").and_then(Value::as_str).and_then(inside)
    })
}

/// A path inside the archive; what is fetched from elsewhere is not.
fn inside(source: &str) -> Option<String> {
    (!source.is_empty() && !source.contains("://")).then(|| source.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEMPLATE: &str = r#"---
stack:
  name: "shop"
  version: 1.0
  os: {name: CentOS, pkgs: [{name: nginx}]}
  sourceLogo: logo/logo.png
  config:
    - {name: boot.sh, source: config/boot.sh}
  bundles:
    - name: data
      license: {source: "http://example.com/l.txt"}
      files:
        - {name: nginx.rpm, source: "nginx.rpm", tag: ospkg}
        - {name: remote, source: "https://example.com/x"}
        - name: app
          source: bundles/data/1.0/app
          files: [{name: a, source: bundles/data/1.0/app/a}]
builders: [{type: "x", source: "not a file"}]
"#;

    fn files(text: &str, language: Language) -> Vec<String> {
        let (named, _) = read("template.yml", text.as_bytes(), language).unwrap();
        named.into_iter().collect()
    }

    #[test]
    fn a_template_names_what_is_enclosed_with_it() {
        let expected = [
            "bundles/data/1.0/app",
            "bundles/data/1.0/app/a",
            "config/boot.sh",
            "logo/logo.png",
        ];
        assert_eq!(files(TEMPLATE, Language::Yaml), expected);
        let value: Value = serde_saphyr::from_slice(TEMPLATE.as_bytes()).unwrap();
        assert_eq!(files(&value.to_string(), Language::Json), expected);
    }

    #[test]
    fn where_it_cannot_be_parsed_is_reported_by_line() {
        let error = read("bundle.yml", b"a: 1\nb: [\n", Language::Yaml).unwrap_err();
        assert!(error.is_some_and(|line| line >= 2), "{error:?}");
        assert_eq!(
            read("bundle.json", b"{\n\"a\": }", Language::Json),
            Err(Some(2))
        );
        assert!(read("template.yml", b"\xff\xfe\xff", Language::Yaml).is_err());
    }

    #[test]
    fn an_expanding_document_is_refused_in_time() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let before = format!("*a{}, ", level - 1).repeat(9);
            bomb = format!("{bomb}a{level}: &a{level} [{before}x]\n");
        }
        assert!(read("template.yml", bomb.as_bytes(), Language::Yaml).is_err());
        let deep = "[".repeat(100_000);
        assert!(read("template.yml", deep.as_bytes(), Language::Yaml).is_err());
        assert!(read("template.yml", deep.as_bytes(), Language::Json).is_err());
    }

    #[test]
    fn only_template_and_bundle_files_describe_an_archive() {
        for (path, language) in [
            ("template.yml", Some(Language::Yaml)),
            ("x/bundle.yaml", Some(Language::Yaml)),
            ("bundle.json", Some(Language::Json)),
            ("mytemplate.yml", None),
            ("template", None),
        ] {
            assert_eq!(Language::of(path), language);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-:{}\\[\\]&*!|>\"' \na-c0-2#%]{0,200}") {
            let _ = read("template.yml", text.as_bytes(), Language::Yaml);
            let _ = read("template.yml", text.as_bytes(), Language::Json);
        }
    }
}
