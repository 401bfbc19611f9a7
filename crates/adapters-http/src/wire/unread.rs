//! Why a body is not what was asked for.

use domain::ports::ApiError;

use super::media::MediaType;

/// Why an answer is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// A page for people.
    Page(String),
    /// A document in XML where JSON was asked for.
    OtherForm,
    /// Something else, or damaged.
    Detail(String),
}

impl Unread {
    pub(super) fn because(detail: impl Into<String>) -> Self {
        Self::Detail(detail.into())
    }

    /// What cannot be read is a page for people where its label says so.
    pub(crate) fn labelled(self, label: Option<MediaType>) -> Self {
        match (self, label) {
            (Self::Detail(_), Some(label)) if label.is_for_people() => Self::Page(label.essence),
            (unread, _) => unread,
        }
    }

    /// As the error of the request that was answered so.
    pub(crate) fn of(self, request: &str, expected: &'static str) -> ApiError {
        let request = request.to_owned();
        match self {
            Self::Page(media_type) => ApiError::NotUForge {
                request,
                media_type,
                expected,
            },
            Self::OtherForm => ApiError::NotOffered {
                request,
                detail: "it is XML where JSON was asked for".to_owned(),
            },
            Self::Detail(detail) => ApiError::Unreadable { request, detail },
        }
    }
}
