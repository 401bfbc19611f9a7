//! Files that a person writes: credentials, configuration, scenarios.

use app_cli::testing::{CredentialsLanguage, configuration, credentials};
use sandbox::Scenario;

use crate::check_words;
use crate::material::Material;

const SECRET: &str = "tr0ub4dor";

const CREDENTIALS: [&str; 3] = [
    "user : john\npassword: tr0ub4dor\nurl: https://h/api\nacceptAutoSigned: True\n",
    "---\nuser: &u john\npublickey: *u\nsecretkey: \"tr0ub4dor\"\nmore: [1, {a: b}]\n",
    r#"{"user":"j","publickey":"P","secretkey":"tr0ub4dor","url":"https://h","acceptAutoSigned":false,"more":[1]}"#,
];

/// An error repeats nothing of what the file holds; what is read is read the same again, also behind a comment.
#[test]
fn credentials_file() {
    let material = Material::new(
        CREDENTIALS,
        &[
            "user",
            "password",
            ": ",
            "\n",
            "  ",
            "- ",
            "[",
            "]",
            "{",
            "}",
            "&a ",
            "*a",
            "!!binary ",
            "|",
            ">",
            "'",
            "\"",
            "\\u0000",
            "tr0ub4dor",
            "<<: ",
            "%YAML 1.2\n",
            "---\n",
            "...\n",
            "# ",
            "null",
            "~",
            ",",
            "\t",
            "\u{feff}",
        ],
    );
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = material.make(choices);
        for language in [CredentialsLanguage::Yaml, CredentialsLanguage::Json] {
            match credentials(&bytes, language) {
                Ok(read) => assert_eq!(credentials(&bytes, language), Ok(read)),
                Err(words) => {
                    check_words(&words);
                    assert!(!words.contains(SECRET), "{words}");
                }
            }
        }
    });
}

const CONFIGURATION: [&str; 2] = [
    "url = 'https://h/api'\nuser = 'john'\njobs = 4\ntimeout = 30\nmax-wait = '30m'\ninclude = ['appliances', 'roles']\ninsecure = false\n",
    "documents = 'xml,json'\nformat = 'tar.gz'\nappliance = [201, 202]\noutput = '~/backups'\nlog = 'warn'\nredact-secrets = true\n",
];

/// What is read is read the same again and is not changed by a comment; a key that is not known is never passed over.
#[test]
fn configuration_file() {
    let material = Material::new(
        CONFIGURATION,
        &[
            "url",
            "jobs",
            "include",
            "max-wait",
            " = ",
            "'",
            "\"",
            "\"\"\"",
            "[",
            "]",
            "[[a]]",
            "{",
            "}",
            ",",
            "\n",
            "\\u0000",
            "1",
            "-1",
            "9999999999999999999",
            "1e400",
            "nan",
            "true",
            "1979-05-27",
            ".",
            "# ",
            "password = 'x'",
        ],
    );
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = material.make(choices);
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return;
        };
        match configuration(text) {
            Ok(read) => {
                assert_eq!(configuration(&format!("# a comment\n{text}")), Ok(read));
                let unknown = configuration(&format!("password = 'x'\n{text}"));
                assert!(unknown.is_err(), "an unknown key was passed over");
            }
            Err(words) => assert!(!words.trim().is_empty()),
        }
    });
}

const SCENARIOS: [&str; 2] = [
    "seed = 1\n[data]\nappliances = 2\n[[items]]\nkind = 'software'\nid = 301\nfaults = ['single-download']\n",
    "[[faults]]\nrequest = 'GET users/*/roles'\ntimes = 'always'\nfault = { refuse = { status = 503, retry-after = 1 } }\n",
];

/// A scenario is one, or it is said why not: the same each time.
#[test]
fn scenario() {
    let material = Material::new(
        SCENARIOS,
        &[
            "[data]",
            "[[items]]",
            "[[faults]]",
            "kind = ",
            "request = ",
            "'GET users/*'",
            "'* **'",
            "fault = ",
            "{ refuse = ",
            "{ status = 503 }",
            "}",
            "'reset'",
            "id = ",
            "1",
            "-1",
            "\n",
            "times = ",
            "'always'",
            "seed",
            "= 0",
        ],
    );
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = material.make(choices);
        let text = String::from_utf8_lossy(&bytes);
        for read in [Scenario::from_toml, Scenario::from_json] {
            let outcomes = [read(&text), read(&text)].map(|outcome| {
                outcome
                    .map(|scenario| format!("{scenario:?}"))
                    .map_err(|error| error.to_string())
            });
            assert_eq!(outcomes[0], outcomes[1]);
        }
    });
}
