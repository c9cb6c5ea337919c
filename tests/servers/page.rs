//! A web page on this machine, for servers that read pages.

use std::{net::SocketAddr, net::TcpListener};

use actix_web::{App, HttpResponse, HttpServer, web};
use gateway_tests::background::{Background, until};

pub(crate) const TEXT: &str = "Grüß Gott from a page of the test";

#[derive(Debug)]
pub(crate) struct Page {
    addr: SocketAddr,
    _server: Background,
}

impl Page {
    pub(crate) fn serve() -> Self {
        let (addr, server) = Background::start("page", |ready, stop| async move {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let addr = listener.local_addr().unwrap();
            let app = || App::new().route("/page", web::get().to(show));
            let server = HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1).listen(listener);
            ready.send(addr).unwrap();
            until(stop, server.unwrap().run()).await;
        });
        Self { addr, _server: server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/page", self.addr)
    }
}

async fn show() -> HttpResponse {
    let body = format!("<p>{}</p>", format!("{TEXT}. ").repeat(20));
    let page = format!("<!doctype html><html><head><title>A page</title></head><body><article>{body}</article></body>");
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page)
}
