//! placeholder
pub mod child;
