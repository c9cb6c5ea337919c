//! `/verify`: Traefik's ForwardAuth asks it before every request to an MCP server.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderName, HeaderValue},
};
use quick_cache::sync::Cache;

use super::{
    AuthServer, Server,
    error::{OurFault, VerifyFault},
    usage::LastNoticed,
};
use crate::{
    clock,
    metrics::{METRICS, VerifyOutcome},
    oauth::{
        access_token::Claims,
        forwarded::{Forwarded, ForwardedRequest, NotForwarded},
        policy::{MalformedPolicy, Policy},
        service::ScopesSupported,
        verify::{self, Check, Denied, InvalidToken, Permit, Revocation, VerifiedClaims},
    },
    store::cache::{Remembered, TokenHash},
};

/// Traefik deletes these from the client's request and sets what we say, so all are said, even empty.
const USER_ID: HeaderName = HeaderName::from_static("x-user-id");
const USER_NAME: HeaderName = HeaderName::from_static("x-user-name");
const CLIENT_ID: HeaderName = HeaderName::from_static("x-client-id");
const SCOPE: HeaderName = HeaderName::from_static("x-scope");
const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
/// That are remembered; with more services than that, the rarer ones are read anew.
const MOST_POLICIES: usize = 256;
/// Of a query whose policy is remembered: /verify can be asked from outside too, and memory is not the asker's to fill.
const MOST_QUERY: usize = 2048;

/// A token whose signature is right, where it stands, and what is said of it upstream.
#[derive(Debug)]
pub(crate) struct KnownToken {
    claims: VerifiedClaims,
    revocation: Revocation,
    /// The keys that it was verified with.
    generation: u64,
    last_noticed: LastNoticed,
    /// `X-User-Id`, `X-User-Name`, `X-Client-Id`, `X-Scope`.
    headers: [HeaderValue; 4],
}

impl KnownToken {
    fn new(claims: VerifiedClaims, revocation: Revocation, generation: u64) -> Self {
        let Claims { sub, username, client_id, scope, iat, .. } = claims.claims();
        let headers = [sub.as_str(), username, client_id.as_str(), &scope.to_string()].map(value);
        let last_noticed = LastNoticed::when_issued(*iat);
        Self { claims, revocation, generation, last_noticed, headers }
    }
}

/// What Traefik asks: may this request pass, by the policy in the middleware's own address?
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) forwarded: ForwardedRequest<'a>,
    pub(super) policy: Arc<Policy>,
}

/// The policies of all protected services, each read once.
#[derive(Debug)]
pub(crate) struct Policies(Cache<String, Arc<Policy>>);

impl Default for Policies {
    fn default() -> Self {
        Self(Cache::new(MOST_POLICIES))
    }
}

impl Policies {
    fn get(&self, query: &str, scopes: &ScopesSupported) -> Result<Arc<Policy>, MalformedPolicy> {
        if let Some(policy) = self.0.get(query) {
            return Ok(policy);
        }
        let policy = Policy::parse(query)?;
        // Nobody could be granted such a scope: without this, clients would be sent to ask for it for ever.
        scopes.check(policy.scope())?;
        let policy = Arc::new(policy);
        if query.len() <= MOST_QUERY {
            self.0.insert(query.to_owned(), policy.clone());
        }
        Ok(policy)
    }
}

pub(super) async fn verify(server: Server, request: HttpRequest) -> HttpResponse {
    let question = match question(&server, &request) {
        Ok(question) => question,
        Err(fault) => return fault.response(&server, &request, None),
    };
    let reply = decide(&server, &request, &question).await;
    reply.unwrap_or_else(|fault| fault.response(&server, &request, Some(&question)))
}

/// A client reaches neither: Traefik writes the headers, and the query is not the one of the client's request.
fn question<'a>(server: &AuthServer, request: &'a HttpRequest) -> Result<Question<'a>, VerifyFault> {
    let forwarded = forwarded(server, request)?;
    let policy = server.policies.get(request.query_string(), &server.authorization.scopes_supported);
    let policy = policy.map_err(|fault| OurFault::Policy { host: forwarded.host().to_owned(), fault })?;
    Ok(Question { forwarded, policy })
}

async fn decide(
    server: &AuthServer,
    request: &HttpRequest,
    question: &Question<'_>,
) -> Result<HttpResponse, VerifyFault> {
    let Question { forwarded, policy } = question;
    let foreign = |origin: &HeaderValue| !origin.to_str().is_ok_and(|origin| server.allowed_origins.admits(origin));
    if request.headers().get_all(header::ORIGIN).any(foreign) {
        return Err(Denied::ForeignOrigin.into());
    }
    // A preflight never carries a token (Fetch standard §3.2.2); it reaches the MCP server as nobody.
    if forwarded.method() == "OPTIONS" {
        return Ok(passed(["", "", "", ""].map(value)));
    }
    let bearer = bearer(request)?;
    let now = clock::unix(clock::now());
    let token = known(server, bearer, now).await?;
    let check = Check { request: forwarded, rules: &server.rules, policy, now };
    let permit = verify::authorize(&token.claims, &token.revocation, check)?;
    server.usage.notice(&token.claims.claims().jti, &token.last_noticed, now);
    Ok(permitted(server, &token, permit, bearer))
}

/// Remembered, or else checked and looked up.
async fn known(server: &AuthServer, bearer: &str, now: u64) -> Result<Arc<Remembered<KnownToken>>, VerifyFault> {
    let hash = TokenHash::of(bearer);
    let generation = server.jwt.generation();
    if let Some(known) = server.tokens.get(&hash).filter(|known| known.generation == generation) {
        METRICS.verify_cache_hits.inc();
        return Ok(known);
    }
    METRICS.verify_cache_misses.inc();
    let claims = server.jwt.verify(bearer, now)?;
    let (revocation, basis) = server.store.standing(&claims.claims().jti).await?;
    Ok(server.tokens.keep(hash, KnownToken::new(claims, revocation, generation), basis))
}

/// The token is needed for its prepared headers only: whether they may be written is the permit's say.
fn permitted(server: &AuthServer, token: &KnownToken, _: Permit<'_>, bearer: &str) -> HttpResponse {
    let mut response = passed(token.headers.clone());
    if server.forward_auth_token {
        response.headers_mut().insert(AUTH_TOKEN, value(bearer));
    }
    response
}

fn passed([id, name, client, scope]: [HeaderValue; 4]) -> HttpResponse {
    METRICS.verify.add(VerifyOutcome::Permitted);
    let mut response = HttpResponse::Ok();
    response.insert_header((USER_ID, id)).insert_header((USER_NAME, name));
    response.insert_header((CLIENT_ID, client)).insert_header((SCOPE, scope)).finish()
}

/// Empty when it cannot stand in a header: nobody is then better than somebody else.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// What Traefik says of the request; asked directly, the request speaks for itself.
fn forwarded<'a>(server: &AuthServer, request: &'a HttpRequest) -> Result<ForwardedRequest<'a>, NotForwarded> {
    let said = |name: &str| text(request, name);
    let headers = Forwarded {
        method: said("x-forwarded-method").or(Some(request.method().as_str())),
        host: said("x-forwarded-host").or_else(|| text(request, header::HOST)),
        uri: said("x-forwarded-uri").or(Some(request.path())),
    };
    ForwardedRequest::parse(&headers, &server.gateway)
}

fn bearer(request: &HttpRequest) -> Result<&str, Denied> {
    let mut sent = request.headers().get_all(header::AUTHORIZATION);
    let first = sent.next().ok_or(Denied::TokenMissing)?;
    if sent.next().is_some() {
        return Err(InvalidToken::Malformed.into());
    }
    let text = first.to_str().map_err(|_| InvalidToken::Malformed)?;
    // RFC 9110 §11.1: the scheme's case does not matter. Another scheme is no bearer token at all.
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Denied::TokenMissing),
    }
}

fn text(request: &HttpRequest, name: impl header::AsHeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}
