//! The HTTP side: routes, and what all of them share. Handlers read the head, load the session, let
//! [`crate::mcp::dispatch`] decide and hand over to the session; no rule of the protocol is in here.

mod access;
mod access_line;
mod alone;
mod body;
mod delete;
mod forward;
mod get;
mod health;
pub(crate) mod legacy_sse;
pub(crate) mod metrics;
mod misled;
mod pieces;
mod post;
pub(crate) mod reply;
pub(crate) mod unread;

use std::sync::Arc;

use actix_web::http::header::ALLOW;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route, guard};
use bytes::Bytes;

use crate::config::BodyLimits;
use crate::mcp::head::{Presented, RequestHead};
use crate::mcp::identity::{self, FromHeader};
use crate::mcp::origin::OriginPolicy;
use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::Owner;
use crate::metrics::Metrics;
use crate::session::ToActor;
use crate::session::readiness::Readiness;
use crate::session::registry::{Registry, Session, Transport};

/// What every request may use.
#[derive(Debug)]
pub(crate) struct Sidecar {
    pub(crate) registry: Arc<Registry>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) readiness: Readiness,
    pub(crate) origin: OriginPolicy,
    pub(crate) body: BodyLimits,
    pub(crate) require_user: bool,
    /// What a child is told about its user.
    pub(crate) told: Vec<FromHeader>,
    /// Absent when this is the only replica.
    pub(crate) elsewhere: Option<Arc<Elsewhere>>,
}

pub(crate) fn routes(service: &mut ServiceConfig) {
    for path in ["/mcp", "/mcp/"] {
        service.service(
            web::resource(path)
                .wrap(from_fn(access::told))
                .route(web::post().to(post::post))
                .route(web::get().to(get::get))
                .route(web::delete().to(delete::delete))
                .default_service(only(reply::METHODS)),
        );
    }
    service.service(read_only("/health", health::health)).service(read_only("/ready", health::ready));
}

/// What can only be read. HEAD is GET without the body (RFC 9110 §9.3.2).
fn read_only<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let reading = web::route().guard(guard::Any(guard::Get()).or(guard::Head()));
    web::resource(path).route(reading.to(handler)).default_service(only("GET, HEAD"))
}

/// Any other method: 405 with `Allow` (RFC 9110 §15.5.6).
fn only(methods: &'static str) -> Route {
    web::to(move || async move { HttpResponse::MethodNotAllowed().insert_header((ALLOW, methods)).finish() })
}

fn headers(request: &HttpRequest) -> impl Iterator<Item = (&str, &[u8])> {
    request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}

impl Sidecar {
    /// Keeps web pages out of what is for operators only.
    fn admit_operator(&self, request: &HttpRequest) -> Result<(), Rejection> {
        self.origin.admit(headers(request))
    }

    /// Reads the head and turns away whom no session is meant for.
    fn admit<'a>(&self, request: &'a HttpRequest) -> Result<RequestHead<'a>, Rejection> {
        self.origin.admit(headers(request))?;
        let mut head = RequestHead::parse(headers(request))?;
        if self.require_user && !head.owner.is_somebody() {
            return Err(Rejection::UserRequired);
        }
        head.owner = head.owner.told(identity::values(&self.told, head.identity)?);
        Ok(head)
    }

    fn session(&self, head: &RequestHead<'_>) -> Option<Arc<Session>> {
        match &head.session {
            Presented::Session(id) => self.registry.find(id, &head.owner, Transport::StreamableHttp),
            Presented::Nothing | Presented::Foreign => None,
        }
    }

    /// A new session; not at a replica that the others no longer hear of, for its next request may reach any of them.
    async fn open(&self, owner: &Owner, first: ToActor) -> Result<Arc<Session>, Rejection> {
        if self.elsewhere.as_ref().is_some_and(|elsewhere| elsewhere.cluster.has_left()) {
            return Err(Rejection::ShuttingDown);
        }
        self.registry.open(owner.clone(), first).await
    }

    /// Before the session's id is told: the client's next request may reach any replica.
    async fn tell_replicas(&self, session: &Session) {
        if let Some(elsewhere) = &self.elsewhere {
            elsewhere.cluster.opened(session).await;
        }
    }

    /// The answer to a request whose session is not here: that of the replica which has it.
    async fn elsewhere(
        &self,
        request: &HttpRequest,
        (session, owner): (&Presented, &Owner),
        body: Bytes,
    ) -> Result<HttpResponse, Rejection> {
        match (&self.elsewhere, session) {
            (Some(elsewhere), Presented::Session(id)) => elsewhere.ask(request, (id, owner), body).await,
            _ => Err(Rejection::SessionUnknown),
        }
    }
}

pub(crate) use forward::Elsewhere;

type Shared = Data<Sidecar>;
