//! The effective configuration, each value with its origin, as text that is itself a configuration file.

use super::method::choose;
use super::{Inputs, Layers, SettingsError, keys};
use super::{connection, output, selection};
use crate::credentials::{Method, SecretSource};

const CONNECTION: [&str; 11] = [
    keys::URL.name(),
    keys::USER.name(),
    keys::AS.name(),
    keys::SUPERVISOR.name(),
    keys::PASSWORD_FILE.name(),
    keys::PUBLICKEY.name(),
    keys::SECRETKEY_FILE.name(),
    keys::CREDENTIALS.name(),
    keys::CACERT.name(),
    keys::INSECURE.name(),
    keys::TIMEOUT.name(),
];

const SELECTION: [&str; 9] = [
    keys::INCLUDE.name(),
    keys::EXCLUDE.name(),
    keys::APPLIANCE.name(),
    keys::MYSOFTWARE.name(),
    keys::OUTPUT_FORMAT.name(),
    keys::DOCUMENTS.name(),
    keys::REDACT_SECRETS.name(),
    keys::STRICT.name(),
    keys::NOTICE.name(),
];

const OUTPUT: [&str; 12] = [
    keys::OUTPUT.name(),
    keys::FORMAT.name(),
    keys::ENCRYPT_TO.name(),
    keys::PASSPHRASE_FILE.name(),
    keys::JOBS.name(),
    keys::DOWNLOADS.name(),
    keys::KEEP_TICKETS.name(),
    keys::MAX_WAIT.name(),
    keys::SIGN_KEY.name(),
    keys::SIGN_PASSPHRASE_FILE.name(),
    keys::PROGRESS.name(),
    keys::LOG.name(),
];

/// One key a line; what has no value is not there. No secret, only where it would come from.
pub(crate) fn effective(inputs: &Inputs) -> String {
    let mut text = String::new();
    let lines = |keys: &[&str]| -> Vec<String> {
        keys.iter()
            .filter_map(|key| line(&inputs.layers, key))
            .collect()
    };
    let sign_in = format!("# {}", secret(inputs));
    let all = [
        lines(&CONNECTION),
        vec![sign_in],
        lines(&SELECTION),
        lines(&OUTPUT),
    ];
    for line in all.into_iter().flatten() {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn line(layers: &Layers, key: &str) -> Option<String> {
    let variable = format!("UFORGE_{}", key.to_uppercase());
    let line = layers.line(key, &variable);
    let unsaid = "# format: from the ending of the output, else zip";
    line.or_else(|| (key == keys::FORMAT.name()).then(|| unsaid.to_owned()))
}

/// Says which value that is in effect cannot be meant: it would stop an export. Files and secrets are not looked into.
pub(crate) fn check(layers: &Layers) -> Result<(), SettingsError> {
    connection::check_whom(layers)?;
    connection::timeout(layers)?;
    selection::selection(layers)?;
    selection::documents(layers)?;
    output::jobs(layers)?;
    output::downloads(layers)?;
    output::max_wait(layers)?;
    Ok(())
}

fn secret(inputs: &Inputs) -> String {
    let source = |source: &SecretSource, variable: &str| match source {
        SecretSource::File(path) => format!("the first line of {}", path.display()),
        SecretSource::Known(_) => format!("known, from {variable} or the credentials file"),
        SecretSource::Prompt => "asked for at a terminal".to_owned(),
    };
    match choose(
        &inputs.layers,
        &inputs.environment,
        inputs.official.as_ref(),
    ) {
        Ok(Method::Password(from)) => format!("password: {}", source(&from, "UFORGE_PASSWORD")),
        Ok(Method::KeyPair { secret, .. }) => {
            format!("secret key: {}", source(&secret, "UFORGE_SECRETKEY"))
        }
        Err(error) => format!("signing in: {error}"),
    }
}
