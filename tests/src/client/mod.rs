//! People and programs that use the gateway from outside: a browser without scripts, an OAuth client, an MCP client.

mod browser;
mod events;
mod html;
mod localhost;
mod mcp;
mod oauth;
mod raw;

pub use browser::{Arrival, Browser, Page};
pub use events::Events;
pub use html::Form;
pub use localhost::{Localhost, http_client};
pub use mcp::{McpClient, sse_messages};
pub use oauth::{Client, Login, REDIRECT_URI, Tokens, VERIFIER, challenge};
pub use raw::raw_get;
