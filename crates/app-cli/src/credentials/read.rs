//! Reads a secret from where it is.

use std::io::{BufRead, BufReader, IsTerminal};
use std::path::Path;

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{CredentialsError, Method, Secret, SecretSource};

/// No password is as long; a file of gigabytes given by mistake is not read.
const LONGEST_LINE_BYTES: u64 = 4096;

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
            rpassword::prompt_password(prompt)
                .map(SecretString::from)
                .map_err(|source| CredentialsError::Prompt { what, source })
        }
        SecretSource::Prompt => Err(missing()),
    }
}

/// The first line of a file without its line end; `-` is standard input.
pub(crate) fn first_line(
    path: &Path,
    what: &'static str,
) -> Result<SecretString, CredentialsError> {
    let mut line = Zeroizing::new(Vec::with_capacity(256));
    let read = if path.as_os_str() == "-" {
        read_line(std::io::stdin().lock(), &mut line)
    } else {
        std::fs::File::open(path).and_then(|file| read_line(BufReader::new(file), &mut line))
    };
    read.map_err(|source| CredentialsError::Unreadable {
        what,
        path: path.to_owned(),
        source,
    })?;
    secret_of(&line).map_err(|problem| CredentialsError::Wrong {
        what,
        path: path.to_owned(),
        problem,
    })
}

fn read_line(reader: impl BufRead, line: &mut Zeroizing<Vec<u8>>) -> std::io::Result<usize> {
    reader.take(LONGEST_LINE_BYTES + 1).read_until(b'\n', line)
}

fn secret_of(line: &[u8]) -> Result<SecretString, &'static str> {
    if u64::try_from(line.len()).is_ok_and(|length| length > LONGEST_LINE_BYTES) {
        return Err("longer than 4096 bytes");
    }
    let text = std::str::from_utf8(line).map_err(|_| "not text in UTF-8")?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("empty");
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn only_the_line_end_is_no_part_of_a_secret() {
        for (written, meant) in [
            ("secret\n", "secret"),
            ("secret\r\n", "secret"),
            ("secret", "secret"),
            (" with spaces \n", " with spaces "),
            ("ü\n", "ü"),
        ] {
            assert_eq!(
                secret_of(written.as_bytes()).unwrap().expose_secret(),
                meant
            );
        }
        for wrong in [&b"\n"[..], b"", b"\xff\n", &[b'x'; 5000]] {
            assert!(secret_of(wrong).is_err());
        }
    }

    #[test]
    fn only_the_first_line_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "first\nsecond\n").unwrap();
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
