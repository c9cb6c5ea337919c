//! The requests, and where the answers differ on purpose.

use super::{Case, Difference as D, get, post};

/// A malformed request is an OAuth error of the status that the RFCs give it, not FastAPI's 422.
const IS_400: &[D] = &[D("status", "400")];
/// RFC 7592 §2: a JSON object with `error`, not a bare text.
const OBJECT: &[D] = &[D("body", "-")];

const REGISTERED: &str = r#"{"client_name": "A", "redirect_uris": ["https://client.example/cb"]}"#;
const FULL: &str = r#"{"client_name": "A", "redirect_uris": ["https://client.example/cb", "http://localhost:3000/cb",
    "http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb"], "scope": "openid email",
    "client_uri": "https://client.example", "logo_uri": "https://client.example/logo.png",
    "contacts": ["a@client.example"], "tos_uri": "https://client.example/tos",
    "policy_uri": "https://client.example/policy", "software_id": "a", "software_version": "1"}"#;
const AUTHORIZE: &str = "/authorize?client_id={client}&redirect_uri=http://127.0.0.1:33418/client/callback&state=s\
    &response_type=code&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

pub(super) const CASES: &[Case] = &[
    get("metadata", "/.well-known/oauth-authorization-server").but(&[
        // No token has the one, and no ID token is signed with the other.
        D("claims_supported[preferred_username]", "-"),
        D("id_token_signing_alg_values_supported[HS256]", "-"),
    ]),
    get("keys", "/jwks"),
    get("a path that does not exist", "/nowhere"),
    get("a method that does not exist", "/token").but(&[D("detail", "-")]),
    // What people see
    // Consent is asked first, and no fault of client_id or redirect_uri is anything but a page.
    get("authorize", AUTHORIZE).but(&[D("location", "-"), D("status", "200")]),
    get(
        "authorize for an unknown client",
        "/authorize?client_id=nobody&redirect_uri=https://a.example&response_type=code&state=s",
    ),
    get(
        "authorize to an unregistered URI",
        "/authorize?client_id={client}&redirect_uri=https://a.example&response_type=code&state=s",
    )
    .but(&[D("status", "400")])
    .but(&[D("error", "-"), D("error_description", "-"), D("type", "text/html")]),
    // RFC 7591
    post("register", "POST /register", REGISTERED),
    post("register with all metadata", "POST /register", FULL),
    post("register without redirect URI", "POST /register", r#"{"client_name": "A"}"#),
    post("register with an empty list", "POST /register", r#"{"redirect_uris": []}"#),
    post("register with an empty redirect URI", "POST /register", r#"{"redirect_uris": [""]}"#),
    post("register http elsewhere", "POST /register", r#"{"redirect_uris": ["http://client.example/cb"]}"#),
    post("register without scheme", "POST /register", r#"{"redirect_uris": ["client.example/cb"]}"#),
    post("register a number", "POST /register", r#"{"redirect_uris": [1]}"#).but(IS_400),
    post("register what is no JSON", "POST /register", "{").but(IS_400),
    // RFC 7592
    // A secret is stored as a hash, and cannot be told twice.
    get("read a registration", "/register/{client}")
        .with("Authorization: Bearer {registration}")
        .but(&[D("client_secret", "-")]),
    get("read without token", "/register/{client}").but(OBJECT),
    get("read with Basic", "/register/{client}").with("Authorization: Basic YTpi").but(OBJECT),
    get("read with a wrong token", "/register/{client}").with("Authorization: Bearer reg-wrong").but(OBJECT),
    get("read an unknown registration", "/register/client_nobody").with("Authorization: Bearer reg-wrong").but(OBJECT),
    // What is left out is deleted (RFC 7592 §2.2).
    post("update", "PUT /register/{client}", REGISTERED)
        .with("Authorization: Bearer {registration}")
        .but(&[D("client_secret", "-"), D("scope", "-")]),
    post("update to http elsewhere", "PUT /register/{client}", r#"{"redirect_uris": ["http://client.example/cb"]}"#)
        .with("Authorization: Bearer {registration}"),
    post("update to no redirect URI", "PUT /register/{client}", r#"{"redirect_uris": []}"#)
        .with("Authorization: Bearer {registration}"),
    post("update with a wrong token", "PUT /register/{client}", REGISTERED)
        .with("Authorization: Bearer reg-wrong")
        .but(OBJECT),
    post("update without token", "PUT /register/{client}", REGISTERED).but(OBJECT),
    get("delete without token", "DELETE /register/{client}").but(OBJECT),
    get("delete with a wrong token", "DELETE /register/{client}").with("Authorization: Bearer reg-wrong").but(OBJECT),
    get("delete what is not there", "DELETE /register/client_nobody")
        .with("Authorization: Bearer reg-wrong")
        .but(OBJECT),
    // /token
    post("token for an unknown client", "POST /token", "grant_type=refresh_token&client_id=nobody&refresh_token=x"),
    post(
        "token with a wrong secret",
        "POST /token",
        "grant_type=refresh_token&client_id={client}&client_secret=wrong&refresh_token=x",
    ),
    post("token without grant type", "POST /token", "client_id={client}&client_secret={secret}").but(IS_400),
    post("token without client", "POST /token", "grant_type=authorization_code&code=x").but(&[D("status", "401")]),
    post(
        "token for a grant nobody has",
        "POST /token",
        "grant_type=password&client_id={client}&client_secret={secret}",
    ),
    post(
        "token without code",
        "POST /token",
        "grant_type=authorization_code&client_id={client}&client_secret={secret}",
    ),
    post(
        "token for an unknown code",
        "POST /token",
        "grant_type=authorization_code&code=x&client_id={client}&client_secret={secret}&code_verifier=x",
    ),
    post(
        "token for a code with another redirect URI",
        "POST /token",
        "grant_type=authorization_code&code={code}&redirect_uri=https://other.example/&client_id={client}\
         &client_secret={secret}&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    ),
    post(
        "token for a code with another verifier",
        "POST /token",
        "grant_type=authorization_code&code={code}&redirect_uri=http://127.0.0.1:33418/client/callback\
         &client_id={client}&client_secret={secret}&code_verifier=ABjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    ),
    post(
        "token for a code",
        "POST /token",
        "grant_type=authorization_code&code={code}&redirect_uri=http://127.0.0.1:33418/client/callback\
         &client_id={client}&client_secret={secret}&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    ),
    post("refresh without token", "POST /token", "grant_type=refresh_token&client_id={client}&client_secret={secret}"),
    post(
        "refresh with an unknown token",
        "POST /token",
        "grant_type=refresh_token&refresh_token=x&client_id={client}&client_secret={secret}",
    ),
    post(
        "refresh",
        "POST /token",
        "grant_type=refresh_token&refresh_token={refresh}&client_id={client}&client_secret={secret}",
    ),
    // /verify
    get("verify without token", "/verify").with("Accept: application/json"),
    get("verify with Basic", "/verify").with("Authorization: Basic YTpi"),
    get("verify with a bad token", "/verify").with("Authorization: Bearer bad"),
    get("verify", "/verify").with("Authorization: Bearer {access}"),
    post("verify by POST", "POST /verify", "").with("Authorization: Bearer {access}"),
    get("verify from a browser", "/verify").with("Accept: text/html"),
    get("verify from a browser that takes JSON", "/verify").with("Accept: text/html, application/json"),
    // /introspect, /revoke
    // RFC 7662 §2.2 allows both forms; who asks has to prove itself (§2.1), as for /revoke (RFC 7009 §2.1).
    post("introspect", "POST /introspect", "token={access}&client_id={client}&client_secret={secret}")
        .but(&[D("aud", "[…]")]),
    post("introspect nonsense", "POST /introspect", "token=x&client_id={client}&client_secret={secret}"),
    post("introspect as nobody", "POST /introspect", "token={access}&client_id=nobody")
        .but(&[D("active", "-"), D("status", "401")]),
    post("introspect without token", "POST /introspect", "client_id={client}&client_secret={secret}").but(IS_400),
    post("revoke nonsense", "POST /revoke", "token=x&client_id={client}&client_secret={secret}"),
    post("revoke as nobody", "POST /revoke", "token=x&client_id=nobody").but(&[D("status", "401")]),
    post("revoke without token", "POST /revoke", "client_id={client}&client_secret={secret}").but(IS_400),
    post("revoke", "POST /revoke", "token={access}&client_id={client}&client_secret={secret}"),
    get("verify what was revoked", "/verify").with("Authorization: Bearer {access}"),
    // Every redirect of a GET is a 307; the page says by its status that it is one of an error.
    get("callback with an unknown state", "/callback?code=x&state=nobody").but(&[D("status", "307")]),
    get("callback without state", "/callback?code=x").but(&[D("status", "307")]),
    get("success with a code", "/success?code=x"),
    get("success with an error", "/success?error=access_denied"),
    get("success without either", "/success"),
    get("error", "/error?error=invalid_request").but(&[D("status", "400")]),
    get("error without error", "/error").but(IS_400),
    // Last: the client is gone.
    get("delete", "DELETE /register/{client}").with("Authorization: Bearer {registration}"),
];
