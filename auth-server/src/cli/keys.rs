//! `auth-server keys`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::jwt::Algorithm;

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a private key and write it as PEM
    Generate {
        /// RS256, ES256 or EdDSA
        #[arg(long, default_value_t = Algorithm::Rs256)]
        alg: Algorithm,
        /// File to write (mode 0600; never overwritten); without it, standard output
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Show the keys of this server: which one signs, which ones still verify, and for how long
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a new key sign; the one before verifies until its last token has expired
    Rotate {
        /// RS256, ES256 or EdDSA; without it, JWT_ALGORITHM
        #[arg(long)]
        alg: Option<Algorithm>,
        /// The key has leaked: refuse every token that it or one before it has signed
        #[arg(long)]
        compromised: bool,
    },
}
