//! What an operator asks of the store: `clients`, `tokens`, `users`, `stats`, `purge`, `backup`, `restore`; and `doctor`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The operator's commands. They take the server's configuration and work while it runs.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Registered clients
    #[command(subcommand)]
    Clients(Clients),
    /// Access tokens
    #[command(subcommand)]
    Tokens(Tokens),
    /// People who have allowed a client in
    #[command(subcommand)]
    Users(Users),
    /// Find out whether this gateway works, as its clients see it, and what to do if not
    Doctor(Doctor),
    /// How much there is of everything
    Stats(Format),
    /// Clear away what nobody can use any more
    Purge {
        /// Only count
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Write everything that is stored into a file, which fits either store
    Backup {
        /// Written anew, mode 0600; «-» is standard output
        file: PathBuf,
    },
    /// Bring back what a backup holds; what is there already stays as it is
    Restore {
        /// «-» is standard input
        file: PathBuf,
        /// Check the file and count, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Delete everything that is stored first
        #[arg(long, conflicts_with = "dry_run")]
        clear: bool,
        #[command(flatten)]
        consent: Consent,
    },
}

#[derive(Clone, Copy, Debug, Args)]
pub struct Doctor {
    /// Where Traefik listens for plain http
    #[arg(long, default_value_t = 80)]
    pub http_port: u16,
    #[command(flatten)]
    pub format: Format,
}

#[derive(Clone, Copy, Debug, Args)]
pub struct Format {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// For what cannot be undone and concerns many.
#[derive(Clone, Copy, Debug, Args)]
pub struct Consent {
    /// Do not ask first
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Subcommand)]
pub enum Clients {
    /// All of them
    List(Format),
    /// One, and who has allowed it in
    Show {
        id: String,
        #[command(flatten)]
        format: Format,
    },
    /// Register a client by hand; its secret is printed, this once
    Create(NewClient),
    /// Delete a client and everything that was issued to it
    Delete {
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// Every client
        #[arg(long, conflicts_with = "id")]
        all: bool,
        #[command(flatten)]
        consent: Consent,
    },
}

#[derive(Clone, Debug, Args)]
pub struct NewClient {
    /// What people see on the consent page
    #[arg(long)]
    pub name: String,
    /// Where codes may be sent; may be given more than once
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub redirect_uris: Vec<String>,
    /// What the client may do; may be given more than once
    #[arg(long = "grant-type", value_name = "GRANT", default_value = "authorization_code",
          value_parser = ["authorization_code", "refresh_token", "client_credentials"])]
    pub grant_types: Vec<String>,
    /// How the client proves who it is
    #[arg(long, value_name = "METHOD", default_value = "client_secret_basic",
          value_parser = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"])]
    pub auth_method: String,
    /// Its public keys (a JSON Web Key Set), for private_key_jwt
    #[arg(long, value_name = "FILE")]
    pub jwks: Option<PathBuf>,
    /// Most that it may ask for, separated by spaces
    #[arg(long, default_value = "")]
    pub scope: String,
    #[command(flatten)]
    pub format: Format,
}

#[derive(Debug, Subcommand)]
pub enum Tokens {
    /// Those that have not been revoked
    List {
        /// Only this person's
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Only this client's
        #[arg(long, value_name = "ID")]
        client: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// End one access token, or everything that was issued to everybody
    Revoke {
        #[arg(required_unless_present = "all")]
        jti: Option<String>,
        /// Every access and refresh token: everybody logs in again
        #[arg(long, conflicts_with = "jti")]
        all: bool,
        #[command(flatten)]
        consent: Consent,
    },
}

#[derive(Debug, Subcommand)]
pub enum Users {
    /// Everybody, with what they have allowed
    List(Format),
    /// End every login of a person, with all tokens; they are asked again next time
    Logout { name: String },
}
