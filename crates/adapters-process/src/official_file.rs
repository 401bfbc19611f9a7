//! The credentials file of the official client (`~/.hammr/credentials.yml` or `.json`): a flat mapping.
//!
//! Its keys are `user`, `password` or `publickey` and `secretkey`, `url`, `acceptAutoSigned`. Other keys are ignored.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use domain::object::Object;
use domain::text::decode;
use secrecy::SecretString;
use serde::Deserialize;
use thiserror::Error;
use zeroize::Zeroizing;

/// The real ones have some 200 bytes.
const LIMIT_BYTES: u64 = 64 * 1024;

/// Why a credentials file cannot be used. What is in it is never repeated.
#[derive(Debug, Error)]
pub enum OfficialFileError {
    /// Not there, or not for us to read.
    #[error("could not read the credentials file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Something else than a credentials file.
    #[error("the credentials file `{}` {problem}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: OfficialFileProblem,
    },
}

/// What is wrong with the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OfficialFileProblem {
    /// Larger than any such file.
    #[error("is larger than 64 KiB")]
    TooLarge,
    /// Not text.
    #[error("is not text in UTF-8")]
    NotText,
    /// Text, but not a mapping of these names.
    #[error(
        "is no mapping of `user`, `password`, `publickey`, `secretkey`, `url`, `acceptAutoSigned` (line {line})"
    )]
    NotAMapping {
        /// Where that was seen.
        line: u64,
    },
}

/// What such a file holds.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct OfficialFile {
    /// The platform's base URL.
    pub url: Option<String>,
    /// The login.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<SecretString>,
    /// The public key of an API key pair.
    pub publickey: Option<String>,
    /// Its secret key.
    pub secretkey: Option<SecretString>,
    /// Whether any certificate is accepted.
    #[serde(rename = "acceptAutoSigned")]
    pub accept_auto_signed: Option<bool>,
}

impl fmt::Debug for OfficialFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfficialFile")
            .field("url", &self.url)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// The language that a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfficialLanguage {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

impl OfficialFile {
    /// Reads a file; its ending says in which language.
    pub fn read(path: &Path) -> Result<Self, OfficialFileError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
        std::fs::File::open(path)
            .and_then(|file| file.take(LIMIT_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|source| OfficialFileError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
        let json = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let language = if json {
            OfficialLanguage::Json
        } else {
            OfficialLanguage::Yaml
        };
        Self::parse(&bytes, language).map_err(|problem| OfficialFileError::Wrong {
            path: path.to_owned(),
            problem,
        })
    }

    /// Reads the content.
    pub fn parse(bytes: &[u8], language: OfficialLanguage) -> Result<Self, OfficialFileProblem> {
        if u64::try_from(bytes.len()).is_ok_and(|length| length > LIMIT_BYTES) {
            return Err(OfficialFileProblem::TooLarge);
        }
        let text = decode(bytes).map_err(|_| OfficialFileProblem::NotText)?;
        let text = Zeroizing::new(text.into_owned());
        // The libraries' own messages quote the text, and the text is a password.
        match language {
            OfficialLanguage::Json => serde_json::from_str(&text)
                .map(|Object(file)| file)
                .map_err(|error| OfficialFileProblem::NotAMapping {
                    line: u64::try_from(error.line()).unwrap_or(0),
                }),
            OfficialLanguage::Yaml => serde_saphyr::from_str(&text)
                .map(|Object(file)| file)
                .map_err(|error| OfficialFileProblem::NotAMapping {
                    line: error.location().map_or(1, |place| place.line()),
                }),
        }
    }

    /// The usual file of this home, where there is one.
    pub fn usual(home: &Path) -> Option<PathBuf> {
        ["credentials.yml", "credentials.json"]
            .map(|name| home.join(".hammr").join(name))
            .into_iter()
            .find(|path| path.is_file())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_official_clients_yaml_is_read() {
        let file = OfficialFile::parse(
            b"user : john\npassword: 0123\nurl: https://h/api\nacceptAutoSigned: True\n",
            OfficialLanguage::Yaml,
        )
        .unwrap();
        assert_eq!(file.user.as_deref(), Some("john"));
        assert_eq!(file.url.as_deref(), Some("https://h/api"));
        assert_eq!(file.accept_auto_signed, Some(true));
        assert_eq!(file.password.unwrap().expose_secret(), "0123");
    }

    #[test]
    fn passwords_that_look_like_something_else_stay_as_they_are() {
        for (written, meant) in [
            ("password: 1e5", "1e5"),
            ("password: true", "true"),
            ("password: 'it''s'", "it's"),
            ("password: \"a b # c\"", "a b # c"),
            ("password: x#y", "x#y"),
            ("password: 2024-01-01", "2024-01-01"),
            ("---\npassword: p\r\n", "p"),
        ] {
            let file = OfficialFile::parse(written.as_bytes(), OfficialLanguage::Yaml).unwrap();
            assert_eq!(file.password.unwrap().expose_secret(), meant, "{written}");
        }
    }

    #[test]
    fn the_official_clients_json_is_read() {
        let json = br#"{"user":"j","publickey":"P","secretkey":"S","url":"https://h","acceptAutoSigned":false,"more":1}"#;
        let file = OfficialFile::parse(json, OfficialLanguage::Json).unwrap();
        assert_eq!(file.publickey.as_deref(), Some("P"));
        assert_eq!(file.secretkey.unwrap().expose_secret(), "S");
        assert_eq!(file.accept_auto_signed, Some(false));
    }

    #[test]
    fn an_error_never_repeats_what_the_file_holds() {
        for (text, language) in [
            ("password: [hunter2", OfficialLanguage::Yaml),
            ("hunter2", OfficialLanguage::Yaml),
            ("password: {hunter2: hunter2}", OfficialLanguage::Yaml),
            ("{\"password\": \"hunter2\"", OfficialLanguage::Json),
            ("{\"password\": [\"hunter2\"]}", OfficialLanguage::Json),
            (
                "[\"https://h\", \"john\", \"hunter2\"]",
                OfficialLanguage::Json,
            ),
            (
                "[\"https://h\", \"john\", \"hunter2\"]",
                OfficialLanguage::Yaml,
            ),
        ] {
            let problem = OfficialFile::parse(text.as_bytes(), language).unwrap_err();
            assert!(!format!("{problem} {problem:?}").contains("hunter2"));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_in_quotes_comes_back(user in "\\PC{0,40}", password in "\\PC{0,40}") {
            let json = serde_json::json!({ "user": user, "password": password }).to_string();
            let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
            let yaml = format!("# the account\nuser: {}\npassword:   {}\nmore: [1]\n", quoted(&user), quoted(&password));
            for (text, language) in [(&json, OfficialLanguage::Json), (&json, OfficialLanguage::Yaml), (&yaml, OfficialLanguage::Yaml)] {
                let file = OfficialFile::parse(text.as_bytes(), language).unwrap();
                prop_assert_eq!(file.user.as_ref(), Some(&user), "{}", text);
                let read = file.password.unwrap();
                prop_assert_eq!(read.expose_secret(), password.as_str(), "{}", text);
            }
        }

        #[test]
        fn a_refusal_repeats_nothing_of_a_damaged_file(cut in any::<prop::sample::Index>(), with in "[\\[\\]{}:,&*!|>'\"%@` \n\t-]{1,4}") {
            for (text, language) in [
                ("user: john\npassword: hunter2\nurl: https://hunter2\n", OfficialLanguage::Yaml),
                ("{\"user\": \"john\", \"password\": \"hunter2\", \"hunter2\": []}", OfficialLanguage::Json),
            ] {
                let (begin, end) = text.split_at(cut.index(text.len()));
                if let Err(problem) = OfficialFile::parse(format!("{begin}{with}{end}").as_bytes(), language) {
                    let words = format!("{problem} {problem:?}");
                    prop_assert!(!words.contains("hunter2"), "{}", words);
                }
            }
        }

        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes in any::<Vec<u8>>(), text in "(user|password|url|&a|\\*a|- |: |\\[|\\{|\n|  |'|\"|[a-z])*") {
            for language in [OfficialLanguage::Yaml, OfficialLanguage::Json] {
                let _ = OfficialFile::parse(&bytes, language);
                let _ = OfficialFile::parse(text.as_bytes(), language);
            }
        }
    }
}
