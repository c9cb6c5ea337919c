//! All wiring. `main` and the tests start the same [`Application`].

use std::{
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::{Server, Service},
    web::Data,
};
use log::warn;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    clients::Clients,
    clock,
    config::{Config, StorageConfig},
    door::Door,
    fetch::{self, Fetcher, Names},
    http::{self, AuthServer, Policies, Usage},
    identity::{GitHub, IdentityProvider},
    keys::{self, KeyRing},
    oauth::{
        authorization::AuthorizationPolicy, gateway::Gateway, scope::Scope, service::ScopesSupported, verify::Rules,
    },
    store::{AdminSocket, Backend, Store, StoreConfig, cache::TokenCache},
};

/// A request's head must be complete by then: slow-header attacks hold no connection longer.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than Traefik's idle connections to us live (90 s), so that it is Traefik who closes them.
const KEEP_ALIVE: Duration = Duration::from_secs(100);
/// Requests in flight get this long after the stop signal.
const GRACE_SECONDS: u64 = 30;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {addr}: {cause}")]
    Listen { addr: String, cause: io::Error },
    #[error("cannot start: {0}")]
    Part(String),
}

/// A server that listens but does not answer yet.
pub struct Application {
    addr: SocketAddr,
    server: Server,
    door: Door,
    /// `/metrics`, when it is asked for.
    metrics: Option<(SocketAddr, Server)>,
    auth_server: Data<AuthServer>,
    /// For the operator's commands, when the store is the embedded one.
    admin: Option<AdminSocket>,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Application {
    pub async fn build(config: Config) -> Result<Self, StartError> {
        let failed = |cause| StartError::Listen { addr: format!("{}:{}", config.host, config.port), cause };
        let listener = TcpListener::bind((config.host.as_str(), config.port)).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let door = Door::of(&listener).map_err(failed)?;
        let metrics = config.metrics_addr.as_deref().map(metrics_server).transpose()?;
        let auth_server = Data::new(auth_server(&config).await?);
        let admin = admin_socket(&config.storage);
        let server = serve(listener, &door, auth_server.clone()).map_err(failed)?;
        Ok(Self { addr, server, door, metrics, auth_server, admin })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where `/metrics` is, if anywhere.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(addr, _)| *addr)
    }

    /// Answers until `stop`, then lets requests in flight finish; the numbers can be read to the last. SIGHUP: reads
    /// the keys anew.
    pub async fn run_until_stopped(mut self, stop: CancellationToken) -> io::Result<()> {
        let (admin, auth_server) = (self.admin.take(), self.auth_server.clone());
        let (stopped, shared) = (stop.clone(), self.auth_server.clone());
        let administered = async move {
            if let Some(socket) = admin {
                stopped.run_until_cancelled(socket.serve(&auth_server.store)).await;
            }
        };
        // It has no end of its own: what is noticed last is left out.
        let beside = async { tokio::join!(administered, shared.usage.write_down(&shared.store)).0 };
        tokio::pin! { let answered = self.answer_until(stop); }
        tokio::select! {
            ended = &mut answered => ended,
            () = beside => answered.await,
        }
    }

    async fn answer_until(self, stop: CancellationToken) -> io::Result<()> {
        let work = serve_until(self.server, &self.door, &self.auth_server, stop);
        let Some((_, metrics)) = self.metrics else { return work.await };
        let numbers = metrics.handle();
        let served = async {
            let ended = work.await;
            numbers.stop(false).await;
            ended
        };
        let (ended, metrics_ended) = tokio::join!(served, metrics);
        ended.and(metrics_ended)
    }
}

/// Every response, whatever its route, says when its connection ends.
fn serve(listener: TcpListener, door: &Door, auth_server: Data<AuthServer>) -> io::Result<Server> {
    let farewell = door.farewell();
    let app = move || {
        // The worker's own count of who holds it: nothing is written that other workers read.
        let farewell = Rc::new(farewell.clone());
        App::new().app_data(auth_server.clone()).configure(http::routes).wrap_fn(move |request, routes| {
            let (farewell, answered) = (Rc::clone(&farewell), routes.call(request));
            async move {
                let mut answer = answered.await?;
                farewell.tell(answer.response_mut().head_mut());
                Ok(answer)
            }
        })
    };
    let server = HttpServer::new(app)
        .on_connect(door.count())
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(GRACE_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(server)
}

async fn serve_until(server: Server, door: &Door, auth_server: &AuthServer, stop: CancellationToken) -> io::Result<()> {
    let lost = auth_server.store.lost();
    let handle = server.handle();
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::pin!(server);
    loop {
        tokio::select! {
            ended = &mut server => return ended,
            () = stop.cancelled() => break,
            // Whoever supervises the process starts it again.
            () = lost.cancelled() => break,
            _ = hangup.recv() => auth_server.jwt.reload(clock::unix(clock::now())),
        }
    }
    // Whoever balances hears «not ready» while requests are still answered, and sends the next ones elsewhere.
    auth_server.stopping.cancel();
    let sent_away = async {
        tokio::time::sleep(auth_server.shutdown_delay).await;
        door.close(&handle).await;
        door.emptied().await;
    };
    tokio::select! {
        ended = &mut server => return ended,
        () = sent_away => {}
    }
    let (ended, ()) = tokio::join!(server, handle.stop(true));
    if lost.is_cancelled() { Err(io::Error::other("the store is lost until it is opened anew")) } else { ended }
}

/// The server does not depend on it: without it, commands on the embedded store have to wait for a stop.
fn admin_socket(storage: &StorageConfig) -> Option<AdminSocket> {
    if storage.redis_url.is_some() {
        return None;
    }
    AdminSocket::listen(&storage.data_dir).inspect_err(|cause| warn!(cause:%; "no admin socket")).ok()
}

/// One worker is enough for one scraper.
fn metrics_server(addr: &str) -> Result<(SocketAddr, Server), StartError> {
    let failed = |cause| StartError::Listen { addr: addr.to_owned(), cause };
    let listener = TcpListener::bind(addr).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let server = HttpServer::new(|| App::new().configure(http::metrics::routes)).workers(1).disable_signals();
    Ok((bound, server.client_request_timeout(HEAD_TIMEOUT).listen(listener).map_err(failed)?.run()))
}

async fn auth_server(config: &Config) -> Result<AuthServer, StartError> {
    let gateway = Gateway::new(&config.base_domain).ok_or_else(|| part("BASE_DOMAIN is not a host"))?;
    let github = GitHub::new(&config.github, gateway.url("/callback")).map_err(part)?;
    Ok(AuthServer {
        jwt: key_ring(config, gateway.issuer())?,
        clients: clients(config, &gateway)?,
        store: Store::open(&store_config(&config.storage)).map_err(part)?,
        stopping: CancellationToken::new(),
        shutdown_delay: config.shutdown_delay,
        tokens: TokenCache::default(),
        policies: Policies::default(),
        usage: Usage::default(),
        authorization: AuthorizationPolicy {
            gateway: gateway.clone(),
            scopes_supported: ScopesSupported::new(
                scope("openid profile email offline_access")?,
                config.services.iter().map(String::as_str),
            ),
            default_scope: scope("openid profile email")?,
            require_resource: config.require_resource,
        },
        rules: Rules {
            gateway: gateway.clone(),
            people: config.people.clone(),
            require_resource: config.require_resource,
        },
        gateway,
        allowed_origins: config.allowed_origins.clone(),
        services: config.services.clone(),
        forward_auth_token: config.forward_auth_token,
        lifetimes: config.lifetimes.clone(),
        max_clients: config.max_clients,
        identity: IdentityProvider::GitHub(github),
    })
}

fn clients(config: &Config, gateway: &Gateway) -> Result<Clients, StartError> {
    let fetcher = Fetcher::new(fetch::is_public, Names::System, Vec::new()).map_err(part)?;
    Clients::new(gateway.clone(), config.client_documents.clone(), fetcher).map_err(part)
}

pub(crate) fn store_config(storage: &StorageConfig) -> StoreConfig {
    let backend = match &storage.redis_url {
        Some(url) => Backend::Redis {
            url: url.clone(),
            password: storage.redis_password.clone(),
            timeout: storage.redis_timeout,
        },
        None => Backend::Embedded { data_dir: storage.data_dir.clone() },
    };
    StoreConfig { backend, clock: clock::now }
}

fn key_ring(config: &Config, issuer: &str) -> Result<Arc<KeyRing>, StartError> {
    let source = keys::Source::new(&config.signing, &config.storage.data_dir);
    KeyRing::open(source, &config.signing, issuer, clock::unix(clock::now())).map(Arc::new).map_err(part)
}

fn scope(tokens: &str) -> Result<Scope, StartError> {
    Scope::parse(tokens).map_err(part)
}

fn part(cause: impl ToString) -> StartError {
    StartError::Part(cause.to_string())
}
