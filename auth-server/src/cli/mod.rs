//! The command line: as the Python service has it (`--host`, `--port`), plus subcommands.

mod admin;
mod keys;

use clap::{Args, Parser, Subcommand};

pub use admin::{Admin, Clients, Consent, Doctor, Format, NewClient, Tokens, Users};
pub use keys::Keys;

use crate::config::Config;

/// OAuth 2.1 authorization server for MCP, behind Traefik.
///
/// Configured by environment variables and an .env file in the working directory; .env.example lists them.
#[derive(Debug, Parser)]
#[command(name = "auth-server", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Without a subcommand: serve.
    #[command(flatten)]
    pub serve: Serve,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer requests until SIGTERM or SIGINT (the default)
    Serve(Serve),
    /// Signing keys
    #[command(subcommand)]
    Keys(Keys),
    #[command(flatten)]
    Admin(Admin),
}

#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 takes a free one, which the log names
    #[arg(long, default_value_t = 8000)]
    pub port: u16,
    /// off, error, warn, info, debug or trace; wins over LOG_LEVEL
    #[arg(long)]
    pub log_level: Option<log::LevelFilter>,
}

impl Serve {
    /// Arguments win over the environment.
    pub fn apply(self, mut config: Config) -> Config {
        config.host = self.host;
        config.port = self.port;
        config.log.level = self.log_level.unwrap_or(config.log.level);
        config
    }
}

impl Cli {
    pub fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_python_services_command_line_still_works() {
        let Command::Serve(serve) = Cli::parse_from(["auth-server", "--host", "0.0.0.0", "--port", "0"]).command()
        else {
            panic!("serve is the default");
        };
        assert_eq!((serve.host.as_str(), serve.port), ("0.0.0.0", 0));
    }
}
