//! Bags in pieces, over an object store and records in memory. Parts and objects are small in here.

mod away;
mod drops;
mod kit;
mod late;
mod partial;
mod whole;
