//! What has not changed since an earlier bag is taken from it, instead of exported again.
//!
//! `rule` decides, and is a plain function of what the platform says now and of what the bag says it said then (`earlier`). `decide`
//! asks it for the items of a run. The bytes are copied by [`super::reused`], and compared with the earlier bag's manifest while they
//! pass. Whatever cannot be taken is exported.

mod decide;
mod earlier;
mod rule;
#[cfg(test)]
mod tests;

pub(crate) use decide::{Reusable, Reuse, dependents_of, not_taken, read_first};
pub use earlier::{Earlier, EarlierBagError, Since, read_earlier};
pub use rule::Changed;
