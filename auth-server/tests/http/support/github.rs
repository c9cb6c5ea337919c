//! The least of GitHub that a login needs, on a free loopback port.

use std::net::TcpListener;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::json;
use tokio_util::sync::CancellationToken;

pub(crate) struct FakeGitHub {
    pub(crate) url: String,
    pub(crate) slow: Slow,
    server: actix_web::dev::ServerHandle,
}

/// When GitHub is asked who `slow` is, and when it answers.
#[derive(Clone, Default)]
pub(crate) struct Slow {
    pub(crate) asked: CancellationToken,
    pub(crate) answered: CancellationToken,
}

/// What `/login/oauth/authorize` would redirect with; the login name becomes the code.
pub(crate) fn code_for(login: &str) -> String {
    format!("code-{login}")
}

async fn access_token(form: web::Form<std::collections::HashMap<String, String>>) -> HttpResponse {
    let Some(login) = form.get("code").and_then(|code| code.strip_prefix("code-")) else {
        return HttpResponse::Ok().json(json!({"error": "bad_verification_code"}));
    };
    assert!(form.contains_key("code_verifier") && form["client_secret"] == "github-secret");
    HttpResponse::Ok()
        .json(json!({"access_token": format!("gho-{login}"), "token_type": "bearer", "scope": "user:email"}))
}

async fn user(request: HttpRequest, slow: web::Data<Slow>) -> HttpResponse {
    let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match bearer.strip_prefix("Bearer gho-") {
        Some("broken") => HttpResponse::InternalServerError().body("unicorn"),
        Some(login) => {
            if login == "slow" {
                slow.asked.cancel();
                slow.answered.cancelled().await;
            }
            let id = if login == "octocat" { 583_231 } else { 1_000 + login.len() };
            let user = json!({"id": id, "login": login, "email": "octo@example.org", "name": "Octo Cat"});
            HttpResponse::Ok().json(user)
        }
        None => HttpResponse::Unauthorized().finish(),
    }
}

/// In 64 organisations and one team; the 64th organisation is `acme`. Anyone else is in none.
const JOINER: &str = "joiner";

async fn orgs(request: HttpRequest, page: web::Query<Page>) -> HttpResponse {
    let orgs = (1..64).map(|i| format!("org-{i}")).chain(["Acme".to_owned()]);
    page.of(&request, orgs.map(|login| json!({"login": login})))
}

/// `outcast`: an organisation's policy hides its teams from this app.
async fn teams(request: HttpRequest, page: web::Query<Page>) -> HttpResponse {
    if login(&request) == "outcast" {
        return HttpResponse::Forbidden().finish();
    }
    page.of(&request, std::iter::once(json!({"slug": "devs", "organization": {"login": "Initech"}})))
}

fn login(request: &HttpRequest) -> &str {
    request.headers().get("authorization").unwrap().to_str().unwrap().strip_prefix("Bearer gho-").unwrap()
}

#[derive(serde::Deserialize)]
struct Page {
    per_page: usize,
    page: usize,
}

impl Page {
    fn of(&self, request: &HttpRequest, all: impl Iterator<Item = serde_json::Value>) -> HttpResponse {
        let is_joiner = login(request) == JOINER;
        let all = all.filter(|_| is_joiner).skip(self.per_page * (self.page - 1)).take(self.per_page);
        HttpResponse::Ok().json(all.collect::<Vec<_>>())
    }
}

impl FakeGitHub {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let slow = Slow::default();
        let shared = web::Data::new(slow.clone());
        let app = move || {
            App::new()
                .app_data(shared.clone())
                .route("/login/oauth/access_token", web::post().to(access_token))
                .route("/user", web::get().to(user))
                .route("/user/orgs", web::get().to(orgs))
                .route("/user/teams", web::get().to(teams))
        };
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        tokio::task::spawn_local(server);
        Self { url, slow, server: handle }
    }

    pub(crate) async fn stop(self) {
        self.server.stop(false).await;
    }
}
