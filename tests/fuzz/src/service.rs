//! A gateway with one service, its keys, and what `/verify` does with a request.

use std::sync::LazyLock;

use auth_server::{
    jwt::{Jwt, PrivateKey, PublicKey},
    oauth::{
        access_token::Claims,
        forwarded::{Forwarded, ForwardedRequest},
        gateway::Gateway,
        id::{ClientId, Subject, TokenId},
        people::{Groups, People},
        policy::Policy,
        scope::Scope,
        secret::Secret,
        verify::{Check, Permit, Revocation, Rules, authorize},
    },
};
use serde_json::json;

pub(crate) const NOW: u64 = 1_800_000_000;
const DOMAIN: &str = "example.com";
/// The example of RFC 8410 §10.3: everybody knows it.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";

pub(crate) static GATEWAY: LazyLock<Gateway> = LazyLock::new(|| Gateway::new(DOMAIN).expect("a host"));
pub(crate) static JWT: LazyLock<Jwt> = LazyLock::new(jwt);

/// Keys of every kind, so that every check can be reached: RFC 7515 appendix A.3 and RFC 7638 §3.1 beside our own.
fn jwt() -> Jwt {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3\
             oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA\
             ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-\
             kEgU8awapJzKnqDKgw";
    let rsa = json!({ "kty": "RSA", "e": "AQAB", "n": n });
    let ec = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let own = PrivateKey::from_pem(&Secret::new(KEY)).expect("a key of RFC 8410");
    [rsa, ec]
        .iter()
        .map(|jwk| PublicKey::from_jwk(jwk).expect("a key of an RFC"))
        .fold(Jwt::new(own, GATEWAY.issuer()), Jwt::accepting)
        .accepting_hs256(&Secret::new("a secret of the Python service"))
        .expect("a secret")
}

pub(crate) fn claims(audience: &str) -> Claims {
    Claims {
        iss: GATEWAY.issuer().to_owned(),
        sub: Subject::parse("42").expect("visible"),
        aud: vec![audience.to_owned()],
        client_id: ClientId::parse("client_1").expect("visible"),
        scope: Scope::parse("openid").expect("a scope"),
        jti: TokenId::parse("jti").expect("visible"),
        iat: NOW,
        exp: NOW + 3600,
        nbf: None,
        username: "octocat".to_owned(),
        email: None,
        name: None,
    }
}

pub(crate) fn forwarded<'a>(method: &'a str, host: &'a str, uri: &'a str) -> Option<ForwardedRequest<'a>> {
    let headers = Forwarded { method: Some(method), host: Some(host), uri: Some(uri) };
    ForwardedRequest::parse(&headers, &GATEWAY).ok()
}

/// Hands `permitted` the permit, if there is one.
pub(crate) fn decide(bearer: &str, request: &ForwardedRequest<'_>, permitted: impl Fn(Permit<'_>)) {
    let rules = Rules { gateway: GATEWAY.clone(), people: People::Anyone, require_resource: false };
    let check = Check { request, rules: &rules, policy: &Policy::default(), now: NOW };
    if let Ok(claims) = JWT.verify(bearer, NOW)
        && let Ok(permit) = authorize(&claims, &Revocation::Active(Groups::default()), check)
    {
        permitted(permit);
    }
}
