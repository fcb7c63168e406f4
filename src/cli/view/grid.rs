//! A plain table: names left, numbers right, as wide as what is in it.

use std::fmt::{self, Write};

/// A table without lines, so that `awk` and `column` can read it too.
pub(crate) struct Grid {
    rows: Vec<Vec<String>>,
    /// The first column, behind the first, that is text again.
    text_from: usize,
}

impl Grid {
    pub(crate) fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|&name| name.to_owned()).collect()], text_from: usize::MAX }
    }

    /// Columns from this one on (counted from 0) hold text.
    pub(crate) fn left_from(mut self, column: usize) -> Self {
        self.text_from = column;
        self
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                if column > 0 {
                    line.push_str("  ");
                }
                let _ = if column == 0 || column >= self.text_from {
                    write!(line, "{cell:<width$}")
                } else {
                    write!(line, "{cell:>width$}")
                };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
