//! What a job is called.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that cannot name a job.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("this is not the id of an export")]
pub struct JobIdError;

/// The name of a job, in URLs and as a folder's name: a UUID in lower case with its four hyphens.
///
/// ```
/// use domain::jobs::JobId;
/// assert!(JobId::parse("018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f").is_ok());
/// assert!(JobId::parse("../018f3c5e-7b1a-7c3e-9d55-0a1b2c3d").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(String);

impl JobId {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    const LENGTH: usize = 36;

    /// Takes a UUID as it is usually written (RFC 9562 §4), in lower case.
    pub fn parse(text: &str) -> Result<Self, JobIdError> {
        let well_formed = text.len() == Self::LENGTH
            && text.bytes().enumerate().all(|(at, byte)| {
                if Self::HYPHENS.contains(&at) {
                    byte == b'-'
                } else {
                    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
                }
            });
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(JobIdError)
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for JobId {
    type Error = JobIdError;
    fn try_from(text: String) -> Result<Self, JobIdError> {
        Self::parse(&text)
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_uuid_in_lower_case_is_a_job_s_id() {
        for wrong in [
            "",
            "1",
            "..",
            "018F3C5E-7B1A-7C3E-9D55-0A1B2C3D4E5F",
            "018f3c5e7b1a7c3e9d550a1b2c3d4e5f",
            "018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5g",
            "018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f/",
        ] {
            assert_eq!(JobId::parse(wrong), Err(JobIdError), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_safe_as_a_folder_s_name(text in "[0-9a-f./-]{36}") {
            if let Ok(id) = JobId::parse(&text) {
                prop_assert!(!id.as_str().contains(['/', '.']));
            }
        }
    }
}
