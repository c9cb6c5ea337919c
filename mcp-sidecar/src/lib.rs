//! Serves an unmodified stdio MCP server over Streamable HTTP.
//!
//! | module | job |
//! | --- | --- |
//! | [`mcp`] | protocol rules as pure functions: no I/O, clock, randomness, environment or log |
//! | [`child`] | processes: spawn, lines in and out, an end that leaves nothing behind (the only place besides `door` that names `nix`) |
//! | [`cluster`] | several replicas: who has which session (the only place that names `deadpool_redis`) |
//! | `session` | who may speak in which session; one task owns one child |
//! | `door` | the listening socket, and how clients are sent away at the end (the only file that names `socket2`) |
//! | `http` | routes; handlers read the head, load, decide, hand over, reply |
//! | [`cli`] | the subcommands: `probe`, `healthcheck` |
//! | `allocator`, `memory` | the allocator of the static binary; what is free goes back to the system |
//! | [`app`], [`config`], [`logging`], `metrics` | wiring; arguments and environment to checked configuration; the log; numbers |

#[cfg(target_env = "musl")]
pub mod allocator;
pub mod app;
pub mod child;
pub mod cli;
pub mod cluster;
pub mod config;
mod door;
mod http;
pub mod logging;
pub mod mcp;
mod memory;
mod metrics;
mod session;
