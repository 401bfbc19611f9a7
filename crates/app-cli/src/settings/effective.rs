//! The effective configuration, each value with its origin, as text that is itself a configuration file.

use std::fmt::Write;

use domain::model::{OutputFormat, Representation, Section};
use domain::workflow::Limits;
use serde::Serialize;

use super::method::choose;
use super::{Inputs, Layer, Layers, Origin, ProgressMode, SettingsError, Sourced};
use super::{connection, output, selection};
use crate::credentials::{Method, SecretSource};
use crate::render::number;

/// Column at which origins begin.
const ORIGIN_COLUMN: usize = 44;

/// One key a line; what has no value is not there. No secret, only where it would come from.
pub(crate) fn effective(inputs: &Inputs) -> String {
    let mut text = String::new();
    let layers = &inputs.layers;
    write_connection(&mut text, layers);
    let _ = writeln!(text, "# {}", secret(inputs));
    write_selection(&mut text, layers);
    write_output(&mut text, layers);
    text
}

/// Says which value that is in effect cannot be meant: it would stop an export. Files and secrets are not looked into.
pub(crate) fn check(layers: &Layers) -> Result<(), SettingsError> {
    connection::timeout(layers)?;
    selection::selection(layers)?;
    selection::documents(layers)?;
    output::jobs(layers)?;
    output::downloads(layers)?;
    output::max_wait(layers)?;
    Ok(())
}

fn write_connection(text: &mut String, layers: &Layers) {
    line(text, "url", layers.pick(|l| &l.url));
    line(text, "user", layers.pick(|l| &l.user));
    line(text, "as", layers.pick(|l| &l.as_user));
    line(text, "supervisor", set(layers, |l| &l.supervisor, false));
    line(text, "password-file", layers.pick(|l| &l.password_file));
    line(text, "publickey", layers.pick(|l| &l.publickey));
    line(text, "secretkey-file", layers.pick(|l| &l.secretkey_file));
    line(text, "credentials", layers.pick(|l| &l.credentials));
    line(text, "cacert", layers.pick(|l| &l.cacert));
    line(text, "insecure", set(layers, |l| &l.insecure, false));
    let silence = Limits::SILENCE.as_secs();
    line(text, "timeout", set(layers, |l| &l.timeout, silence));
}

fn write_selection(text: &mut String, layers: &Layers) {
    let all = Section::ALL.to_vec();
    line(text, "include", set(layers, |l| &l.include, all));
    line(text, "exclude", set(layers, |l| &l.exclude, Vec::new()));
    line(text, "appliance", layers.pick(|l| &l.appliance));
    line(text, "mysoftware", layers.pick(|l| &l.mysoftware));
    let yaml = OutputFormat::default();
    line(
        text,
        "output-format",
        set(layers, |l| &l.output_format, yaml),
    );
    let both = vec![Representation::Xml, Representation::Json];
    line(text, "documents", set(layers, |l| &l.documents, both));
    line(
        text,
        "redact-secrets",
        set(layers, |l| &l.redact_secrets, false),
    );
    line(text, "strict", set(layers, |l| &l.strict, false));
    line(text, "notice", layers.pick(|l| &l.notice));
}

fn write_output(text: &mut String, layers: &Layers) {
    line(text, "output", set(layers, |l| &l.output, ".".into()));
    match layers.pick(|l| &l.format) {
        None => text.push_str("# format: from the ending of the output, else zip\n"),
        given => line(text, "format", given),
    }
    line(text, "encrypt-to", layers.pick(|l| &l.encrypt_to));
    line(text, "passphrase-file", layers.pick(|l| &l.passphrase_file));
    line(text, "jobs", set(layers, |l| &l.jobs, number(Limits::JOBS)));
    let downloads = number(Limits::DOWNLOADS);
    line(text, "downloads", set(layers, |l| &l.downloads, downloads));
    line(
        text,
        "keep-tickets",
        set(layers, |l| &l.keep_tickets, false),
    );
    let wait = layers.pick_or(|l| &l.max_wait, Limits::MAX_WAIT);
    let wait = Sourced {
        value: humantime::format_duration(wait.value).to_string(),
        origin: wait.origin,
    };
    line(text, "max-wait", Some(wait));
    line(
        text,
        "progress",
        set(layers, |l| &l.progress, ProgressMode::Auto),
    );
    line(
        text,
        "log",
        set(layers, |l| &l.log, crate::logging::DEFAULT.to_owned()),
    );
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "beside `pick`, which may find nothing"
)]
fn set<T: Clone>(
    layers: &Layers,
    of: impl Fn(&Layer) -> &Option<T>,
    default: T,
) -> Option<Sourced<T>> {
    Some(layers.pick_or(of, default))
}

fn line<T: Serialize>(text: &mut String, key: &'static str, value: Option<Sourced<T>>) {
    let Some(Sourced { value, origin }) = value else {
        return;
    };
    // Strings, numbers, booleans and lists of them are written alike in JSON and in TOML.
    let Ok(value) = serde_json::to_string(&value) else {
        return;
    };
    let assignment = format!("{key} = {}", value.replace("\",\"", "\", \""));
    let origin = match origin {
        Origin::Environment => format!("environment (UFORGE_{})", key.to_uppercase()),
        Origin::Flag => format!("command line (--{key})"),
        origin @ (Origin::Default | Origin::File(_) | Origin::Credentials(_)) => origin.to_string(),
    };
    let _ = writeln!(text, "{assignment:<ORIGIN_COLUMN$} # {origin}");
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
