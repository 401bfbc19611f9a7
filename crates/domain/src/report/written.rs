//! Tag files that are too large to be in memory as a whole.

use std::io::{self, BufWriter, Write};

use super::Report;
use super::export_json;
use crate::bag::layout::Tag;
use crate::model::{Sha256, Sha256Hasher};
use crate::ports::{PayloadInPlace, SinkError};

/// `export.json` into a bag, without all of it in memory: of many files it is many megabytes. Its sum.
pub(crate) fn write_export_json(
    report: &Report,
    bag: &mut dyn PayloadInPlace,
) -> Result<Sha256, SinkError> {
    let mut sum = Sha256Hasher::default();
    bag.add_written(Tag::ExportJson.path(), &mut |to| {
        let summed = Summed { to, sum: &mut sum };
        let mut pieces = BufWriter::with_capacity(PIECE_BYTES, summed);
        export_json::write(report, &mut pieces)?;
        pieces.flush()
    })?;
    Ok(sum.finish())
}

/// JSON is written in very small pieces; these are what goes into the bag.
const PIECE_BYTES: usize = 64 * 1024;

/// Sums up what passes.
struct Summed<'a> {
    to: &'a mut dyn Write,
    sum: &'a mut Sha256Hasher,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.sum.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
