//! What a process has around it: the signals that it is sent, the service manager that started it, a standard error that may
//! not take a line, and the text files that people hand to it: the official client's credentials file among them.

mod lines;
mod official_file;
mod open_files;
#[cfg(unix)]
mod service_manager;
mod signals;
mod text_file;

pub use lines::LossyStderr;
pub use official_file::{OfficialFile, OfficialFileError, OfficialFileProblem, OfficialLanguage};
pub use open_files::raise_open_files_limit;
#[cfg(unix)]
pub use service_manager::{
    alive_every, is_credential, notify_alive, notify_ready, notify_stopping,
};
pub use signals::{Signal, Signals, is_ignored};
pub use text_file::{TextFileError, first_line, read_pem, read_text};
