//! What the server writes to its stderr while it is probed. It comes by way of the log, which has no other reader here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};

/// The last lines are those that say why.
const MAX_LINES: usize = 20;
const WROTE: &str = "child wrote: ";

#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<Mutex<VecDeque<String>>>);

impl Heard {
    /// From now on.
    pub(super) fn listen() -> Self {
        let heard = Self::default();
        // A logger that is there already hears it instead.
        if log::set_boxed_logger(Box::new(heard.clone())).is_ok() {
            log::set_max_level(LevelFilter::Info);
        }
        heard
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Log for Heard {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LevelFilter::Info
    }

    fn log(&self, record: &Record<'_>) {
        let text = record.args().to_string();
        let Some(line) = text.strip_prefix(WROTE) else { return };
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Several processes of the server are asked, and often say the same.
        if lines.back().is_none_or(|last| last != line) {
            lines.push_back(line.to_owned());
        }
        if lines.len() > MAX_LINES {
            lines.pop_front();
        }
    }

    fn flush(&self) {}
}
