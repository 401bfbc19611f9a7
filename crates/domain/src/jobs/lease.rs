//! Who runs a job: a lease with a random token, which every write of the run carries.

use std::fmt;

use thiserror::Error;

use super::{Job, JobId, Version};

/// Drawn at random by the store at each claim. Only equality counts: a worker whose lease was lost and given to another one has
/// a token that nothing equals any more.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(String);

/// The text is no token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a token: 32 hexadecimal digits are expected")]
pub struct TokenError;

impl Token {
    const DIGITS: usize = 32;

    /// A token from 128 random bits.
    pub fn of(random: [u8; 16]) -> Self {
        Self(random.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Reads what [`Token::as_str`] gave.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let valid = text.len() == Self::DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(TokenError)
        }
    }

    /// For the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shortened: the whole is a proof.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}…)", self.0.get(..6).unwrap_or_default())
    }
}

/// Proof of being the one who runs a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The claim.
    pub token: Token,
}

/// The process that claims jobs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(String);

impl WorkerId {
    /// Longest name, in bytes.
    pub const BYTES: usize = 100;

    /// A name; what is too long is cut, and what is no letter, digit, `.`, `-` or `_` becomes `-`.
    pub fn of(name: &str) -> Self {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        let letters = name.chars().take(Self::BYTES);
        Self(
            letters
                .map(|letter| if plain(letter) { letter } else { '-' })
                .collect(),
        )
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A job that was claimed to be run.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The job, running from now on.
    pub job: Job,
    /// Which state of it this is.
    pub version: Version,
    /// Proof of the claim.
    pub lease: Lease,
    /// What its owner wants of it.
    pub wish: Option<Wish>,
}

/// What somebody wants of a job that is not theirs to change while it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It is to be given up.
    Cancel,
}

/// A lease that is still held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// Which.
    pub lease: Lease,
    /// What its owner wants of the job.
    pub wish: Option<Wish>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_not_shown_whole() {
        let token = Token::of([0xab; 16]);
        assert_eq!(Token::parse(token.as_str()), Ok(token.clone()));
        assert!(!format!("{token:?}").contains(token.as_str()));
        for text in ["", "ab", "zz", &"g".repeat(32), &"a".repeat(33)] {
            assert_eq!(Token::parse(text), Err(TokenError));
        }
    }

    #[test]
    fn a_worker_has_a_plain_name() {
        assert_eq!(WorkerId::of("host/ä:1").as_str(), "host---1");
        assert_eq!(
            WorkerId::of(&"x".repeat(500)).as_str().len(),
            WorkerId::BYTES
        );
    }
}
