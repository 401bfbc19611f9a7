//! Which state of a job somebody has seen.

/// Which state of a job somebody has seen. Every update needs the one that it builds on: a late writer changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);
