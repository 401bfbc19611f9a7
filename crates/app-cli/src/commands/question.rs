//! A question to the platform that changes nothing there and keeps nothing here: shared by `plan` and `verify --against`.

use domain::model::Order;
use domain::ports::MemoryJournal;
use domain::workflow::{Ports, RunError};

use crate::compose;
use crate::error::CommandError;
use crate::progress::{self, Subject};
use crate::settings::{ConnectionSettings, ProgressMode, SelectionSettings};
use crate::signals::Signals;

use super::order;
use super::session::Session;

/// Asks, and shows the progress of it. A signal ends it.
pub(super) async fn ask<T>(
    session: &Session,
    signals: &mut Signals,
    connection: &ConnectionSettings,
    selection: &SelectionSettings,
    question: impl AsyncFnOnce(Ports<'_>, &Order) -> Result<T, RunError>,
) -> Result<T, CommandError> {
    let api = compose::platform(connection)?;
    let order = order::of_plan(connection, selection);
    let subject = Subject {
        user: connection.user.to_string(),
        preposition: "from",
        host: connection.server.host.clone(),
    };
    let mode = session.progress(ProgressMode::Auto);
    let mut reporter = progress::start(mode, subject, &session.screen);
    let ports = Ports {
        api: &api,
        clock: &compose::clock(),
        journal: &MemoryJournal::default(),
        progress: &reporter,
    };
    let answer = signals.or(question(ports, &order)).await;
    reporter.stop();
    answer
        .map_err(CommandError::Interrupted)?
        .map_err(CommandError::Lost)
}
