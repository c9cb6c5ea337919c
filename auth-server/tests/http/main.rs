//! The whole service over real HTTP, with nothing faked but GitHub.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod attacks;
mod audit;
mod client_credentials;
mod client_documents;
mod disk_full;
mod endpoints;
mod faults;
mod login;
mod logs;
mod metrics;
mod people;
mod policy;
mod private_key_jwt;
mod redis_faults;
#[path = "../support/redis_server.rs"]
mod redis_server;
mod redis_tls;
mod registrations;
mod remembered_consent;
mod secrets_in_logs;
mod support;
mod usage;
mod verify;
