//! What a child is called in the log. A spare has no session before one takes it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Never a secret.
#[derive(Clone, Debug)]
pub(super) struct Label(Arc<Mutex<String>>);

impl Label {
    pub(super) fn new(name: &str) -> Self {
        Self(Arc::new(Mutex::new(name.to_owned())))
    }

    pub(super) fn rename(&self, name: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
