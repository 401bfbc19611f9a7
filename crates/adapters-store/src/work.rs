//! Work with what is borrowed for it.

use futures_util::future::BoxFuture;

/// What such work gives, in the end.
pub(crate) type Work<'c, T, E> = BoxFuture<'c, Result<T, E>>;
