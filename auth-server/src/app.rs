//! All wiring. `main` and the tests start the same [`Application`].

use std::{
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_web::{App, HttpServer, dev::Server, web::Data};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    http::{self, AuthServer},
    identity::{GitHub, IdentityProvider},
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
    #[error("cannot listen on {host}:{port}: {cause}")]
    Listen { host: String, port: u16, cause: io::Error },
    #[error("cannot start: {0}")]
    Part(String),
}

/// A server that listens but does not answer yet.
pub struct Application {
    addr: SocketAddr,
    server: Server,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Application {
    pub async fn build(config: Config) -> Result<Self, StartError> {
        let failed = |cause| StartError::Listen { host: config.host.clone(), port: config.port, cause };
        let listener = TcpListener::bind((config.host.as_str(), config.port)).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let auth_server = Data::new(auth_server(&config).await?);
        let server = HttpServer::new(move || App::new().app_data(auth_server.clone()).configure(http::routes))
            .client_request_timeout(HEAD_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(GRACE_SECONDS)
            .disable_signals()
            .listen(listener)
            .map_err(failed)?
            .run();
        Ok(Self { addr, server })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers until `stop`, then lets requests in flight finish.
    pub async fn run_until_stopped(self, stop: CancellationToken) -> io::Result<()> {
        let handle = self.server.handle();
        tokio::pin! { let server = self.server; }
        tokio::select! {
            ended = &mut server => return ended,
            () = stop.cancelled() => {}
        }
        let (ended, ()) = tokio::join!(server, handle.stop(true));
        ended
    }
}

async fn auth_server(config: &Config) -> Result<AuthServer, StartError> {
    let github = GitHub::new(&config.github, format!("{}/callback", config.issuer()));
    let github = github.map_err(|unusable| StartError::Part(unusable.to_string()))?;
    Ok(AuthServer {
        issuer: config.issuer(),
        domain: config.base_domain.clone(),
        identity: IdentityProvider::GitHub(github),
    })
}
