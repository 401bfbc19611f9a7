//! From `s3://BUCKET[/PREFIX]` to an object store.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use thiserror::Error;

/// No byte for so long fails a request: a part of an upload has to arrive within it on a slow line.
const SILENCE: Duration = Duration::from_mins(2);
const CONNECT: Duration = Duration::from_secs(5);
/// A store that does not answer is asked again for so long.
const RETRY: Duration = Duration::from_secs(45);
/// What other stores than that of Amazon take as a region, and do not look at.
const ANY_REGION: &str = "us-east-1";

/// Why an object store cannot be used.
#[derive(Debug, Error)]
pub enum S3StoreError {
    /// The URL names no bucket. It is not repeated: keys may be in it.
    #[error(
        "this is no place of an object store: `s3://BUCKET` or `s3://BUCKET/PREFIX` is expected, and nothing else"
    )]
    NotAStore,
    /// The endpoint is no URL. It is not repeated either.
    #[error(
        "this is no endpoint of an object store: `https://HOST[:PORT]` or `http://HOST[:PORT]` is expected, and nothing else"
    )]
    NotAnEndpoint,
    /// The settings do not go together.
    #[error("the object store cannot be used with these settings")]
    Settings(#[source] object_store::Error),
    /// The bucket is not there.
    #[error("the bucket is not there")]
    NoBucket(#[source] object_store::Error),
    /// The store refuses the credentials, or they may not do what is needed.
    #[error("the object store refuses the credentials")]
    Refused(#[source] object_store::Error),
    /// The store does not answer.
    #[error("the object store does not answer")]
    Unavailable(#[source] object_store::Error),
}

impl S3StoreError {
    /// What a request that only lists shows. The client has kinds of errors for requests of one object; of a list it gives the answer's
    /// text, with the code that the interface defines.
    pub(super) fn of(error: object_store::Error) -> Self {
        let said = in_full(&error);
        let has = |codes: &[&str]| codes.iter().any(|code| said.contains(code));
        match error {
            object_store::Error::NotFound { .. } => Self::NoBucket(error),
            error if has(&["NoSuchBucket"]) => Self::NoBucket(error),
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => Self::Refused(error),
            error if has(&REFUSALS) => Self::Refused(error),
            error => Self::Unavailable(error),
        }
    }

    /// Whether other settings would help, and nothing else.
    pub fn is_misconfiguration(&self) -> bool {
        !matches!(self, Self::Unavailable(_))
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoBucket(_) => Some("make the bucket first, and check its name and region"),
            Self::Refused(_) => Some(
                "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION to those of a user who may list, read, write and delete objects of the bucket",
            ),
            Self::NotAStore | Self::NotAnEndpoint => None,
            Self::Settings(_) | Self::Unavailable(_) => {
                Some("check --store, --store-endpoint and the variables AWS_…")
            }
        }
    }
}

/// Codes of answers that other credentials, or more rights of theirs, would change.
const REFUSALS: [&str; 3] = [
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
];

/// An error with all its causes.
fn in_full(error: &object_store::Error) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        said.push_str(&error.to_string());
        cause = error.source();
    }
    said
}

/// A place in an object store.
pub(super) struct Place {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) prefix: Path,
}

/// Reads the URL and makes the client. Nothing is sent.
///
/// The client of `object_store` takes the cryptography of the process, and there is none where nobody has chosen. The other clients of
/// this program are given theirs.
pub(super) fn connect(url: &str, endpoint: Option<&str>) -> Result<Place, S3StoreError> {
    let (bucket, prefix) = bucket_and_prefix(url).ok_or(S3StoreError::NotAStore)?;
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_virtual_hosted_style_request(false)
        .with_retry(RetryConfig {
            retry_timeout: RETRY,
            ..RetryConfig::default()
        });
    if std::env::var_os("AWS_REGION").is_none() && std::env::var_os("AWS_DEFAULT_REGION").is_none()
    {
        builder = builder.with_region(ANY_REGION);
    }
    // No limit on the whole of a request: a slow reader of a bag takes its time.
    let mut client = ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(CONNECT)
        .with_read_timeout(SILENCE);
    if let Some(endpoint) = endpoint {
        let is_plain = is_endpoint(endpoint, "http://");
        if !is_plain && !is_endpoint(endpoint, "https://") {
            return Err(S3StoreError::NotAnEndpoint);
        }
        client = client.with_allow_http(is_plain);
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    }
    // Where there is one already, it stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = builder.with_client_options(client).build();
    Ok(Place {
        store: Arc::new(store.map_err(S3StoreError::Settings)?),
        prefix,
    })
}

fn bucket_and_prefix(url: &str) -> Option<(&str, Path)> {
    let place = url.strip_prefix("s3://")?;
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    let is_bucket = (3..=63).contains(&bucket.len()) && bucket.chars().all(is_name);
    let prefix = prefix.trim_end_matches('/');
    let parsed = Path::parse(prefix).ok()?;
    (is_bucket && parsed.as_ref() == prefix).then_some((bucket, parsed))
}

/// Whether a text is a scheme and a host; credentials in it would end up in messages.
fn is_endpoint(endpoint: &str, scheme: &str) -> bool {
    endpoint
        .strip_prefix(scheme)
        .map(|host| host.trim_end_matches('/'))
        .is_some_and(|host| {
            !host.is_empty() && !host.contains(|c: char| "@?#/ ".contains(c) || c.is_control())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_bucket_and_where_in_it() {
        for (url, bucket, prefix) in [
            ("s3://bags", "bags", ""),
            ("s3://bags/", "bags", ""),
            ("s3://my.bags/a/b/", "my.bags", "a/b"),
        ] {
            let (found, below) = bucket_and_prefix(url).unwrap();
            assert_eq!((found, below.as_ref()), (bucket, prefix));
        }
        for url in [
            "",
            "bags",
            "s3://",
            "s3://ab",
            "https://bags",
            "s3://a@b/c",
            "s3://bags/../x",
            "s3://bags//x",
        ] {
            assert!(bucket_and_prefix(url).is_none(), "{url}");
        }
    }

    #[test]
    fn an_endpoint_is_a_scheme_and_a_host() {
        for endpoint in ["http://127.0.0.1:5000", "https://s3.example.com/"] {
            assert!(connect("s3://bags", Some(endpoint)).is_ok(), "{endpoint}");
        }
        for endpoint in [
            "",
            "127.0.0.1:5000",
            "http://",
            "http://user:secret@host",
            "ftp://host",
            "http://host/path",
        ] {
            let refused = connect("s3://bags", Some(endpoint)).err();
            assert!(
                matches!(refused, Some(S3StoreError::NotAnEndpoint)),
                "{endpoint}"
            );
        }
    }
}
