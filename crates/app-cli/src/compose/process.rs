//! What the process adapter gives to settings, credentials and the log.

#[cfg(feature = "testing")]
pub(crate) use adapters_process::OfficialLanguage;
pub(crate) use adapters_process::{
    LossyStderr, OfficialFile, OfficialFileError, Signal, Signals, TextFileError, first_line,
    is_ignored, read_pem, read_text,
};
