//! The log: stderr, and a file when `LOG_FILE` names one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use env_logger::Target;
use log::LevelFilter;

/// # Errors
/// When the file cannot be opened for appending.
pub fn start(level: LevelFilter, file: Option<&Path>) -> io::Result<()> {
    let mut builder = env_logger::Builder::new();
    builder.filter_level(level);
    if let Some(path) = file {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        builder.target(Target::Pipe(Box::new(Both { file })));
    }
    builder.init();
    Ok(())
}

struct Both {
    file: File,
}

impl Write for Both {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A full disk must not silence stderr, nor a closed stderr the file.
        let to_file = self.file.write_all(line);
        io::stderr().write_all(line).or(to_file).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
