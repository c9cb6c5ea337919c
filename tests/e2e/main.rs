//! The gateway as its users meet it. One binary, because linking costs more than running.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod admin;
mod around;
mod certificate;
mod clients;
mod doctor;
mod doors;
mod early;
mod github_faults;
mod github_standin;
mod identity;
mod journey;
mod journey_rmcp;
mod keys;
mod known_clients;
mod legacy_sse;
mod pages;
mod pages_account;
mod pages_attacks;
mod pages_information;
mod pages_readable;
mod pages_support;
mod policies;
mod processes;
mod python;
mod replicas;
mod restarts;
mod resuming;
mod revocation;
mod scripts;
mod support;
mod work;
