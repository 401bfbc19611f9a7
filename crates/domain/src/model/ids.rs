//! Identities on the platform: who, which object, which ticket.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::text::changes_direction;

/// Why a text or a number is not an identity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// A login that is empty.
    #[error("a login name cannot be empty")]
    EmptyLogin,
    /// A login with a control character in it, which no URL path may carry.
    #[error("a login name cannot hold control characters")]
    ControlInLogin,
    /// A login with a character in it that changes the direction of the text around it, or breaks its line.
    #[error("a login name cannot hold characters that change the direction of text")]
    DirectionInLogin,
    /// A login longer than any platform stores.
    #[error("a login name of {length} bytes is longer than the {limit} that are accepted")]
    LongLogin {
        /// Bytes given.
        length: usize,
        /// Bytes accepted.
        limit: usize,
    },
    /// A `dbId` that is zero or negative.
    #[error("`{0}` is not a valid id: ids are whole numbers above zero")]
    NotAnId(String),
}

/// A user of the platform by login name (`loginName`, the `{uid}` of every path).
///
/// Not empty, at most 256 bytes, no control characters, none that change the direction of the text around them. May hold `@`, spaces and non-ASCII letters.
///
/// ```
/// use domain::model::UserId;
/// assert_eq!(UserId::parse("jürgen@example.com").unwrap().as_str(), "jürgen@example.com");
/// assert!(UserId::parse("").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(String);

impl UserId {
    const LONGEST_BYTES: usize = 256;

    /// Reads a login name.
    pub fn parse(login: &str) -> Result<Self, IdError> {
        if login.is_empty() {
            return Err(IdError::EmptyLogin);
        }
        if login.len() > Self::LONGEST_BYTES {
            return Err(IdError::LongLogin {
                length: login.len(),
                limit: Self::LONGEST_BYTES,
            });
        }
        if login.chars().any(char::is_control) {
            return Err(IdError::ControlInLogin);
        }
        if login.chars().any(changes_direction) {
            return Err(IdError::DirectionInLogin);
        }
        Ok(Self(login.to_owned()))
    }

    /// The login name as the platform knows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserId {
    type Error = IdError;
    fn try_from(login: String) -> Result<Self, IdError> {
        Self::parse(&login)
    }
}

impl From<UserId> for String {
    fn from(user: UserId) -> Self {
        user.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! database_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// The id as the platform writes it.
            pub fn get(self) -> i64 {
                self.0
            }

            /// Reads an id from text.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                text.trim().parse::<i64>().ok().and_then(|id| Self::try_from(id).ok()).ok_or_else(|| IdError::NotAnId(text.to_owned()))
            }
        }

        impl TryFrom<i64> for $name {
            type Error = IdError;
            fn try_from(id: i64) -> Result<Self, IdError> {
                if id > 0 { Ok(Self(id)) } else { Err(IdError::NotAnId(id.to_string())) }
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

database_id! {
    /// The `dbId` of an object (schema type `UForgeObject`): above zero.
    ObjectId
}
database_id! {
    /// The `dbId` of an export ticket (schema types `ApplianceExport` and `SoftwareBundleExport`): above zero.
    ExportId
}
database_id! {
    /// The `dbId` of an import ticket (schema types `ApplianceImport` and `SoftwareBundleImport`): above zero.
    ImportId
}

/// The two kinds of things that the platform exports as archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// An appliance template (`users/{uid}/appliances/{aid}`).
    Appliance,
    /// A software bundle (`users/{uid}/mysoftware/{msid}`).
    MySoftware,
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Appliance => "appliance",
            Self::MySoftware => "mysoftware",
        })
    }
}

/// One appliance or one software bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemRef {
    /// Appliance or my software.
    pub kind: ItemKind,
    /// Its `dbId`.
    pub id: ObjectId,
}

impl fmt::Display for ItemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// The platform's own export job of one item: `…/{item}/exports/{eid}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ticket {
    /// What is being exported.
    pub item: ItemRef,
    /// The ticket's `dbId`, the `{eid}` of its paths.
    pub id: ExportId,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ticket {} of {}", self.id, self.item)
    }
}

/// The platform's own import job of one archive: `users/{uid}/imports/{iid}`, of my software `users/{uid}/bundleimports/{sbid}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImportTicket {
    /// What it makes.
    pub kind: ItemKind,
    /// The ticket's `dbId`.
    pub id: ImportId,
}

impl fmt::Display for ImportTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "import ticket {} ({})", self.id, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_may_hold_anything_a_person_can_type() {
        for login in ["john", "john doe", "j@example.com", "naïve", "山田"] {
            assert_eq!(
                UserId::parse(login).map(|u| u.as_str().to_owned()),
                Ok(login.to_owned())
            );
        }
        for login in [
            "a\nb",
            "\u{202e}nhoj",
            "jo\u{2069}hn",
            "john\u{200f}",
            "a\u{2028}b",
        ] {
            assert!(UserId::parse(login).is_err(), "{login:?}");
        }
        assert!(UserId::parse(&"a".repeat(257)).is_err());
    }

    #[test]
    fn an_id_is_a_whole_number_above_zero() {
        assert_eq!(ObjectId::parse("201").map(ObjectId::get), Ok(201));
        for wrong in ["", "0", "-1", "abc", "1.5", "99999999999999999999"] {
            assert!(ObjectId::parse(wrong).is_err(), "{wrong}");
        }
    }
}
