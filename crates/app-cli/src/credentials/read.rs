//! Reads a secret from where it is.

use std::io::IsTerminal;
use std::path::Path;

use secrecy::SecretString;

use super::{CredentialsError, Method, Secret, SecretSource, terminal};
use crate::compose::{TextFileError, first_line as first_line_of};

/// Enter alone is no answer: it is asked again, this often in all.
const ATTEMPTS: usize = 3;

const PASSWORD: &str = "password";
const SECRET_KEY: &str = "secret key";
/// What a passphrase is called in messages.
pub(crate) const PASSPHRASE: &str = "passphrase";

/// Reads the secret of a method; asks for it where a person sits at a terminal.
pub(crate) fn read(method: Method, user: &str) -> Result<Secret, CredentialsError> {
    match method {
        Method::Password(source) => {
            let prompt = format!("Password of {user}: ");
            let missing = || CredentialsError::NoPassword {
                user: user.to_owned(),
            };
            fetch(source, PASSWORD, &prompt, missing).map(Secret::Password)
        }
        Method::KeyPair { public, secret } => {
            let prompt = format!("Secret key of {public}: ");
            let missing = || CredentialsError::NoSecretKey {
                publickey: public.clone(),
            };
            let secret = fetch(secret, SECRET_KEY, &prompt, missing)?;
            Ok(Secret::KeyPair { public, secret })
        }
    }
}

/// Reads the passphrase of a secret key; without a file, asks for it where a person sits at a terminal.
pub(crate) fn key_passphrase(
    key: &Path,
    file: Option<&Path>,
) -> Result<SecretString, CredentialsError> {
    let source = file.map_or(SecretSource::Prompt, |file| {
        SecretSource::File(file.to_owned())
    });
    let prompt = format!("Passphrase of {}: ", key.display());
    fetch(source, PASSPHRASE, &prompt, || {
        CredentialsError::NoKeyPassphrase {
            key: key.to_owned(),
        }
    })
}

fn fetch(
    source: SecretSource,
    what: &'static str,
    prompt: &str,
    missing: impl FnOnce() -> CredentialsError,
) -> Result<SecretString, CredentialsError> {
    match source {
        SecretSource::Known(secret) => Ok(secret),
        SecretSource::File(path) => first_line(&path, what),
        SecretSource::Prompt
            if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() =>
        {
            // Asked on the terminal itself: standard output may be the bag.
            for _ in 0..ATTEMPTS {
                let typed = terminal::ask(prompt)
                    .map_err(|source| CredentialsError::Prompt { what, source })?;
                if !typed.is_empty() {
                    return Ok(SecretString::from(typed.as_str()));
                }
            }
            Err(CredentialsError::NothingTyped { what })
        }
        SecretSource::Prompt => Err(missing()),
    }
}

/// The first line of a file without its line end; `-` is standard input.
pub(crate) fn first_line(
    path: &Path,
    what: &'static str,
) -> Result<SecretString, CredentialsError> {
    first_line_of(path)
        .map(|line| SecretString::from(line.as_str()))
        .map_err(|problem| match problem {
            TextFileError::Io(source) => CredentialsError::Unreadable {
                what,
                path: path.to_owned(),
                source,
            },
            problem => CredentialsError::Wrong {
                what,
                path: path.to_owned(),
                problem: match problem {
                    TextFileError::TooLarge { limit } => format!("longer than {limit}"),
                    other => other.to_string(),
                },
            },
        })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn only_the_first_line_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "\u{feff}first\r\nsecond\n").unwrap();
        assert_eq!(
            first_line(&path, PASSWORD).unwrap().expose_secret(),
            "first"
        );
        let missing = first_line(&folder.path().join("none"), PASSWORD).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("could not read the password from")
        );
    }
}
