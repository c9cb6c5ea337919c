//! The route table on one screen. Handlers extract, load, decide, commit, reply; the deciding is in [`crate::oauth`].

mod health;
mod outcome;
mod pages;

use actix_web::web::{self, ServiceConfig};

use crate::identity::IdentityProvider;

/// What handlers take it as.
pub(crate) type Server = web::Data<AuthServer>;

/// What every handler reaches for.
#[derive(Debug)]
pub(crate) struct AuthServer {
    pub(crate) issuer: String,
    pub(crate) domain: String,
    pub(crate) identity: IdentityProvider,
}

/// `/verify` comes first and bare: it is asked before every MCP request.
pub(crate) fn routes(routes: &mut ServiceConfig) {
    routes
        .route("/health", web::get().to(health::ready))
        .route("/health/live", web::get().to(health::live))
        .route("/health/ready", web::get().to(health::ready))
        .route("/success", web::get().to(outcome::success))
        .route("/error", web::get().to(outcome::error));
}
