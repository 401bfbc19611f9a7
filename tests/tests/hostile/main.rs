//! Hostile and broken platforms over real sockets: every run ends, says what is missing in words that a person understands, and
//! exports the rest. What holds of all of them is asserted by `tests::kit::Visited::check`.

mod archives;
mod chaos;
mod documents;
mod lists;
mod network;
mod tickets;
