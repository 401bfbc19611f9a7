//! What an export would contain: selection ∩ survey.

use crate::model::{ItemRef, Section};

/// What is planned for one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionPlan {
    /// It will be fetched.
    Fetch {
        /// Objects in its list.
        listed: u64,
        /// Objects that the selection wants.
        wanted: u64,
        /// Bytes, where the platform says them.
        bytes: Option<u64>,
    },
    /// The platform refuses or does not know it.
    Unavailable {
        /// Why.
        reason: String,
    },
    /// Not asked for.
    Excluded,
}

/// One section of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSection {
    /// Which.
    pub section: Section,
    /// What is planned.
    pub plan: SectionPlan,
}

/// One item of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedItem {
    /// Which.
    pub item: ItemRef,
    /// Its name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// `size` in bytes, where the platform says one.
    pub size: Option<u64>,
}

/// What an export would contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The platform's version, where told.
    pub platform_version: Option<String>,
    /// Every section of the table, in its order.
    pub sections: Vec<PlannedSection>,
    /// The items whose archives would be exported.
    pub items: Vec<PlannedItem>,
}
