//! OAuth 2.1 authorization server for MCP, behind Traefik.
//!
//! | module | job |
//! | --- | --- |
//! | [`oauth`] | protocol rules as pure functions: no I/O, clock, randomness or environment |
//! | [`jwt`] | keys, signing, checking (the only file that names josekit) |
//! | `identity` | who the person is, says GitHub (the only place that names `oauth2`) |
//! | [`store`] | what is remembered, in Redis or in an embedded database |
//! | `clients`, `fetch` | who a client is that describes itself, and the HTTPS client for URLs that strangers name |
//! | `outgoing` | HTTPS clients that are built beside the start |
//! | `door` | the listening socket, and how clients are sent away at the end (the only file that names nix and socket2) |
//! | `http` | routes; handlers extract, load, decide, commit, reply |
//! | [`audit`] | who was granted, refused, revoked: one function an event |
//! | `metrics` | every metric, declared once |
//! | [`app`], [`config`], [`cli`], [`logging`] | wiring; environment and arguments to checked configuration; logs |
//! | [`admin`] | subcommands for the operator |
//! | [`keys`] | signing keys from files or the environment, exchanged and rotated while requests go on |
//! | `clock`, `random` | time and randomness, read at the edge and passed on as arguments |

pub mod admin;
pub mod app;
pub mod audit;
pub mod cli;
mod clients;
mod clock;
pub mod config;
mod door;
mod fetch;
mod http;
mod identity;
pub mod jwt;
pub mod keys;
pub mod logging;
mod metrics;
pub mod oauth;
mod outgoing;
mod random;
mod request_id;
pub mod store;
