//! Which fields hold secrets, by name.
//!
//! Gathered from the platform's schema (`credAccount` sub-types, `apiKeyPair`, `artifactCredAccount`, OS users and groups,
//! `installProfile`, images, instances, licences, `CloudstackResources`, certificates) and widened to what names of secrets have
//! in common, because a newer platform has newer fields. In doubt a field is secret.

/// A name that holds one of these holds a secret, unless [`describes_a_secret`] one.
const SECRET_PARTS: [&str; 18] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "credential",
    "privatekey",
    "apikey",
    "accesskey",
    "licensekey",
    "licencekey",
    "licensecontents",
    "activationkey",
    "applicationkey",
    "downloadkey",
    "encryptionkey",
    "usersshkey",
];
/// Whole names of secrets that are too short to look for within others.
const SECRET_NAMES: [&str; 5] = ["pwd", "pass", "passkey", "pin", "otp"];
/// Names with such an end describe a secret (where it is, whether there is one) and are none.
const ABOUT: [&str; 13] = [
    "uri", "uris", "url", "quota", "name", "enabled", "auto", "missing", "count", "type",
    "expires", "login", "date",
];
/// Containers, whose fields are judged each by itself.
const CONTAINERS: [&str; 4] = ["apikeypair", "apikeypairs", "credentials", "tokens"];
/// Fields that say what the `value` beside them is.
const LABELS: [&str; 3] = ["key", "name", "displayname"];
/// Fields that hold whatever the label beside them says.
const LABELLED: [&str; 2] = ["value", "defaultvalue"];
/// Fields whose values come from a short list, where an empty text would be invalid and no secret is echoed.
const ENUMERATED: [&str; 23] = [
    "actionname",
    "arch",
    "architecture",
    "boottype",
    "category",
    "changetype",
    "compresstype",
    "credaccounttype",
    "edition",
    "family",
    "frequency",
    "fstype",
    "ipv4method",
    "ipv6method",
    "keyboard",
    "packagingtype",
    "partitiontype",
    "raidtype",
    "rating",
    "role",
    "selinuxmode",
    "startuptype",
    "type",
];

/// Letters and digits of a name, in lower case: `api-key`, `api_key` and `apiKey` are one.
fn normal(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a field of this name, held by `parent`, is a secret.
pub(super) fn is_secret(name: &str, parent: &str) -> bool {
    let (name, parent) = (normal(name), normal(parent));
    let half_of_a_pair = name == "publickey" && parent.starts_with("apikeypair");
    let inline_key = name == "content" && parent.starts_with("certificate");
    half_of_a_pair || inline_key || names_a_secret(&name)
}

fn names_a_secret(normal: &str) -> bool {
    let looks_secret =
        SECRET_NAMES.contains(&normal) || SECRET_PARTS.iter().any(|part| normal.contains(part));
    looks_secret && !CONTAINERS.contains(&normal) && !describes_a_secret(normal)
}

fn describes_a_secret(normal: &str) -> bool {
    ABOUT.iter().any(|end| normal.ends_with(end))
}

/// Whether a field is the label of the value beside it, and the label's text names a secret.
pub(super) fn labels_a_secret(name: &str, text: &str) -> bool {
    LABELS.contains(&normal(name).as_str()) && names_a_secret(&normal(text))
}

/// Whether a field holds what a label beside it says.
pub(super) fn is_labelled(name: &str) -> bool {
    LABELLED.contains(&normal(name).as_str())
}

/// Whether a parameter of a URL, by name, grants something: a key, a token, a signature.
pub(super) fn is_secret_parameter(name: &str) -> bool {
    let name = normal(name);
    names_a_secret(&name)
        || matches!(
            name.as_str(),
            "key" | "sig" | "signature" | "xamzsignature" | "auth"
        )
}

/// Whether a text of this field may only be one of a few words.
pub(super) fn is_enumerated(name: &str) -> bool {
    ENUMERATED.contains(&normal(name).as_str())
}

/// Numbers, truth values and times: a secret that reads the same is a coincidence, and a blank would be invalid.
pub(super) fn is_figure(text: &str) -> bool {
    let text = text.trim();
    matches!(text, "true" | "false")
        || text.parse::<f64>().is_ok()
        || text.parse::<jiff::Timestamp>().is_ok()
        || text.parse::<jiff::civil::DateTime>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_s_secrets_are_known_by_name() {
        for name in [
            "password",
            "userPassword",
            "accessKeyId",
            "secretAccessKeyId",
            "publicApiKey",
            "secretApiKey",
            "apiKey",
            "secretKey",
            "applicationKey",
            "token",
            "activationKey",
            "downloadKey",
            "licenseKey",
            "licenseContents",
            "userSshKey",
            "api-key",
            "PASSWORD",
            "pass_word",
            "refreshToken",
            "clientSecret",
        ] {
            assert!(is_secret(name, "credAccount"), "{name}");
        }
        assert!(is_secret("content", "certificate"));
        assert!(is_secret("publicKey", "apiKeyPair"));
        assert!(!is_secret("publicKey", "sshKey"));
    }

    #[test]
    fn names_that_only_describe_secrets_are_none() {
        for name in [
            "passwordAuto",
            "passwordEnabled",
            "disablePasswordLogin",
            "secretsMissing",
            "apiKeysQuota",
            "baseApiKeysUri",
            "apiKeyPair",
            "apiKeyPairs",
            "publicKey",
            "sshKey",
            "sshKeys",
            "sshKeyName",
            "keyPairName",
            "keyboard",
            "key",
            "credentialsUri",
            "credAccount",
            "licenses",
            "license",
            "login",
            "certificate",
            "keystoneUrl",
            "content",
            "compass",
            "passenger",
        ] {
            assert!(!is_secret(name, "user"), "{name}");
        }
        assert!(!is_secret("content", "deploymentStream"));
    }

    #[test]
    fn a_label_speaks_for_the_value_beside_it() {
        assert!(labels_a_secret("key", "db.password"));
        assert!(labels_a_secret("name", "API token"));
        assert!(!labels_a_secret("key", "region"));
        assert!(!labels_a_secret("description", "password"));
    }
}
