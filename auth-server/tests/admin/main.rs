//! The operator's commands: the real binary, on a real Redis and on the embedded file.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backup;
mod commands;
#[expect(dead_code, reason = "shared with tests/store, which needs more of it")]
#[path = "../store/ground.rs"]
mod ground;
mod place;
#[expect(dead_code, reason = "shared with tests/store, which needs more of it")]
#[path = "../support/redis_server.rs"]
mod redis_server;
mod scripts;
