//! The REST API, as far as a gateway asks it: `/user` and what belongs to the user, with a bearer token.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    faults::At,
    people::Person,
    records::{Records, Token},
};

const READ_ORG: &str = "read:org";

pub(super) async fn user(request: HttpRequest, records: web::Data<Records>) -> HttpResponse {
    answer(&request, &records, |person| {
        json!({
            "login": person.login, "id": person.id, "node_id": format!("U_{}", person.id), "type": "User",
            "site_admin": false, "name": person.name, "email": person.email,
            "avatar_url": format!("https://avatars.users.example/{}", person.id),
        })
    })
    .await
}

pub(super) async fn emails(request: HttpRequest, records: web::Data<Records>) -> HttpResponse {
    answer(
        &request,
        &records,
        |person| json!([{ "email": person.email, "primary": true, "verified": true, "visibility": "public" }]),
    )
    .await
}

/// «List organizations for the authenticated user»: without `read:org` the public memberships, of which there are none.
pub(super) async fn orgs(request: HttpRequest, records: web::Data<Records>, page: web::Query<Page>) -> HttpResponse {
    let organisations = |token: &Token| {
        let orgs = records.people.membership(&token.person.login).orgs;
        let orgs = orgs.iter().filter(|_| token.may(READ_ORG));
        page.of(orgs.map(|org| json!({ "login": org, "id": super::github_id(org) })))
    };
    ask(&request, &records, |token| HttpResponse::Ok().json(organisations(token))).await
}

/// «List teams for the authenticated user»: 403 without `read:org`.
pub(super) async fn teams(request: HttpRequest, records: web::Data<Records>, page: web::Query<Page>) -> HttpResponse {
    let teams = |token: &Token| {
        let teams = records.people.membership(&token.person.login).teams;
        let pairs = teams.iter().filter_map(|team| team.split_once('/'));
        page.of(pairs.map(|(org, slug)| json!({ "slug": slug, "name": slug, "organization": { "login": org } })))
    };
    ask(&request, &records, |token| match token.may(READ_ORG) {
        true => HttpResponse::Ok().json(teams(token)),
        false => {
            HttpResponse::Forbidden().json(json!({ "message": "You need at least read:org scope", "status": "403" }))
        }
    })
    .await
}

/// Of a list: 30 entries unless another number, 100 at most, is asked for.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Page {
    per_page: usize,
    page: usize,
}

impl Default for Page {
    fn default() -> Self {
        Self { per_page: 30, page: 1 }
    }
}

impl Page {
    fn of(&self, all: impl Iterator<Item = Value>) -> Vec<Value> {
        let per_page = self.per_page.clamp(1, 100);
        all.skip(per_page * (self.page.max(1) - 1)).take(per_page).collect()
    }
}

async fn answer(request: &HttpRequest, records: &Records, body: impl FnOnce(&Person) -> Value) -> HttpResponse {
    ask(request, records, |token| HttpResponse::Ok().json(body(&token.person))).await
}

async fn ask(request: &HttpRequest, records: &Records, body: impl FnOnce(&Token) -> HttpResponse) -> HttpResponse {
    if let Some(answer) = records.faults.strike(At::User).await {
        return answer;
    }
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.split_once(' ')).map(|(_scheme, token)| token);
    match token.and_then(|token| records.token(token)) {
        Some(token) => body(&token),
        None => HttpResponse::Unauthorized().json(json!({ "message": "Bad credentials", "status": "401" })),
    }
}
