//! The whole service over real HTTP, with nothing faked but GitHub.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attacks;
mod client_documents;
mod endpoints;
mod faults;
mod login;
mod metrics;
mod remembered_consent;
mod support;
mod verify;
