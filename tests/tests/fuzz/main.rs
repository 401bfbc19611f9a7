//! Fuzz targets: every reader of foreign bytes, fed with anything, held to what it promises.
//!
//! Under `cargo test` each runs for a second; `cargo xtask fuzz [TARGET] [SECONDS]` runs longer. Each begins with its corpus,
//! `__fuzz__/MODULE__TARGET/corpus/`: valid inputs, and nasty ones that are known. A failure prints the input, and the
//! seed that brings it back (`BOLERO_RANDOM_SEED`).

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod bags;
mod documents;
mod material;
mod names;
mod receipts;
mod settings;

/// Words that are shown to a person: one line, and not a book.
#[track_caller]
fn check_words(words: &str) {
    assert!(!words.trim().is_empty(), "an error without words");
    assert!(!words.contains(char::is_control), "{words:?}");
    assert!(words.chars().count() < 1_000, "{words}");
}
