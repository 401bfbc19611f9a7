//! The self-hosted service: uforge-export-server.
