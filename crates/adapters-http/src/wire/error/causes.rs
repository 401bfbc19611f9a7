//! The causes below an error of the HTTP library.

use std::error::Error;

use super::message::plain;

pub(super) fn causes_of(error: &reqwest::Error) -> Vec<String> {
    std::iter::successors(error.source(), |error| cause(*error))
        .map(ToString::to_string)
        .collect()
}

/// What an error was caused by. An I/O error's `source` skips the very error that it wraps, so that is asked for first.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

pub(super) fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    std::iter::successors(error.source(), |error| cause(*error))
        .find_map(|error| error.downcast_ref())
}

pub(super) fn innermost(error: &reqwest::Error) -> String {
    std::iter::successors(error.source(), |error| cause(*error))
        .last()
        .map_or_else(
            || plain(&error.to_string()),
            |error| plain(&error.to_string()),
        )
}
