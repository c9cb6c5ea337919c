//! What stands behind the gateway besides sidecars: an HTTP server that says which headers reached it.

use std::{net::SocketAddr, net::TcpListener};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Map, Value, json};

use crate::background::{Background, KEEP_ALIVE, until};

/// Answers every request with its method, path and headers as JSON; names in lower case, repeated values joined.
#[derive(Debug)]
pub struct Headers {
    addr: SocketAddr,
    _server: Background,
}

impl Headers {
    pub fn start() -> Self {
        let (addr, server) = Background::start("headers", |ready, stop| async move {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
            let addr = listener.local_addr().expect("a bound listener has an address");
            let app = || App::new().default_service(web::to(show));
            let server = HttpServer::new(app).workers(1).keep_alive(KEEP_ALIVE).disable_signals();
            let server = server.shutdown_timeout(1).listen(listener);
            let _caller_is_gone = ready.send(addr);
            until(stop, server.expect("a bound listener can be served").run()).await;
        });
        Self { addr, _server: server }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

async fn show(request: HttpRequest) -> HttpResponse {
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let joined = match headers.get(name.as_str()).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value,
        };
        headers.insert(name.to_string(), joined.into());
    }
    HttpResponse::Ok().json(json!({ "method": request.method().as_str(), "path": request.path(), "headers": headers }))
}
