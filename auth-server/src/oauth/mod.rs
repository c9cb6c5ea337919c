//! The protocol, pure: std, serde, url, sha2, base64 only (held to by `tests/layering.rs`).

pub mod access_token;
pub mod account;
pub mod authorization;
pub mod challenge;
pub mod client;
pub mod client_assertion;
pub mod client_authentication;
pub mod client_credentials;
pub mod client_id_metadata;
pub mod consent;
pub mod error;
pub mod forwarded;
pub mod gateway;
pub mod grant;
pub mod id;
pub mod introspection;
pub mod metadata;
pub mod params;
pub mod people;
pub(crate) mod pkce;
pub mod policy;
pub mod redirect_uri;
pub mod refresh;
pub mod registration;
pub mod resource;
pub mod revocation;
pub mod scope;
pub mod secret;
pub mod service;
pub mod token;
pub mod verify;

#[cfg(test)]
pub(crate) mod fixtures;
