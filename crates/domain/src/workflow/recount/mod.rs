//! The end of a run: the lists are read once more, and what changed meanwhile is fetched again.

mod lists;
mod refetch;

pub(crate) use refetch::recount_and_refetch;
