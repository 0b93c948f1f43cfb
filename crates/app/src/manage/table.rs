use std::io::{self, Write};

/// Text in aligned columns: names to the left, numbers to the right.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    left: usize,
}

impl Table {
    /// A table with these headings; the first `left` columns contain names.
    pub(super) fn new(headings: impl IntoIterator<Item = impl Into<String>>, left: usize) -> Self {
        Self { rows: vec![headings.into_iter().map(Into::into).collect()], left }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether there are only headings.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(row.len().max(widths.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let gap = if column == 0 { "" } else { "  " };
                let cell = match column < self.left {
                    true => format!("{gap}{cell:width$}"),
                    false => format!("{gap}{cell:>width$}"),
                };
                line.push_str(&cell);
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
