//! Who was granted, refused, revoked: one function an event, each a log line with `target` «audit» and an `event`.
//!
//! Ids only: a secret, a token, a login name or an e-mail address has no way in, because arguments are ids and reasons
//! that hold nothing that was sent. Written whatever `LOG_LEVEL` says, unless it says off. docs/operations.md has the
//! events as a table.

use log::{info, warn};

use crate::{
    metrics::{GrantType, Label},
    oauth::{
        error::TokenError,
        id::{ClientId, FamilyId, Subject, TokenId},
        verify::Denied,
    },
};

/// The log target of every event.
pub const TARGET: &str = "audit";

pub fn client_registered(client: &ClientId) {
    info!(target: TARGET, event = "client_registered", client_id:% = client; "client registered");
}

pub fn client_changed(client: &ClientId) {
    info!(target: TARGET, event = "client_changed", client_id:% = client; "client registration changed");
}

pub fn client_deleted(client: &ClientId) {
    info!(target: TARGET, event = "client_deleted", client_id:% = client; "client deleted, and its tokens");
}

/// The person consented, logged in and may come in: the client gets a code.
pub fn login_granted(client: &ClientId, user: &Subject) {
    info!(target: TARGET, event = "login_granted", client_id:% = client, user_id:% = user; "person let in");
}

/// The person is who they are, and may not come in.
pub fn login_denied(client: &ClientId, user: &Subject) {
    warn!(
        target: TARGET, event = "login_denied",
        client_id:% = client, user_id:% = user;
        "person not let in"
    );
}

/// The person said no, here or at the identity provider.
pub fn consent_denied(client: &ClientId) {
    info!(target: TARGET, event = "consent_denied", client_id:% = client; "person said no");
}

/// `jti` names the access token in every later event.
pub fn token_issued(client: &ClientId, user: &Subject, token: &TokenId) {
    info!(
        target: TARGET, event = "token_issued",
        client_id:% = client, user_id:% = user, jti:% = token;
        "token issued"
    );
}

/// `claimed`: whom the request names, which it did not prove.
pub fn client_refused(claimed: &ClientId, reason: &TokenError) {
    warn!(
        target: TARGET, event = "client_refused",
        claimed_client_id:% = claimed, code = reason.code(), reason:%;
        "client not authenticated"
    );
}

pub(crate) fn grant_refused(client: &ClientId, grant_type: GrantType, reason: &TokenError) {
    warn!(
        target: TARGET, event = "grant_refused",
        client_id:% = client, grant_type = grant_type.name(), code = reason.code(), reason:%;
        "no token issued"
    );
}

/// Security: somebody has a refresh token that its owner has spent (RFC 9700 §4.14.2).
pub fn refresh_reused(client: &ClientId, family: &FamilyId) {
    warn!(
        target: TARGET, event = "refresh_reused",
        security = true, client_id:% = client, family:%;
        "spent refresh token came back, its family was revoked"
    );
}

/// Security: somebody has an authorization code that was spent (RFC 6749 §4.1.2).
pub fn code_reused(client: &ClientId, family: &FamilyId) {
    warn!(
        target: TARGET, event = "code_reused",
        security = true, client_id:% = client, family:%;
        "spent code came back, what it gave was revoked"
    );
}

/// By its own client (RFC 7009).
pub fn token_revoked(client: &ClientId) {
    info!(target: TARGET, event = "token_revoked", client_id:% = client; "token revoked");
}

/// At the account page: what this login of the client gave.
pub fn access_revoked(client: &ClientId, user: &Subject, family: &FamilyId) {
    info!(
        target: TARGET, event = "access_revoked",
        client_id:% = client, user_id:% = user, family:%;
        "person took access back"
    );
}

/// At the account page: everything that was given to anybody in this person's name.
pub fn all_access_revoked(user: &Subject) {
    info!(target: TARGET, event = "all_access_revoked", user_id:% = user; "person took all access back");
}

/// To the account page, where access can be taken back and nothing else.
pub fn account_opened(user: &Subject) {
    info!(target: TARGET, event = "account_opened", user_id:% = user; "person signed in to the account page");
}

/// `/verify` refused a token or a page; `host` is one of ours.
pub fn access_refused(host: &str, reason: &Denied) {
    info!(target: TARGET, event = "access_refused", host, code = reason.code(), reason:%; "access refused");
}

/// A new key signs, or others are accepted: a rotation, or somebody else's hand in the key folder.
pub fn keys_changed(kid: &str, accepted: usize) {
    info!(target: TARGET, event = "keys_changed", kid, accepted; "signing keys read");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    const PAGE: &str = include_str!("../../docs/operations.md");

    #[test]
    fn the_page_has_every_event_and_no_other() {
        let (source, _) = include_str!("audit.rs").split_once("#[cfg(test)]").unwrap();
        let events: BTreeSet<_> =
            source.split("event = \"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
        let (_, section) = PAGE.split_once("## Audit").unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0));
        assert_eq!(events, rows.collect());
    }
}
