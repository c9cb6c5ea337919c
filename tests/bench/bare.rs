//! The limit for `/verify`: an actix handler that decides nothing and answers with the same headers.

use std::io;

use actix_web::{App, HttpResponse, HttpServer, web};

pub(crate) async fn serve(port: u16) -> io::Result<()> {
    HttpServer::new(|| App::new().default_service(web::to(permit))).bind(("127.0.0.1", port))?.run().await
}

async fn permit() -> HttpResponse {
    HttpResponse::Ok().insert_header(("X-User-Id", "1")).insert_header(("X-User-Name", "octocat")).finish()
}
