//! A stand-in for GitHub: its OAuth App login (authorize, access_token) and the few API endpoints a gateway asks.
//!
//! A real HTTP server, started in process on a free port or as the binary `github-standin`. Anyone who types a user name
//! is that user; the same name always has the same numeric id. Faults are switched on with `POST /_faults`.
//! Left out: passwords, remembered sessions, refresh tokens of GitHub Apps, device flow.

mod api;
mod authorize;
mod faults;
mod page;
mod people;
mod records;
mod token;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    web::{self, Data, ServiceConfig},
};

pub use faults::{At, Fault};
pub use people::{Membership, Person, github_id};
pub use records::Records;

use crate::background::{Background, KEEP_ALIVE, until};

/// The OAuth App as an operator registered it at GitHub.
#[derive(Clone, Debug)]
pub struct OAuthApp {
    pub client_id: String,
    pub client_secret: String,
    /// The one allowed `redirect_uri`; `None` allows any.
    pub callback: Option<String>,
}

impl OAuthApp {
    /// Client id and secret that are good enough everywhere nobody tests them.
    pub fn with_callback(callback: impl Into<Option<String>>) -> Self {
        Self {
            client_id: "standin-client".to_owned(),
            client_secret: "standin-secret".to_owned(),
            callback: callback.into(),
        }
    }
}

/// A running stand-in; dropping it ends it.
#[derive(Debug)]
pub struct GitHub {
    addr: SocketAddr,
    records: Arc<Records>,
    _server: Background,
}

impl GitHub {
    /// Starts on a free loopback port.
    pub fn start(app: OAuthApp) -> Self {
        let records = Arc::new(Records::new(app));
        let served = records.clone();
        let (addr, server) = Background::start("github-standin", move |ready, stop| async move {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
            let addr = listener.local_addr().expect("a bound listener has an address");
            let server = serve(listener, served).expect("a bound listener can be served");
            let _caller_is_gone = ready.send(addr);
            until(stop, server).await;
        });
        Self { addr, records, _server: server }
    }

    /// For `GITHUB_BASE_URL` and `GITHUB_API_URL` alike.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What `POST /_faults` does.
    pub fn switch_on(&self, at: At, fault: Fault) {
        self.records.faults.switch_on(at, fault);
    }

    /// What `DELETE /_faults` does.
    pub fn heal(&self) {
        self.records.faults.heal();
    }

    /// What `PUT /_people/{login}` does.
    pub fn join(&self, login: &str, membership: Membership) {
        self.records.people.join(login, membership);
    }
}

/// The server on an open listener; whoever gets it must poll it.
pub fn serve(listener: TcpListener, records: Arc<Records>) -> io::Result<actix_web::dev::Server> {
    let records = Data::from(records);
    let server = HttpServer::new(move || App::new().app_data(records.clone()).configure(routes))
        .workers(1)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(Duration::from_secs(30))
        .shutdown_timeout(1)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(server)
}

fn routes(routes: &mut ServiceConfig) {
    routes
        .route("/", web::get().to(page::welcome))
        .route("/login/oauth/authorize", web::get().to(authorize::show))
        .route("/login/oauth/authorize", web::post().to(authorize::decide))
        .route("/login/oauth/access_token", web::post().to(token::exchange))
        .route("/user", web::get().to(api::user))
        .route("/user/emails", web::get().to(api::emails))
        .route("/user/orgs", web::get().to(api::orgs))
        .route("/user/teams", web::get().to(api::teams))
        .route("/_faults", web::post().to(faults::post))
        .route("/_faults", web::delete().to(faults::delete))
        .route("/_people/{login}", web::put().to(people::put));
}
