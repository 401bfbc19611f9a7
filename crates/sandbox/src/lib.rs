//! A UForge AppCenter of its own: in memory behind the port, and as an HTTP server on loopback.
