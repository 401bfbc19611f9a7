//! How often something has been asked of one item.

use crate::scenario::ItemFault;

use super::refusal::Refusal;

/// What has happened to one item's exports so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct History {
    starts: u32,
    exports: u32,
    pub(super) downloads: u32,
}

impl History {
    /// Counts a start; its export's number, unless the scenario refuses it.
    pub(super) fn take_on(&mut self, faults: &[ItemFault]) -> Result<u32, Refusal> {
        self.starts += 1;
        for fault in faults {
            if let ItemFault::StartRefused { status, times } = fault
                && times.cover(self.starts)
            {
                return Err(Refusal::of_status(*status, None));
            }
        }
        self.exports += 1;
        Ok(self.exports)
    }
}
