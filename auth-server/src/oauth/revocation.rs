//! Revocation (RFC 7009): only the token's own client may revoke it; the answer is 200 whatever happened (§2.2).

use super::{access_token::Claims, client_authentication::AuthenticatedClient, id::TokenId, refresh::RefreshGrant};

/// What to take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoke {
    /// One access token.
    Token(TokenId),
    /// A refresh token, and with it everything from the same authorization (RFC 7009 §2.1).
    Refresh,
    /// Not this client's.
    Nothing,
}

/// `claims`: of an access token that verified; one that did not is no longer of use to anyone.
pub fn revoke_access(claims: &Claims, caller: &AuthenticatedClient) -> Revoke {
    if claims.client_id == *caller.id() { Revoke::Token(claims.jti.clone()) } else { Revoke::Nothing }
}

pub fn revoke_refresh(grant: &RefreshGrant, caller: &AuthenticatedClient) -> Revoke {
    if grant.client_id == *caller.id() { Revoke::Refresh } else { Revoke::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::fixtures::{authenticated, claims, client, client_named, refresh_grant};

    #[test]
    fn a_client_revokes_its_own_tokens() {
        let caller = authenticated(client());
        assert_eq!(revoke_access(&claims(), &caller), Revoke::Token(claims().jti));
        assert_eq!(revoke_refresh(&refresh_grant(), &caller), Revoke::Refresh);
    }

    #[test]
    fn revocation_by_another_client_does_nothing() {
        let caller = authenticated(client_named("client_2"));
        assert_eq!(revoke_access(&claims(), &caller), Revoke::Nothing);
        assert_eq!(revoke_refresh(&refresh_grant(), &caller), Revoke::Nothing);
    }
}
