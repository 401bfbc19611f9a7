//! The workflow over the HTTP adapter against the sandbox, into memory: real sockets, no files.

mod changes;
mod sections;
mod whole;
