//! What people read: errors with causes and hints, tables, sizes. Everything from a server is made printable here.

mod error;
mod hint;
mod messages;
mod table;
mod text;
mod wrap;

pub(crate) use domain::report::human_bytes as size;
pub(crate) use error::{Colour, causes, error_text};
pub(crate) use hint::Hint;
pub(crate) use messages::{Listener, Messages};
pub(crate) use table::Table;
pub(crate) use text::{column, count, fit, number, printable, roughly, stopwatch};
pub(crate) use wrap::{terminal_columns, wrapped};
