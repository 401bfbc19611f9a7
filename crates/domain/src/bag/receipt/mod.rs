//! The receipt of a bag: a small record of what was delivered, and how a bag is held against it.
//!
//! [`BagReceipt`] is the document (docs/receipts.md), [`Delivered`] what of it is known before the container is closed, and [`compare`] the
//! comparison. Nothing in here opens a file or knows a signature.

mod compare;
mod document;
#[cfg(test)]
mod tests;

pub use compare::{Comparison, Difference, ReceivedBag, compare};
pub use document::{
    ABOUT, BagReceipt, Counts, Delivered, FORMAT, LARGEST_RECEIPT_BYTES, ReceiptError,
    ReceivedFile, ReceivedSource, ReceivedTool,
};
