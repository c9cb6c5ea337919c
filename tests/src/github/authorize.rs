//! `/login/oauth/authorize`: shows who asks, takes a user name and a decision, redirects back with a code or an error.

use std::time::Instant;

use actix_web::{HttpResponse, http::header::LOCATION, web};
use serde::Deserialize;
use url::Url;

use super::{
    faults::{At, Fault},
    page,
    people::Person,
    records::{Grant, Records},
};

/// The query of the GET, which the form sends back unchanged, plus the form's own two fields.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LoginRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    pub(super) state: String,
    pub(super) code_challenge: Option<String>,
    pub(super) code_challenge_method: Option<String>,
    /// GitHub's own parameter: suggests an account.
    pub(super) login: String,
    /// `approve`, or anything else.
    decision: String,
}

/// What is wrong with a request that GitHub answers with a page.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    UnknownApp,
    ForeignRedirect,
    WeakPkce,
}

impl Refusal {
    fn text(self) -> &'static str {
        match self {
            Self::UnknownApp => "No OAuth App has this client_id.",
            Self::ForeignRedirect => "The redirect_uri is not associated with this application.",
            Self::WeakPkce => "code_challenge_method must be S256.",
        }
    }
}

impl LoginRequest {
    fn check(&self, records: &Records) -> Result<Url, Refusal> {
        if self.client_id != records.app.client_id {
            return Err(Refusal::UnknownApp);
        }
        if self.code_challenge.is_some() && self.code_challenge_method.as_deref() != Some("S256") {
            return Err(Refusal::WeakPkce);
        }
        let asked =
            if self.redirect_uri.is_empty() { records.app.callback.as_deref() } else { Some(&*self.redirect_uri) };
        let known = records.app.callback.as_deref().is_none_or(|callback| asked == Some(callback));
        asked.filter(|_| known).and_then(|uri| Url::parse(uri).ok()).ok_or(Refusal::ForeignRedirect)
    }
}

pub(super) async fn show(records: web::Data<Records>, request: web::Query<LoginRequest>) -> HttpResponse {
    if let Some(answer) = records.faults.strike(At::Authorize).await {
        return answer;
    }
    match request.check(&records) {
        Ok(destination) => page::login(&request, &destination, None),
        Err(refusal) => page::refused(refusal.text()),
    }
}

pub(super) async fn decide(records: web::Data<Records>, form: web::Form<LoginRequest>) -> HttpResponse {
    if let Some(answer) = records.faults.strike(At::Authorize).await {
        return answer;
    }
    let mut destination = match form.check(&records) {
        Ok(destination) => destination,
        Err(refusal) => return page::refused(refusal.text()),
    };
    let fault = records.faults.at(At::Authorize);
    if form.decision != "approve" || fault == Some(Fault::Denied) {
        let refused =
            [("error", "access_denied"), ("error_description", "The user has denied your application access.")];
        destination.query_pairs_mut().extend_pairs(refused);
    } else {
        let Some(person) = Person::parse(&form.login) else {
            return page::login(&form, &destination, Some("Letters, digits and single hyphens, please."));
        };
        let code = records.give_code(grant(&form, person, &destination));
        destination.query_pairs_mut().append_pair("code", &code);
    }
    let state = if fault == Some(Fault::WrongState) { "not-the-state-that-was-sent" } else { &form.state };
    if !state.is_empty() {
        destination.query_pairs_mut().append_pair("state", state);
    }
    HttpResponse::Found().insert_header((LOCATION, destination.as_str())).finish()
}

fn grant(form: &LoginRequest, person: Person, destination: &Url) -> Grant {
    Grant {
        person,
        redirect_uri: if form.redirect_uri.is_empty() { destination.to_string() } else { form.redirect_uri.clone() },
        scope: form.scope.clone(),
        code_challenge: form.code_challenge.clone(),
        given: Instant::now(),
    }
}
