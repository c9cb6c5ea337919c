//! Subcommands beside `serve`, for the operator.

pub mod keys;
