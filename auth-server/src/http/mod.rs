//! The route table on one screen. Handlers extract, load, decide, commit, reply; the deciding is in [`crate::oauth`].

mod access;
mod account;
mod authorize;
mod browser;
mod callback;
mod client_authentication;
mod consent;
mod cors;
mod endpoint;
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
mod usage;
mod verify;

use std::{sync::Arc, time::Duration};

use actix_web::{
    guard,
    http::header,
    middleware::{DefaultHeaders, from_fn},
    web::{self, ServiceConfig},
};
use tokio_util::sync::CancellationToken;

use self::endpoint::at;
use self::verify::KnownToken;
pub(crate) use self::{usage::Usage, verify::Policies};
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
    /// Cancelled with the stop signal.
    pub(crate) stopping: CancellationToken,
    pub(crate) shutdown_delay: Duration,
    pub(crate) clients: Clients,
    pub(crate) jwt: Arc<KeyRing>,
    /// What `/verify` found out.
    pub(crate) tokens: TokenCache<KnownToken>,
    pub(crate) policies: Policies,
    pub(crate) usage: Usage,
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
        .service(at("/.well-known/oauth-authorization-server").get(metadata::authorization_server))
        .service(at("/.well-known/openid-configuration").get(metadata::authorization_server))
        .service(at("/.well-known/oauth-protected-resource").get(metadata::protected_resource))
        .service(at("/.well-known/oauth-protected-resource/{path:.*}").get(metadata::protected_resource))
        .service(at("/jwks").get(metadata::jwks))
        .service(at("/register").post(register::create))
        .service(at("/register/{client_id:.+}").get(register::read).put(register::update).delete(register::delete))
        .service(at("/token").post(token::token))
        .service(at("/revoke").post(revoke::revoke))
        .service(at("/introspect").post(introspect::introspect))
        .wrap(cors::headers());
    let rest = web::scope("")
        .service(at("/").get(information::landing))
        .service(at("/docs").get(information::docs))
        .service(at("/policy").get(information::policy))
        .service(at("/terms").get(information::terms))
        .service(at("/authorize").get(authorize::authorize))
        .service(at("/consent").post(consent::consent))
        .service(at("/callback").get(callback::callback))
        .service(at("/account").get(account::show))
        .service(at("/account/sign-in").get(session::sign_in))
        .service(at("/account/sign-out").post(session::sign_out))
        .service(at("/account/revoke").post(account::revoke))
        .service(at("/account/revoke-all").post(account::revoke_all))
        .service(at("/success").get(outcome::success))
        .service(at("/error").get(outcome::error))
        .service(at("/health").get(health::ready))
        .service(at("/health/live").get(health::live))
        .service(at("/health/ready").get(health::ready))
        .service(public)
        .wrap(nosniff)
        .wrap(from_fn(access::told));
    routes.route("/verify", web::route().to(access::verify)).service(rest);
    routes.default_service(web::to(error::not_found));
}
