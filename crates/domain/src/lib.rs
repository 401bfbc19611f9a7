//! What a user's data is, how it is brought home, what the bag and the report say: no I/O, no runtime.
