//! Whether the platform is away, or only what was asked for cannot be had.

use super::context::{Ports, RunError};
use super::retry::may_pass;
use crate::model::{Order, OutagePolicy, Representation, Resource};
use crate::ports::ApiError;

/// Whether an error that could not be waited out ends the run: it may pass by itself, and the platform gives nothing else either.
/// One object that fails for ever is no outage.
///
/// The person's own document is asked for once. A platform that cannot give that one lets nobody sign in.
pub(crate) async fn is_outage(ports: Ports<'_>, order: &Order, error: &ApiError) -> bool {
    if order.outage == OutagePolicy::Report || !may_pass(error) {
        return false;
    }
    let document = ports.api.document(Resource::User, Representation::Xml);
    document.await.is_err_and(|error| may_pass(&error))
}

/// Ends the run in an outage.
pub(crate) async fn end_in_outage(
    ports: Ports<'_>,
    order: &Order,
    error: &ApiError,
) -> Result<(), RunError> {
    if is_outage(ports, order, error).await {
        return Err(RunError::Platform(error.clone()));
    }
    Ok(())
}
