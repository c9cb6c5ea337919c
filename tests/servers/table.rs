//! One line a server: what it is, and what was called with each SDK.

use std::{fmt::Write as _, io::Write as _};

use gateway_tests::harness::artifacts;

use crate::{catalogue::Wrapped, sdk::Report};

#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    cells: Vec<String>,
}

const HEAD: [&str; 7] =
    ["server", "says it is", "Python / TypeScript", "tools/prompts/resources", "py ms", "ts ms", "called with both"];

impl Row {
    pub(crate) fn new(wrapped: &Wrapped, python: &Report, typescript: &Report) -> Self {
        let resources = python.resources.len() + python.templates.len();
        let cells = vec![
            wrapped.name.to_owned(),
            format!("{} {}", python.name, python.version),
            format!("{} / {}", python.protocol, typescript.protocol),
            format!("{}/{}/{resources}", python.tools.len(), python.prompts.len()),
            python.took.as_millis().to_string(),
            typescript.took.as_millis().to_string(),
            wrapped.called.to_owned(),
        ];
        Self { name: wrapped.name, cells }
    }
}

impl Table {
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
        self.rows.sort_by_key(|row| row.name);
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.name.to_owned()).collect()
    }

    /// On the terminal whether the test passes or not, and in artifacts/servers.
    pub(crate) fn show(&self) {
        let text = self.to_string();
        std::fs::write(artifacts("servers").join("table.txt"), &text).unwrap();
        // Not `println!`: a passing test's is hidden.
        std::io::stdout().write_all(format!("\n{text}").as_bytes()).unwrap();
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let head = HEAD.map(str::to_owned).to_vec();
        let lines: Vec<_> = std::iter::once(&head).chain(self.rows.iter().map(|row| &row.cells)).collect();
        let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
        for cells in &lines {
            let mut line = String::new();
            for (column, cell) in cells.iter().enumerate() {
                write!(line, "{cell:<width$}  ", width = width(column))?;
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
