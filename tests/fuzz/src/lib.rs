//! What must hold for any bytes that a stranger sends: one function a subject, which panics when it does not.
//!
//! `scripts/fuzz` lets libFuzzer search for such bytes; `cargo test` replays the seeds in `corpus/` and whatever was
//! once found. A find that was mended is kept there under a name that says what it was.

mod bridge;
mod client_documents;
mod event;
mod framing;
mod head;
mod headers;
mod message;
mod params;
mod redirect_uri;
mod resource;
mod scope;
mod service;
mod shared;
mod verify_headers;

pub use bridge::bridge;
pub use client_documents::client_documents;
pub use event::event;
pub use framing::framing;
pub use head::head;
pub use headers::headers;
pub use message::message;
pub use params::params;
pub use redirect_uri::redirect_uri;
pub use resource::resource;
pub use scope::scope;
pub use verify_headers::{GENUINE, genuine, verify_headers};

/// A subject's name, which is also its folder in `corpus/`, and what must hold for it.
pub type Subject = (&'static str, fn(&[u8]));

/// All of them.
pub const SUBJECTS: [Subject; 12] = [
    ("bridge", bridge),
    ("client-documents", client_documents),
    ("event", event),
    ("framing", framing),
    ("head", head),
    ("headers", headers),
    ("message", message),
    ("params", params),
    ("redirect-uri", redirect_uri),
    ("resource", resource),
    ("scope", scope),
    ("verify-headers", verify_headers),
];

/// The input as lines, missing ones empty: a format that a person can write and a fuzzer keeps.
fn lines<const N: usize>(bytes: &[u8]) -> Option<[&str; N]> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.splitn(N, '\n');
    Some(std::array::from_fn(|_| lines.next().unwrap_or_default()))
}
