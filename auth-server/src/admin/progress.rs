//! How far a long command is, for someone at a terminal; nothing for anyone else.

use std::io::{self, IsTerminal, Write};

const WIDTH: usize = 30;

/// On standard error, one line that is written over.
#[derive(Debug)]
pub(super) struct Progress {
    /// `None`: not known yet.
    total: Option<usize>,
    done: usize,
    shown: bool,
}

impl Progress {
    pub(super) fn new(total: Option<usize>) -> Self {
        Self { total, done: 0, shown: io::stderr().is_terminal() }
    }

    pub(super) fn advance(&mut self, by: usize) -> io::Result<()> {
        self.done += by;
        if !self.shown {
            return Ok(());
        }
        let mut told = io::stderr();
        write!(told, "\r{}", bar(self.done, self.total))?;
        told.flush()
    }

    /// Leaves an empty line to what is said next.
    pub(super) fn end(self) -> io::Result<()> {
        if self.shown { write!(io::stderr(), "\r{:60}\r", "") } else { Ok(()) }
    }
}

fn bar(done: usize, total: Option<usize>) -> String {
    let Some(total) = total.filter(|total| *total > 0) else { return format!("{done} so far") };
    let filled = WIDTH * done.min(total) / total;
    format!("[{}{}] {done} of {total}", "#".repeat(filled), " ".repeat(WIDTH - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        assert_eq!(bar(0, Some(4)), format!("[{}] 0 of 4", " ".repeat(30)));
        assert_eq!(bar(2, Some(4)), format!("[{}{}] 2 of 4", "#".repeat(15), " ".repeat(15)));
        assert_eq!(bar(5, Some(4)), format!("[{}] 5 of 4", "#".repeat(30)));
        assert_eq!(bar(7, None), "7 so far");
    }
}
