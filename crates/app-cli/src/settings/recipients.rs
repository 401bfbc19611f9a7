//! age recipients: given as they are, or as a file of them.

use std::io::Read;
use std::path::Path;

use super::{SettingsError, Sourced};

/// Thousands of recipients fit.
const LIMIT_BYTES: u64 = 1024 * 1024;

/// The recipients, each as age writes it. Whether each is one is told by the library that encrypts.
pub(super) fn read(given: &Sourced<Vec<String>>) -> Result<Vec<String>, SettingsError> {
    let mut recipients = Vec::new();
    for text in &given.value {
        if is_recipient(text) {
            recipients.push(text.trim().to_owned());
        } else {
            recipients.extend(of_file(Path::new(text), given)?);
        }
    }
    if recipients.is_empty() {
        return Err(wrong(given, "there is no recipient".to_owned()));
    }
    Ok(recipients)
}

fn is_recipient(text: &str) -> bool {
    ["age1", "ssh-ed25519 ", "ssh-rsa "]
        .iter()
        .any(|start| text.trim_start().starts_with(start))
}

fn of_file(path: &Path, given: &Sourced<Vec<String>>) -> Result<Vec<String>, SettingsError> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LIMIT_BYTES).read_to_string(&mut text))
        .map_err(|error| {
            let path = path.display();
            wrong(
                given,
                format!(
                    "`{path}` is no age or SSH recipient, and no file of them either ({error})"
                ),
            )
        })?;
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            is_recipient(line).then(|| line.to_owned()).ok_or_else(|| {
                let path = path.display();
                wrong(
                    given,
                    format!("a line of `{path}` is no age or SSH recipient"),
                )
            })
        })
        .collect()
}

fn wrong(given: &Sourced<Vec<String>>, problem: String) -> SettingsError {
    SettingsError::Recipient {
        origin: given.origin.clone(),
        problem,
    }
}
