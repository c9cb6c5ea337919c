//! What the end-to-end tests, the conformance run, the benchmark and the demo share.
//!
//! | module | job |
//! | --- | --- |
//! | [`background`] | a server in this process, on its own thread, gone when its guard is dropped |
//! | [`fixture`] | a scripted stdio MCP server, quick and able to misbehave |
//! | [`github`] | a stand-in for GitHub's login and API, with faults that can be switched on |

pub mod background;
pub mod fixture;
pub mod github;
