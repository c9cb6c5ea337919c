//! Introspection (RFC 7662): what a token's own client may learn of it.

use serde_json::{Value, json};

use super::{
    access_token::Claims,
    client_authentication::AuthenticatedClient,
    verify::{Revocation, VerifiedClaims},
};

/// RFC 7662 §2.2: for everything that is not an active token of this client, and nothing more than that.
pub fn inactive() -> Value {
    json!({ "active": false })
}

/// `claims`: `None` when the token is not one of ours or no longer valid. A public client has no way to prove itself,
/// so it learns nothing (RFC 7662 §2.1).
pub fn introspect(claims: Option<&VerifiedClaims>, revocation: Revocation, caller: &AuthenticatedClient) -> Value {
    match claims.map(VerifiedClaims::claims) {
        Some(claims) if revocation == Revocation::Active && may_see(claims, caller) => active(claims),
        _ => inactive(),
    }
}

fn may_see(claims: &Claims, caller: &AuthenticatedClient) -> bool {
    claims.client_id == *caller.id() && !caller.client().is_public()
}

fn active(claims: &Claims) -> Value {
    json!({
        "active": true,
        "scope": claims.scope,
        "client_id": claims.client_id,
        "username": claims.username,
        "token_type": "Bearer",
        "exp": claims.exp,
        "iat": claims.iat,
        "sub": claims.sub,
        "aud": claims.aud,
        "iss": claims.iss,
        "jti": claims.jti,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::fixtures::{NOW, authenticated, claims, client, client_named, gateway, public_client};

    fn ask(caller: AuthenticatedClient, revocation: Revocation) -> Value {
        let verified = VerifiedClaims::check(claims(), None, gateway().issuer(), NOW).unwrap();
        introspect(Some(&verified), revocation, &caller)
    }

    #[test]
    fn its_own_client_sees_an_active_token() {
        let answer = ask(authenticated(client()), Revocation::Active);
        assert_eq!((answer["active"].clone(), answer["username"].clone()), (json!(true), json!("octocat")));
    }

    #[test]
    fn introspection_by_another_client_learns_nothing() {
        assert_eq!(ask(authenticated(client_named("client_2")), Revocation::Active), inactive());
        assert_eq!(ask(authenticated(public_client()), Revocation::Active), inactive());
    }

    #[test]
    fn a_revoked_or_unknown_token_is_inactive() {
        assert_eq!(ask(authenticated(client()), Revocation::Revoked), inactive());
        assert_eq!(introspect(None, Revocation::Active, &authenticated(client())), inactive());
    }
}
