//! One hop: a request whose session another replica has goes there as it came, and the answer comes back as it is
//! said. Nothing is held back: an event stream flows at the pace of its reader, and ends when either end does.
//!
//! The receiver sees the client's own `Host` and `Origin` and judges them as if the client had come to it: what a
//! stranger may not do there it may not do by saying [`FORWARDED`] either.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use http_body_util::{BodyDataStream, Full};
use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioTimer;
use log::warn;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::misled::Misled;
use crate::cluster::headers::{FORWARDED, end_to_end};
use crate::cluster::{Cluster, Place};
use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::{Owner, SessionId};
use crate::metrics::{Forwarding, Metrics};

/// A replica that lives accepts a connection by then.
const CONNECTS_WITHIN: Duration = Duration::from_secs(2);
/// Whether it is gone, when it broke off.
const ASKED_AGAIN: Duration = Duration::from_millis(50);
/// Less than a replica keeps idle connections for, so that it is us who close them.
const IDLE: Duration = Duration::from_secs(30);
/// To one replica; more are opened when there is more to pass on.
const IDLE_CONNECTIONS: usize = 64;
/// A machine that vanished is noticed after about this long, three times: nothing else would end a silent stream to it.
const PROBED_EVERY: Duration = Duration::from_secs(10);

/// Another replica was meant: [`Rejection::Misdirected`].
const MISDIRECTED: hyper::StatusCode = hyper::StatusCode::MISDIRECTED_REQUEST;

/// The other replicas, and the way there.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    pub(crate) cluster: Cluster,
    metrics: Arc<Metrics>,
    misled: Misled,
    client: Client<HttpConnector, Full<Bytes>>,
    supervisor: Handle,
    in_flight: TaskTracker,
    drain: CancellationToken,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nobody listens there any more.
    Refused,
    /// No connection came about.
    NotConnected,
    /// The connection broke after the request was sent.
    Broken,
}

impl Elsewhere {
    /// Connections are driven by the runtime this is called in: one that outlives the HTTP workers.
    pub(crate) fn new(cluster: Cluster, metrics: Arc<Metrics>) -> Self {
        let supervisor = Handle::current();
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECTS_WITHIN));
        connector.set_nodelay(true);
        connector.set_keepalive(Some(PROBED_EVERY));
        connector.set_keepalive_interval(Some(PROBED_EVERY));
        connector.set_keepalive_retries(Some(3));
        let mut building = Client::builder(Supervised(supervisor.clone()));
        building
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .set_host(false);
        let client = building.build(connector);
        let (misled, in_flight, drain) = (Misled::default(), TaskTracker::new(), CancellationToken::new());
        Self { cluster, metrics, misled, client, supervisor, in_flight, drain }
    }

    /// The answer of the replica that has the session.
    pub(super) async fn ask(
        &self,
        request: &HttpRequest,
        session: (&SessionId, &Owner),
        body: Bytes,
    ) -> Result<HttpResponse, Rejection> {
        let answer = self.pass_on(request, session, body).await;
        self.metrics.forwarded.add(answer.as_ref().map_or_else(Forwarding::from, |_| Forwarding::Answered));
        answer
    }

    async fn pass_on(
        &self,
        request: &HttpRequest,
        (id, owner): (&SessionId, &Owner),
        body: Bytes,
    ) -> Result<HttpResponse, Rejection> {
        if let Some(meant) = request.headers().get(FORWARDED) {
            return Err(self.not_here(meant.as_bytes()).await);
        }
        let flight = self.flight(request);
        let place = self.cluster.place(id, owner).await?;
        let sent = self.send(request_to(&place, request, body)?).await;
        let there = |answer: &Response<_>| ![hyper::StatusCode::NOT_FOUND, MISDIRECTED].contains(&answer.status());
        if !sent.as_ref().is_ok_and(there) {
            self.cluster.forget(id);
        }
        match sent {
            Ok(answer) if answer.status() == MISDIRECTED => {
                self.misled.passed_on(&place.address);
                // Nobody gets there through here, and whoever starts anew may do better.
                Err(Rejection::SessionUnknown)
            }
            Ok(answer) => Ok(flight.answer(answer)),
            Err(fault) => Err(self.explain(fault, &place).await),
        }
    }

    /// The answer to a replica that passed on a request whose session is not here.
    async fn not_here(&self, meant: &[u8]) -> Rejection {
        let Some(address) = self.cluster.meant_for(meant).await else { return Rejection::SessionUnknown };
        self.misled.met(&address);
        Rejection::Misdirected
    }

    /// When this replica stops, an answer may take its time; a client that only listens comes back through another one.
    fn flight(&self, request: &HttpRequest) -> Flight {
        let listens = request.method() == actix_web::http::Method::GET;
        let cut = if listens { self.drain.clone() } else { CancellationToken::new() };
        Flight { cut, counted: (!listens).then(|| self.in_flight.token()) }
    }

    /// Dropping this (the client left) ends the request there, too.
    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Fault> {
        let answer = AbortOnDropHandle::new(self.supervisor.spawn(self.client.request(request)));
        match answer.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(cause)) => Err(Fault::of(&cause)),
            Err(_) => Err(Fault::Broken),
        }
    }

    /// A replica that is slow is not dead; one that is dead has taken its sessions with it.
    async fn explain(&self, fault: Fault, place: &Place) -> Rejection {
        let dead = match fault {
            Fault::Refused => true,
            Fault::NotConnected | Fault::Broken if !self.cluster.lives(place).await => true,
            Fault::NotConnected => false,
            Fault::Broken => self.is_gone(place).await,
        };
        warn!(replica:% = place.address, fault:?, dead; "request could not be passed on");
        fault.rejection(dead)
    }

    /// A process that is killed breaks its connections first and refuses new ones a moment later.
    async fn is_gone(&self, place: &Place) -> bool {
        let told = async {
            loop {
                match self.send(are_you_there(place)).await {
                    Ok(_) => return false,
                    Err(Fault::Refused) => return true,
                    Err(Fault::NotConnected | Fault::Broken) => sleep(ASKED_AGAIN).await,
                }
            }
        };
        timeout(CONNECTS_WITHIN, told).await.unwrap_or(false)
    }

    /// Lets answers on their way arrive, for that long; whoever only listens is let go.
    pub(crate) async fn drain(&self, patience: Duration) {
        self.drain.cancel();
        self.in_flight.close();
        // Those that take longer end with the server.
        let _took_too_long = timeout(patience, self.in_flight.wait()).await;
    }
}

/// A request on its way there and back.
struct Flight {
    cut: CancellationToken,
    counted: Option<TaskTrackerToken>,
}

impl Flight {
    fn answer(self, answer: Response<Incoming>) -> HttpResponse {
        let (head, body) = answer.into_parts();
        let status = StatusCode::from_u16(head.status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
        let mut response = HttpResponse::build(status);
        let headers: Vec<_> = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        for (name, value) in end_to_end(&headers) {
            response.append_header((name, value));
        }
        let length = body.size_hint().exact();
        let body = self.flow(BodyDataStream::new(body).map_err(io::Error::other));
        match length {
            Some(length) => response.body(SizedStream::new(length, body)),
            None => response.streaming(body),
        }
    }

    fn flow(self, body: impl Stream<Item = io::Result<Bytes>>) -> impl Stream<Item = io::Result<Bytes>> {
        let Self { cut, counted } = self;
        body.take_until(cut.cancelled_owned()).inspect(move |_| {
            let _until_it_has_flowed = &counted;
        })
    }
}

impl Fault {
    fn of(cause: &legacy::Error) -> Self {
        let mut causes = std::iter::successors(Some(cause as &(dyn Error + 'static)), |&cause| cause.source());
        let refused = causes.any(|cause| {
            cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == ErrorKind::ConnectionRefused)
        });
        match cause.is_connect() {
            true if refused => Self::Refused,
            true => Self::NotConnected,
            false => Self::Broken,
        }
    }

    fn rejection(self, dead: bool) -> Rejection {
        match self {
            _ if dead => Rejection::SessionUnknown,
            Self::Refused | Self::NotConnected => Rejection::ReplicaSilent,
            // It may have been carried out: nothing invites to try again.
            Self::Broken => Rejection::ReplicaLost,
        }
    }
}

fn request_to(place: &Place, request: &HttpRequest, body: Bytes) -> Result<Request<Full<Bytes>>, Rejection> {
    let headers: Vec<_> = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut onward =
        Request::builder().method(request.method().as_str()).uri(format!("http://{}{target}", place.address));
    for (name, value) in end_to_end(&headers) {
        onward = onward.header(name, value);
    }
    // Whatever this refuses, our own server would not have let through.
    onward.header(FORWARDED, place.replica.as_str()).body(Full::new(body)).map_err(|_| Rejection::BodyUnreadable)
}

fn are_you_there(place: &Place) -> Request<Full<Bytes>> {
    let uri = format!("http://{}/health", place.address);
    let request = Request::get(uri).header(hyper::header::HOST, place.address.as_str()).body(Full::default());
    request.expect("an Address fits into a URL and into a header")
}

/// hyper's connections are tasks of the supervisor; each ends with its connection.
#[derive(Clone, Debug)]
struct Supervised(Handle);

impl<F: Future<Output: Send> + Send + 'static> hyper::rt::Executor<F> for Supervised {
    fn execute(&self, connection: F) {
        drop(self.0.spawn(connection));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sessions_of_a_dead_replica_are_unknown_and_a_slow_one_is_not_dead() {
        for (fault, dead, rejection) in [
            (Fault::Refused, true, Rejection::SessionUnknown),
            (Fault::NotConnected, true, Rejection::SessionUnknown),
            (Fault::Broken, true, Rejection::SessionUnknown),
            (Fault::NotConnected, false, Rejection::ReplicaSilent),
            (Fault::Broken, false, Rejection::ReplicaLost),
        ] {
            assert_eq!(fault.rejection(dead), rejection, "{fault:?}");
        }
        assert_eq!(Rejection::ReplicaLost.retry_after(), None);
    }
}
