//! Writes the schema of `export.json`: `cargo run -p domain --features testing --example export_schema > docs/export.schema.json`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().write_all(domain::report::export_json_schema().as_bytes())
}
