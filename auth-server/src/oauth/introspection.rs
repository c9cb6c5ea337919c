//! Introspection (RFC 7662): what a token's own client may learn of it.

use serde_json::{Value, json};

use super::{
    access_token::Claims,
    client_authentication::AuthenticatedClient,
    verify::{Revocation, Rules, VerifiedClaims},
};

/// RFC 7662 §2.2: for everything that is not an active token of this client, and nothing more than that.
pub fn inactive() -> Value {
    json!({ "active": false })
}

/// `claims`: `None` when the token is not one of ours or no longer valid. A public client has no way to prove itself,
/// so it learns nothing (RFC 7662 §2.1).
pub fn introspect(
    claims: Option<&VerifiedClaims>,
    revocation: &Revocation,
    rules: &Rules,
    caller: &AuthenticatedClient,
) -> Value {
    match (claims.map(VerifiedClaims::claims), revocation) {
        (Some(claims), Revocation::Active(groups)) if rules.admit(claims, groups) && may_see(claims, caller) => {
            active(claims)
        }
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
    use crate::oauth::{
        fixtures::{NOW, authenticated, claims, client, client_named, gateway, public_client},
        people::{AllowList, Groups, People},
    };

    fn ask(caller: AuthenticatedClient, revocation: Revocation) -> Value {
        let verified = VerifiedClaims::check(claims(), gateway().issuer(), NOW).unwrap();
        introspect(Some(&verified), &revocation, &rules(People::Anyone), &caller)
    }

    fn rules(people: People) -> Rules {
        Rules { gateway: gateway(), people, require_resource: false }
    }

    fn still_active() -> Revocation {
        Revocation::Active(Groups::default())
    }

    #[test]
    fn its_own_client_sees_an_active_token() {
        let answer = ask(authenticated(client()), still_active());
        assert_eq!((answer["active"].clone(), answer["username"].clone()), (json!(true), json!("octocat")));
    }

    #[test]
    fn introspection_by_another_client_learns_nothing() {
        assert_eq!(ask(authenticated(client_named("client_2")), still_active()), inactive());
        assert_eq!(ask(authenticated(public_client()), still_active()), inactive());
    }

    #[test]
    fn a_revoked_or_unknown_token_is_inactive() {
        assert_eq!(ask(authenticated(client()), Revocation::Revoked), inactive());
        let anyone = rules(People::Anyone);
        assert_eq!(introspect(None, &still_active(), &anyone, &authenticated(client())), inactive());
    }

    #[test]
    fn the_token_of_a_removed_user_is_inactive() {
        let verified = VerifiedClaims::check(claims(), gateway().issuer(), NOW).unwrap();
        let nobody = rules(People::Only(AllowList::default()));
        assert_eq!(introspect(Some(&verified), &still_active(), &nobody, &authenticated(client())), inactive());
    }
}
