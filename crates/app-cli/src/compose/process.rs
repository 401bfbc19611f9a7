//! What the process adapter gives to settings, credentials and the log.

pub(crate) use adapters_process::{
    LossyStderr, Signal, Signals, TextFileError, first_line, is_ignored, read_pem, read_text,
};
