//! All wiring. `main` and the tests start the same [`Application`].

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, Service};
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use futures_util::future::OptionFuture;
use log::warn;
use socket2::SockRef;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, NoCluster, record};
use crate::config::{Config, Spawning};
use crate::door::Door;
use crate::http::{self, Elsewhere, Sidecar, reply, unread};
use crate::mcp::origin::OriginPolicy;
use crate::memory::{self, Rounds};
use crate::metrics::Metrics;
use crate::session::readiness::{Asking, Readiness};
use crate::session::registry::Registry;

/// A request's head must be complete by then: slow-header attacks hold no connection longer.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than Traefik's idle connections to us live (90 s), so that it is Traefik who closes them.
const KEEP_ALIVE: Duration = Duration::from_secs(100);
/// More milliseconds the system does not take: 24 days.
const LONGEST_UNREAD: Duration = Duration::from_millis(i32::MAX as u64);
/// Responses that are complete but not yet read by their clients get this long at the end.
const GRACE_SECONDS: u64 = 2;

/// Why the sidecar did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {host}:{port}: {cause}")]
    Listen { host: String, port: u16, cause: io::Error },
    #[error("cannot be one of several replicas: {0}")]
    Cluster(#[from] NoCluster),
}

/// A sidecar that listens but does not answer yet.
pub struct Application {
    addr: SocketAddr,
    server: Server,
    door: Door,
    metrics: Option<(SocketAddr, Server)>,
    registry: Arc<Registry>,
    rounds: watch::Sender<()>,
    stopping: CancellationToken,
    elsewhere: Option<Arc<Elsewhere>>,
    patience: Patience,
}

/// With those who do not know yet that this sidecar stops, and with what is in flight then.
#[derive(Clone, Copy)]
struct Patience {
    delay: Duration,
    drain: Duration,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Application {
    /// Listens. Children will be supervised by the runtime that this is called in, which must outlive the server.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn build(config: Config) -> Result<Self, StartError> {
        let failed = |cause| StartError::Listen { host: config.host.clone(), port: config.port, cause };
        let listener = TcpListener::bind((config.host.as_str(), config.port)).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        // Connections have it from the socket that they came in at.
        if let Err(cause) =
            SockRef::from(&listener).set_tcp_user_timeout(Some(config.unread_timeout.min(LONGEST_UNREAD)))
        {
            warn!(cause:%; "clients may leave unread what they are sent for as long as they like");
        }
        let door = Door::of(&listener).map_err(failed)?;
        let metrics = Metrics::new();
        let told = config.spawning.told.clone();
        let stopping = CancellationToken::new();
        let asking = Asking { supervisor: Handle::current(), metrics: Arc::clone(&metrics), stop: stopping.clone() };
        let readiness = Readiness::new(&config.spawning, config.era, asking);
        let service = service(&config.spawning);
        let registry =
            Registry::new(config.spawning, config.era, config.limits, Handle::current(), Arc::clone(&metrics));
        let cluster =
            config.cluster.map(|config| Cluster::join(config, addr, service, (&registry, &metrics))).transpose()?;
        let elsewhere = cluster.map(|cluster| Arc::new(Elsewhere::new(cluster, Arc::clone(&metrics))));
        let sidecar = Data::new(Sidecar {
            registry: Arc::clone(&registry),
            metrics,
            readiness,
            origin: believed(addr, config.origin),
            body: config.body,
            require_user: config.require_user,
            told,
            elsewhere: elsewhere.clone(),
        });
        let own_port =
            config.metrics_port.map(|port| serve_metrics(&config.host, port, sidecar.clone())).transpose()?;
        let (with_metrics, with_sse) = (own_port.is_none(), config.legacy_sse);
        let routes = move |service: &mut ServiceConfig| {
            http::routes(service);
            if with_sse {
                http::legacy_sse::routes(service);
            }
            if with_metrics {
                http::metrics::routes(service);
            }
        };
        let rounds = watch::Sender::new(());
        let server = serve(listener, &door, (sidecar, rounds.subscribe()), routes).map_err(failed)?;
        let patience = Patience { delay: config.shutdown_delay, drain: config.shutdown_timeout };
        Ok(Self { addr, server, door, metrics: own_port, registry, rounds, elsewhere, stopping, patience })
    }

    /// Where it listens; the port is the real one even if 0 was asked for.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where `/metrics` is, if it has a port of its own.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(addr, _)| *addr)
    }

    /// Serves until `stop`, then: says that it is not ready, and waits for balancers to see it; other replicas pass
    /// nothing on to here any more; new connections are refused; calls in flight finish (bounded), streams end, children
    /// end.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub async fn run_until_stopped(self, stop: CancellationToken) -> io::Result<()> {
        let Self { server, door, metrics, registry, rounds, elsewhere, stopping, patience, .. } = self;
        let handle = server.handle();
        // Still there while calls in flight finish; its connections hold nothing that must be finished.
        let metrics = OptionFuture::from(metrics.map(|(_, server)| server));
        let shut_down = async {
            stop.cancelled().await;
            stopping.cancel();
            sleep(patience.delay).await;
            OptionFuture::from(elsewhere.as_ref().map(|elsewhere| elsewhere.cluster.leave())).await;
            door.close(&handle).await;
            let passed_on = OptionFuture::from(elsewhere.as_ref().map(|elsewhere| elsewhere.drain(patience.drain)));
            tokio::join!(registry.shut_down(patience.drain), passed_on);
            door.emptied(patience.drain).await;
            handle.stop(true).await;
        };
        tokio::select! {
            ended = server => ended,
            Some(ended) = metrics => ended,
            never = memory::keep_small(&registry, rounds) => match never {},
            () = shut_down => Ok(()),
        }
    }
}

/// Threads for what blocks the supervisor, at most.
pub const BLOCKING_THREADS: usize = 16;

/// Threads for HTTP, and as many for children: they hand every message to each other, and with a thread of each kind for
/// every processor most of the time would go into waking them. Clients and children need processors too.
#[must_use]
pub fn share_of_processors() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2))
}

/// Whom to believe at this address; says so if that is anybody.
fn believed(addr: SocketAddr, origin: OriginPolicy) -> OriginPolicy {
    let loopback = addr.ip().is_loopback();
    if !loopback && origin.hosts.is_empty() {
        warn!(addr:%; "any Host is let in, so a web page could reach this port by DNS rebinding: set BASE_DOMAIN or --allowed-host, and never publish the port past the gateway");
    }
    OriginPolicy { loopback, ..origin }
}

/// Every response, whatever its route, says when its connection ends.
fn serve(
    listener: TcpListener,
    door: &Door,
    (sidecar, rounds): (Data<Sidecar>, Rounds),
    routes: impl Fn(&mut ServiceConfig) + Copy + Send + 'static,
) -> io::Result<Server> {
    let farewell = door.farewell();
    let app = move || {
        // The worker's own count of who holds it: nothing is written that other workers read.
        let farewell = Rc::new(farewell.clone());
        #[expect(clippy::disallowed_methods, reason = "once for each worker, on its thread; it may end with it")]
        actix_web::rt::spawn(memory::follow(rounds.clone()));
        let app = App::new().app_data(sidecar.clone()).configure(routes).wrap(from_fn(unread::held));
        app.wrap_fn(move |request, routes| {
            let (farewell, answered) = (Rc::clone(&farewell), routes.call(request));
            async move {
                let mut answer = answered.await?;
                farewell.tell(answer.response_mut().head_mut());
                reply::unchunked(&mut answer);
                Ok(answer)
            }
        })
    };
    let server = HttpServer::new(app)
        .on_connect(door.count())
        .workers(share_of_processors())
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        // A client that closes its connection is noticed at once, even while nothing is written to it: since
        // 2026-07-28 that cancels its request.
        .h1_allow_half_closed(false)
        .shutdown_timeout(GRACE_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(server)
}

/// `/metrics` alone. One worker is plenty for a scraper.
fn serve_metrics(host: &str, port: u16, sidecar: Data<Sidecar>) -> Result<(SocketAddr, Server), StartError> {
    let failed = |cause| StartError::Listen { host: host.to_owned(), port, cause };
    let listener = TcpListener::bind((host, port)).map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let server = HttpServer::new(move || {
        App::new().wrap(from_fn(unread::held)).app_data(sidecar.clone()).configure(http::metrics::routes)
    })
    .workers(1)
    .client_request_timeout(HEAD_TIMEOUT)
    .disable_signals()
    .listen(listener)
    .map_err(failed)?
    .run();
    Ok((addr, server))
}

/// Names the service by what it runs: the same on all its replicas.
fn service(spawning: &Spawning) -> String {
    let words = std::iter::once(&spawning.command.program).chain(&spawning.command.args);
    record::service(words.map(|word| word.as_encoded_bytes()))
}
