//! Settings in layers, for every program of the workspace: built-in values, configuration files, the environment and the command
//! line, each a source of the `config` library, which decides who wins.
//!
//! A program says what one source may say (its layer: any type that `serde` writes and reads, a field a key). [`Places`] reads the
//! configuration files as such layers, [`variable`] what the environment says, and [`Layers`] puts all of them over each other:
//! each value with its [`Origin`]. What the values mean is the program's business.

mod files;
mod key;
mod layers;
mod origin;
pub mod path;
mod source;
mod variable;

pub use files::{Anchor, FileError, Places, SyntaxError, parse};
pub use key::Key;
pub use layers::{Layers, MergeError};
pub use origin::{Origin, Sourced};
pub use variable::{VariableError, variable, variable_text};
