//! The description of the interface as it is served.

use std::sync::Arc;

/// The document and the page made from it, once for all requests.
#[derive(Clone)]
pub(super) struct Published {
    /// OpenAPI 3.1 as JSON.
    pub(super) document: Arc<str>,
    /// The reference page.
    pub(super) page: Arc<str>,
}
