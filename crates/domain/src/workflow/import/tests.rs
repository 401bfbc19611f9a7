//! Imports in simulated time.
