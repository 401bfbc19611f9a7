//! The words of the domain as types: users, sections, items, tickets, names, selections, secrets.
//!
//! What is in here is always valid: every type is made by a fallible `parse` or from parts that were.

mod digest;
mod facts;
mod ids;
mod import;
mod names;
mod order;
mod part;
mod platform_resource;
mod resource;
mod section;
mod text;

pub use digest::{Sha256, Sha256Hasher};
pub use facts::{
    BundleReference, Facts, InnerFacts, InnerRole, ObjectFacts, UploadFacts, UploadRole,
};
pub use ids::{
    ExportId, IdError, ImportId, ImportTicket, ItemKind, ItemRef, ObjectId, Ticket, UserId,
};
pub use import::{ImportOptions, ImportOrder, OnConflict, OsVersion, Tagging};
pub use names::{BagPath, NameError, SafeName, slug};
pub use order::{
    BagFormat, DocumentForms, EarlierBag, Order, OutagePolicy, OutputFormat, Secrets, Selection,
    Strictness, TicketPolicy,
};
pub(crate) use part::is_parameter;
pub use part::{PartKind, PartRef, UnknownPart};
pub(crate) use platform_resource::{Use, platform_resources};
pub use resource::{BinaryRef, ListResource, Page, Representation, Resource};
pub use section::{Basis, Paging, Section, SectionError, SectionInfo, SectionKind};
pub use text::{NotText, begins_as_utf_8, document_text};
