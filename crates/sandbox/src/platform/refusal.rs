//! What the platform answers when it does not do what it was asked for.

use jiff::Timestamp;

use crate::document::{Element, number, text};

/// A request that was understood and refused, to be answered with a `uforgeError` document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message_id: &'static str,
    pub(crate) message: String,
    /// Seconds, for the `Retry-After` header.
    pub(crate) retry_after: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(status: u16, message_id: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            message_id,
            message: message.into(),
            retry_after: None,
        }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "error.authentication", "Bad login or password")
    }

    pub(crate) fn forbidden(what: &str) -> Self {
        Self::new(
            403,
            "error.entitlement",
            format!("You are not entitled to {what}"),
        )
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, "error.not.found", format!("There is no {what}"))
    }

    pub(crate) fn conflict(message: &str) -> Self {
        Self::new(409, "error.conflict", message)
    }

    /// What a platform says that is broken, busy or being upgraded.
    pub(crate) fn of_status(status: u16, retry_after: Option<u64>) -> Self {
        let (message_id, message) = match status {
            400 => ("error.bad.request", "The request is not valid"),
            429 | 503 => (
                "error.overloaded",
                "The platform is overloaded, please try again later",
            ),
            502 => ("error.upgrade", "The platform is being upgraded"),
            500 => (
                "error.internal",
                "Internal error: the appliance has no OS profile",
            ),
            _ => ("error.refused", "The request was refused"),
        };
        Self {
            retry_after,
            ..Self::new(status, message_id, message)
        }
    }

    pub(crate) fn document(&self, method: &str, uri: &str, now: Timestamp) -> Element {
        let localized = Element::object(
            "localizedErrorMsg",
            vec![
                text("message", self.message.as_str()),
                text("messageId", self.message_id),
            ],
        );
        Element::object(
            "uforgeError",
            vec![
                localized,
                text("requestMethod", method),
                text("requestUri", uri),
                number("statusCode", i64::from(self.status)),
                text("timestamp", now.to_string()),
            ],
        )
    }
}
