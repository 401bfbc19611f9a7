//! One item.
