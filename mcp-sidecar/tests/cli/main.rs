//! The program as people start it.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod documentation;
mod healthcheck;
mod logs;
mod probe;
mod program;
mod start;
