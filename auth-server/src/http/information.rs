//! What anybody may read before signing in: `/`, and the pages that the metadata names (RFC 8414 §2).

use actix_web::{HttpResponse, http::StatusCode};

use super::{
    Server,
    pages::{DocsPage, Forms, LandingPage, PolicyPage, TermsPage, page},
};

pub(super) async fn landing(server: Server) -> HttpResponse {
    page(StatusCode::OK, Forms::None, &LandingPage::new(server.gateway.base_domain(), &server.services))
}

pub(super) async fn docs(server: Server) -> HttpResponse {
    let scopes = server.authorization.scopes_supported.all();
    page(StatusCode::OK, Forms::None, &DocsPage::new(&server.gateway, &scopes, &server.lifetimes))
}

pub(super) async fn policy(server: Server) -> HttpResponse {
    page(StatusCode::OK, Forms::None, &PolicyPage::new(server.gateway.base_domain(), &server.lifetimes))
}

pub(super) async fn terms(server: Server) -> HttpResponse {
    page(StatusCode::OK, Forms::None, &TermsPage::new(server.gateway.base_domain(), &server.rules.people))
}
