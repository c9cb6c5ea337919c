//! What a child is called in the log: `session=1` once it serves one, and else `child=spare`, as one has no session
//! before a session takes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Never a secret.
#[derive(Clone, Debug)]
pub(super) struct Label(Arc<Mutex<Name>>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Session(u64),
    /// What it is for.
    Other(String),
}

impl Label {
    /// A session's number, or what the child is for.
    pub(super) fn new(name: &str) -> Self {
        Self(Arc::new(Mutex::new(Name::of(name))))
    }

    pub(super) fn rename(&self, name: &str) {
        *self.lock() = Name::of(name);
    }

    pub(super) fn name(&self) -> Name {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Name> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Name {
    fn of(name: &str) -> Self {
        name.parse().map_or_else(|_| Self::Other(name.to_owned()), Self::Session)
    }
}

/// `labelled!(info!(label), pid = 1; "ended")`: the label is the event's first key and value. A number stays one, so that
/// `session` is of one type in all lines.
macro_rules! labelled {
    ($level:ident!($label:expr) $($rest:tt)*) => {
        match $label.name() {
            $crate::child::label::Name::Session(number) => log::$level!(session = number $($rest)*),
            $crate::child::label::Name::Other(name) => log::$level!(child = name.as_str() $($rest)*),
        }
    };
}

pub(super) use labelled;
