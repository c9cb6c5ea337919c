//! The REST API, as far as a gateway asks it: `/user` and what belongs to the user, with a bearer token.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use serde_json::{Value, json};

use super::{faults::At, people::Person, records::Records};

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

pub(super) async fn orgs(request: HttpRequest, records: web::Data<Records>) -> HttpResponse {
    answer(&request, &records, |person| {
        let orgs = records.people.membership(&person.login).orgs;
        orgs.iter().map(|org| json!({ "login": org, "id": super::github_id(org) })).collect()
    })
    .await
}

pub(super) async fn teams(request: HttpRequest, records: web::Data<Records>) -> HttpResponse {
    answer(&request, &records, |person| {
        let teams = records.people.membership(&person.login).teams;
        let pairs = teams.iter().filter_map(|team| team.split_once('/'));
        pairs.map(|(org, slug)| json!({ "slug": slug, "name": slug, "organization": { "login": org } })).collect()
    })
    .await
}

async fn answer(request: &HttpRequest, records: &Records, body: impl FnOnce(&Person) -> Value) -> HttpResponse {
    if let Some(answer) = records.faults.strike(At::User).await {
        return answer;
    }
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.split_once(' ')).map(|(_scheme, token)| token);
    match token.and_then(|token| records.person(token)) {
        Some(person) => HttpResponse::Ok().json(body(&person)),
        None => HttpResponse::Unauthorized().json(json!({ "message": "Bad credentials", "status": "401" })),
    }
}
