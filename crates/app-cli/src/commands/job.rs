//! Everything that a run is made from.

use std::path::Path;

use domain::model::{Order, UserId};

use super::order;
use super::receipt::ReceiptJob;
use super::since::EarlierBagFile;
use crate::settings::{
    ConnectionSettings, OutputSettings, SelectionSettings, SettingsError, bag_name,
};

/// Everything that a run is made from.
pub(super) struct Job {
    pub(super) connection: ConnectionSettings,
    pub(super) selection: SelectionSettings,
    pub(super) output: OutputSettings,
    /// The receipt that is wanted, with its key open.
    pub(super) receipt: Option<ReceiptJob>,
    /// The bag that unchanged archives are taken from.
    pub(super) earlier: Option<EarlierBagFile>,
}

impl Job {
    /// The receipt that is wanted, and who asks for it.
    pub(super) fn receipt(&self) -> (Option<&ReceiptJob>, &UserId) {
        (self.receipt.as_ref(), self.connection.sign_in.login())
    }

    /// The order for a bag in this file: the top folder is named like the file.
    pub(super) fn order_for(&self, file: &Path) -> Result<Order, SettingsError> {
        let name = bag_name(file, self.output.format)?;
        let earlier = self.earlier.as_ref();
        Ok(Order {
            since: earlier.map(|bag| bag.earlier().identity().clone()),
            ..order::of_export(&self.connection, &self.selection, &self.output, name)
        })
    }
}
