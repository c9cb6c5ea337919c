//! Keys at the edge: read from files or the environment, exchanged while requests go on, rotated (docs/keys.md).

mod files;
mod retired;
mod ring;
mod rotation;
mod source;

pub(crate) use files::write_new;
pub(crate) use retired::Retired;
pub use ring::KeyRing;
pub(crate) use rotation::{Rotated, Rotation, encode};
pub use source::NoKeys;
pub(crate) use source::{Loaded, Place, Source};
