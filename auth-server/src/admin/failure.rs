//! Why a command did not do its work, and what its exit code is.

use std::io;

use crate::{config::ConfigFaults, store::StoreUnavailable};

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command or the configuration is wrong.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Failed(String),
    /// Every fault of the configuration, a line each.
    #[error("{}", .0.0.join("\n"))]
    Configuration(#[from] ConfigFaults),
    #[error("{0}")]
    Store(#[from] StoreUnavailable),
    #[error("the output could not be written: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// `EX_USAGE` of sysexits for what trying again will not help; else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Configuration(_) => 64,
            Self::NotFound(_) | Self::Failed(_) | Self::Store(_) | Self::Output(_) => 1,
        }
    }
}
