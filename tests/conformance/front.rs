//! What the suite cannot do itself: an HTTP server in front of another that opens sessions in an older revision, sends a
//! bearer, and is called `localhost`, which the DNS rebinding scenario wants to see.

use std::net::TcpListener;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::header::HeaderMap, web};
use futures_util::TryStreamExt;
use gateway_tests::background::{Background, KEEP_ALIVE, until};
use serde_json::{Value, json};
use url::Url;

/// What the suite says in every `initialize` with a session.
const SAID: &str = "2025-11-25";
const VERSION_HEADER: &str = "mcp-protocol-version";
/// Of one connection, not of the message.
const HOP_BY_HOP: [&str; 4] = ["connection", "content-length", "keep-alive", "transfer-encoding"];

pub(crate) struct Front {
    pub(crate) url: String,
    _server: Background,
}

/// Where it leads and what it changes.
#[derive(Clone)]
pub(crate) struct Changes {
    pub(crate) target: Url,
    /// To be said instead of [`SAID`].
    pub(crate) revision: &'static str,
    pub(crate) token: Option<String>,
    pub(crate) http: reqwest::Client,
}

impl Front {
    pub(crate) fn start(changes: Changes) -> Self {
        let (port, server) = Background::start("front", |ready, stop| async move {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
            let port = listener.local_addr().expect("a bound listener has an address").port();
            let app = move || App::new().app_data(web::Data::new(changes.clone())).default_service(web::to(pass_on));
            let server = HttpServer::new(app).workers(1).keep_alive(KEEP_ALIVE).disable_signals();
            let server = server.shutdown_timeout(1).listen(listener);
            let _caller_is_gone = ready.send(port);
            until(stop, server.expect("a bound listener can be served").run()).await;
        });
        Self { url: format!("http://localhost:{port}/mcp"), _server: server }
    }
}

async fn pass_on(request: HttpRequest, body: web::Bytes, changes: web::Data<Changes>) -> HttpResponse {
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).expect("a method");
    let mut sent = changes.http.request(method, changes.target.clone());
    for (name, value) in request.headers() {
        if let Some(value) = changes.header(name.as_str(), value.as_bytes(), request.headers()) {
            sent = sent.header(name.as_str(), value);
        }
    }
    if let Some(token) = &changes.token {
        sent = sent.bearer_auth(token);
    }
    match sent.body(changes.body(&body)).send().await {
        Ok(answer) => answered(answer),
        Err(error) => HttpResponse::BadGateway().body(format!("{error:?}")),
    }
}

/// As it comes, so that a stream stays one.
#[expect(clippy::print_stdout, reason = "shown when the suite fails, which only says that a body was terminated")]
fn answered(answer: reqwest::Response) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(answer.status().as_u16()).expect("a status");
    let mut reply = HttpResponse::build(status);
    for (name, value) in answer.headers().iter().filter(|(name, _)| !HOP_BY_HOP.contains(&name.as_str())) {
        reply.append_header((name.as_str(), value.as_bytes()));
    }
    let target = answer.url().clone();
    reply.streaming(answer.bytes_stream().inspect_err(move |error| println!("{target} cut its answer: {error:?}")))
}

impl Changes {
    /// What becomes of a header: `None` when it is left out.
    fn header(&self, name: &str, value: &[u8], all: &HeaderMap) -> Option<Vec<u8>> {
        let own = all.get("host").map(|host| host.as_bytes());
        match name {
            _ if HOP_BY_HOP.contains(&name) => None,
            "host" if value.starts_with(b"localhost:") => Some(self.authority().into_bytes()),
            "origin"
                if own.is_some_and(|own| value == [b"http://", own].concat() && own.starts_with(b"localhost:")) =>
            {
                Some(self.target.origin().ascii_serialization().into_bytes())
            }
            // 2025-03-26 had no such header yet.
            VERSION_HEADER if self.revision == "2025-03-26" && value == SAID.as_bytes() => None,
            VERSION_HEADER if value == SAID.as_bytes() => Some(self.revision.into()),
            _ => Some(value.to_owned()),
        }
    }

    /// The same bytes, but for an `initialize`.
    fn body(&self, body: &[u8]) -> Vec<u8> {
        let opening = serde_json::from_slice::<Value>(body).ok().filter(|message| message["method"] == "initialize");
        match opening {
            Some(mut message) if message["params"]["protocolVersion"] == SAID => {
                message["params"]["protocolVersion"] = json!(self.revision);
                message.to_string().into_bytes()
            }
            _ => body.to_owned(),
        }
    }

    fn authority(&self) -> String {
        let host = self.target.host_str().expect("an http URL has a host");
        format!("{host}:{}", self.target.port().expect("every test server has its own port"))
    }
}
