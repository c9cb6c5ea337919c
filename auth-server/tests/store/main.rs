//! The store on a real Redis and on the embedded file.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod both;
mod cache;
mod contract;
mod embedded_faults;
mod ground;
mod machines;
mod people;
mod python_records;
mod redis_faults;
#[path = "../support/redis_server.rs"]
mod redis_server;
mod registrations;
