//! Columns of text.

use super::{column, printable};

/// Rows of cells; the last column takes what is left of the line.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    widest: usize,
}

impl Table {
    /// A table whose columns are cut at this width, but for the last.
    pub(crate) fn new(widest: usize) -> Self {
        Self {
            rows: Vec::new(),
            widest,
        }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        let cells = cells.iter().map(|cell| printable(cell).into_owned());
        self.rows.push(cells.collect());
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.get(at));
                let width = cells.map(|cell| console::measure_text_width(cell)).max();
                width.unwrap_or(0).min(self.widest)
            })
            .collect();
        for row in &self.rows {
            let mut line = String::new();
            let last = row.len().saturating_sub(1);
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                if at == last {
                    line.push_str(cell);
                } else {
                    line.push_str(&column(cell, *width));
                    line.push_str("  ");
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
