//! What the end-to-end tests, the conformance run, the benchmark and the demo share.
//!
//! | module | job |
//! | --- | --- |
//! | [`background`] | a server in this process, on its own thread, gone when its guard is dropped |
//! | [`client`] | a browser, an OAuth client and an MCP client, as plain as they can be |
//! | [`fixture`] | a scripted stdio MCP server, quick and able to misbehave |
//! | [`github`] | a stand-in for GitHub's login and API, with faults that can be switched on |
//! | [`harness`] | starts programs, Redis, Traefik and whole gateways, and ends them |

pub mod background;
pub mod client;
pub mod fixture;
pub mod github;
pub mod harness;
