//! Tickets beyond one item's own: somebody else's, those that interrupted runs left, those of starts that were never answered.

mod abandon;
mod delete;
mod lost;
mod ownership;

pub use abandon::{Abandoned, Unresolved, abandon, record_answers};
pub use delete::stop_and_delete;
pub(crate) use delete::{delete_after_finish, undeleted};
pub(crate) use lost::{
    Foreign, before_first_start, find, record_superfluous, record_unresolved, sweep,
};
pub(crate) use ownership::{Listed, Lost, Ownership, TooMany, of_lost_requests, to_resume};
