//! A problem as an answer: the document, and the headers that belong to it.

use std::sync::Arc;

use axum::Json;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{Problem, whole_seconds};

#[derive(Serialize)]
struct Document {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = self.kind();
        let document = Document {
            kind: format!("/problems/{}", kind.slug),
            title: kind.title,
            status: kind.status.as_u16(),
            detail: self.detail(),
        };
        let mut response = (kind.status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait).max(1)));
        }
        match &self {
            Self::Unauthenticated { .. } => {
                headers.insert(
                    WWW_AUTHENTICATE,
                    HeaderValue::from_static(r#"Basic realm="UForge", charset="UTF-8""#),
                );
            }
            Self::RangeNotSatisfiable { size } => {
                // RFC 9110 §14.4: from the size a caller learns what can be asked for.
                if let Ok(value) = HeaderValue::from_str(&format!("bytes */{size}")) {
                    headers.insert(CONTENT_RANGE, value);
                }
            }
            _ => {}
        }
        // For whoever says it to people.
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use axum::http::StatusCode;
    use domain::jobs::JobStateName;

    #[test]
    fn a_problem_is_a_document_of_its_own_media_type() {
        let response = Problem::NotReady {
            state: JobStateName::Running,
        }
        .into_response();
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[RETRY_AFTER], "5");
    }

    #[test]
    fn whoever_is_unknown_is_asked_for_basic_credentials_in_utf_8() {
        let response = Problem::Unauthenticated { why: "no" }.into_response();
        assert_eq!(
            response.headers()[WWW_AUTHENTICATE],
            r#"Basic realm="UForge", charset="UTF-8""#
        );
    }

    #[test]
    fn a_wait_is_given_in_whole_seconds_and_never_as_zero() {
        let response = Problem::TooManyAttempts {
            wait: Duration::from_millis(1_200),
        }
        .into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "2");
    }
}
