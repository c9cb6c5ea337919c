//! The route table on one screen. Handlers extract, load, decide, commit, reply; the deciding is in [`crate::oauth`].

mod access;
mod account;
mod authorize;
mod browser;
mod callback;
mod client_authentication;
mod consent;
mod cors;
mod error;
mod extract;
mod grant;
mod health;
mod information;
mod introspect;
mod metadata;
pub(crate) mod metrics;
mod outcome;
mod pages;
mod register;
mod remembered;
mod reply;
mod revoke;
mod session;
mod token;
mod verify;

use std::sync::Arc;

use actix_web::{
    guard,
    http::header,
    middleware::{DefaultHeaders, from_fn},
    web::{self, ServiceConfig, delete, get, post, put},
};

use self::verify::KnownToken;
use crate::{
    clients::Clients,
    config::{AllowedOrigins, Lifetimes},
    identity::IdentityProvider,
    keys::KeyRing,
    oauth::{authorization::AuthorizationPolicy, gateway::Gateway, verify::Rules},
    store::{self, Store, cache::TokenCache},
};

/// What every handler reaches for.
#[derive(Debug)]
pub(crate) struct AuthServer {
    pub(crate) gateway: Gateway,
    pub(crate) authorization: AuthorizationPolicy,
    pub(crate) rules: Rules,
    pub(crate) allowed_origins: AllowedOrigins,
    pub(crate) services: Vec<String>,
    pub(crate) forward_auth_token: bool,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) max_clients: usize,
    pub(crate) identity: IdentityProvider,
    pub(crate) store: Store,
    pub(crate) clients: Clients,
    pub(crate) jwt: Arc<KeyRing>,
    /// What `/verify` found out.
    pub(crate) tokens: TokenCache<KnownToken>,
}

/// What handlers take it as.
pub(crate) type Server = web::Data<AuthServer>;

impl AuthServer {
    pub(crate) fn grant_lifetimes(&self) -> store::Lifetimes {
        let Lifetimes { access_token, refresh_token, code, .. } = self.lifetimes;
        store::Lifetimes { access: access_token, refresh: refresh_token, code }
    }
}

/// `/verify` comes first and bare: it is asked before every MCP request.
pub(crate) fn routes(routes: &mut ServiceConfig) {
    let nosniff = DefaultHeaders::new().add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    let public = web::scope("")
        .service(web::resource("/{any:.*}").guard(guard::Options()).to(cors::preflight))
        .route("/.well-known/oauth-authorization-server", get().to(metadata::authorization_server))
        .route("/.well-known/openid-configuration", get().to(metadata::authorization_server))
        .route("/.well-known/oauth-protected-resource", get().to(metadata::protected_resource))
        .route("/.well-known/oauth-protected-resource/{path:.*}", get().to(metadata::protected_resource))
        .route("/jwks", get().to(metadata::jwks))
        .route("/register", post().to(register::create))
        .route("/register/{client_id:.+}", get().to(register::read))
        .route("/register/{client_id:.+}", put().to(register::update))
        .route("/register/{client_id:.+}", delete().to(register::delete))
        .route("/token", post().to(token::token))
        .route("/revoke", post().to(revoke::revoke))
        .route("/introspect", post().to(introspect::introspect))
        .wrap(cors::headers());
    let rest = web::scope("")
        .route("/", get().to(information::landing))
        .route("/docs", get().to(information::docs))
        .route("/policy", get().to(information::policy))
        .route("/terms", get().to(information::terms))
        .route("/authorize", get().to(authorize::authorize))
        .route("/consent", post().to(consent::consent))
        .route("/callback", get().to(callback::callback))
        .route("/account", get().to(account::show))
        .route("/account/sign-in", get().to(session::sign_in))
        .route("/account/sign-out", post().to(session::sign_out))
        .route("/account/revoke", post().to(account::revoke))
        .route("/account/revoke-all", post().to(account::revoke_all))
        .route("/success", get().to(outcome::success))
        .route("/error", get().to(outcome::error))
        .route("/health", get().to(health::ready))
        .route("/health/live", get().to(health::live))
        .route("/health/ready", get().to(health::ready))
        .service(public)
        .wrap(nosniff)
        .wrap(from_fn(access::told));
    routes.route("/verify", web::route().to(access::verify)).service(rest);
}
