//! `/login/oauth/access_token`: a code becomes a token. GitHub refuses with status 200 and an `error` field.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::{
    faults::At,
    records::{Grant, Records},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Exchange {
    client_id: String,
    client_secret: String,
    code: String,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
}

impl Exchange {
    /// The App's id and secret come in the form or, as GitHub takes them too, by HTTP Basic.
    fn from(form: Self, request: &HttpRequest) -> Self {
        let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let joined = header.and_then(|value| STANDARD.decode(value.strip_prefix("Basic ")?).ok());
        let joined = joined.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        match joined.split_once(':') {
            Some((id, secret)) => Self { client_id: id.to_owned(), client_secret: secret.to_owned(), ..form },
            None => form,
        }
    }
}

pub(super) async fn exchange(
    request: HttpRequest,
    records: web::Data<Records>,
    form: web::Form<Exchange>,
) -> HttpResponse {
    if let Some(answer) = records.faults.strike(At::Token).await {
        return answer;
    }
    let form = Exchange::from(form.into_inner(), &request);
    let fields = match redeem(&records, &form) {
        Ok((token, scope)) => {
            vec![("access_token", token), ("scope", scope.replace(' ', ",")), ("token_type", "bearer".to_owned())]
        }
        Err(error) => vec![("error", error.to_owned()), ("error_description", error.replace('_', " "))],
    };
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") {
        let fields: serde_json::Map<_, _> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        return HttpResponse::Ok().json(fields);
    }
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    HttpResponse::Ok().content_type("application/x-www-form-urlencoded; charset=utf-8").body(body)
}

/// GitHub's words for what is wrong.
fn redeem(records: &Records, form: &Exchange) -> Result<(String, String), &'static str> {
    if form.client_id != records.app.client_id || form.client_secret != records.app.client_secret {
        return Err("incorrect_client_credentials");
    }
    let grant = records.take_code(&form.code).ok_or("bad_verification_code")?;
    if form.redirect_uri.as_ref().is_some_and(|uri| *uri != grant.redirect_uri) {
        return Err("redirect_uri_mismatch");
    }
    if !proves(&grant, form.code_verifier.as_deref()) {
        return Err("bad_verification_code");
    }
    Ok((records.give_token(grant.person, &grant.scope), grant.scope))
}

/// RFC 7636 §4.6, S256.
fn proves(grant: &Grant, verifier: Option<&str>) -> bool {
    let Some(challenge) = &grant.code_challenge else { return true };
    verifier.is_some_and(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == *challenge)
}
