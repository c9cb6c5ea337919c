//! Refusals of `/verify`: Traefik copies status, headers and body to the client.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use log::{debug, info};

use super::{OurFault, oauth_error};
use crate::{
    audit,
    http::{
        AuthServer,
        pages::{Forms, UnauthorizedPage, page},
        verify::Question,
    },
    metrics::{METRICS, VerifyOutcome},
    oauth::{
        challenge,
        forwarded::NotForwarded,
        verify::{Denied, InvalidToken},
    },
    store::StoreUnavailable,
};

/// Why a forwarded request does not pass.
#[derive(Debug)]
pub(crate) enum VerifyFault {
    Denied(Denied),
    NotForwarded(NotForwarded),
    Ours(OurFault),
}

impl From<Denied> for VerifyFault {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<InvalidToken> for VerifyFault {
    fn from(reason: InvalidToken) -> Self {
        Self::Denied(reason.into())
    }
}

impl From<NotForwarded> for VerifyFault {
    fn from(fault: NotForwarded) -> Self {
        Self::NotForwarded(fault)
    }
}

impl From<OurFault> for VerifyFault {
    fn from(fault: OurFault) -> Self {
        Self::Ours(fault)
    }
}

impl From<StoreUnavailable> for VerifyFault {
    fn from(fault: StoreUnavailable) -> Self {
        Self::Ours(fault.into())
    }
}

impl VerifyFault {
    /// `question`: absent only when reading it was the fault.
    pub(in crate::http) fn response(
        &self,
        server: &AuthServer,
        request: &HttpRequest,
        question: Option<&Question>,
    ) -> HttpResponse {
        METRICS.verify.add(self.outcome());
        match (self, question) {
            (Self::Denied(denied), Some(question)) => refusal(denied, server, request, question),
            (Self::Ours(fault), _) => fault.response(),
            (Self::NotForwarded(_) | Self::Denied(_), _) => {
                info!(reason:% = NotForwarded; "request refused");
                oauth_error(&mut HttpResponse::BadRequest(), "invalid_request", &NotForwarded.to_string())
            }
        }
    }

    fn outcome(&self) -> VerifyOutcome {
        match self {
            Self::Denied(Denied::TokenMissing) => VerifyOutcome::NoToken,
            Self::Denied(Denied::InvalidToken(_)) => VerifyOutcome::InvalidToken,
            Self::Denied(_) => VerifyOutcome::Forbidden,
            Self::NotForwarded(_) => VerifyOutcome::Malformed,
            Self::Ours(_) => VerifyOutcome::Failed,
        }
    }
}

fn refusal(denied: &Denied, server: &AuthServer, request: &HttpRequest, question: &Question) -> HttpResponse {
    let Question { forwarded, policy } = question;
    match denied {
        // How every client begins.
        Denied::TokenMissing => debug!(host = forwarded.host(); "request without a token"),
        _ => audit::access_refused(forwarded.host(), denied),
    }
    let status = StatusCode::from_u16(denied.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response = if wants_page(request) {
        let server_url = format!("https://{}{}", forwarded.host(), forwarded.path());
        let unauthorized = UnauthorizedPage::new(server.gateway.base_domain(), Some(&server_url));
        page(status, Forms::None, &unauthorized)
    } else {
        oauth_error(&mut HttpResponse::build(status), denied.code(), &denied.to_string())
    };
    // All that this service needs, so that the first login is enough (MCP authorization, «Scope Selection Strategy»).
    let scope = server.authorization.default_scope.union(policy.scope());
    let challenge = challenge::bearer(denied, forwarded, &scope, &server.gateway);
    if let Some(value) = challenge.and_then(|text| header::HeaderValue::try_from(text).ok()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// A browser, and no program that happens to accept HTML too.
fn wants_page(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/html") && !accept.contains("application/json")
}
