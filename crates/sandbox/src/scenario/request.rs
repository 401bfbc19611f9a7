//! Which requests a rule is about.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer};

/// A method and a path relative to the base, such as `GET users/*/appliances/201/exports/*/downloads`.
///
/// `*` stands for one segment (or for any method), a last `**` for whatever follows. The query is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPattern {
    method: String,
    segments: Vec<String>,
}

/// The text is not a method, one space and a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a request pattern such as `GET users/*/appliances`")]
pub struct PatternError(String);

impl RequestPattern {
    pub(crate) fn matches<S: AsRef<str>>(&self, method: &str, path: &[S]) -> bool {
        if self.method != "*" && self.method != method {
            return false;
        }
        let (fixed, open) = match self.segments.split_last() {
            Some((last, fixed)) if last == "**" => (fixed, true),
            _ => (self.segments.as_slice(), false),
        };
        let long_enough = if open {
            path.len() >= fixed.len()
        } else {
            path.len() == fixed.len()
        };
        long_enough
            && fixed
                .iter()
                .zip(path)
                .all(|(wanted, seen)| wanted == "*" || wanted == seen.as_ref())
    }
}

impl FromStr for RequestPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let wrong = || PatternError(text.to_owned());
        let (method, path) = text.split_once(' ').ok_or_else(wrong)?;
        let upper = method == "*" || method.bytes().all(|byte| byte.is_ascii_uppercase());
        if method.is_empty() || !upper || path.is_empty() || path.contains([' ', '?']) {
            return Err(wrong());
        }
        let segments = path
            .trim_start_matches('/')
            .split('/')
            .map(str::to_owned)
            .collect();
        Ok(Self {
            method: method.to_owned(),
            segments,
        })
    }
}

impl fmt::Display for RequestPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.segments.join("/"))
    }
}

impl<'de> Deserialize<'de> for RequestPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}
