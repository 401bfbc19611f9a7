//! The command line: uforge-export.
