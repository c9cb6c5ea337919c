//! The stand-in's pages. They say loudly what they are: nobody should take them for GitHub.

use actix_web::{HttpResponse, http::StatusCode};
use url::Url;

use super::authorize::LoginRequest;

const FRAME: &str = include_str!("page.html");

const WELCOME: &str = "<h1>Nothing to see here</h1><p class=\"lead\">This server plays GitHub for a gateway that \
    is being tried out. You get to its login page from there.</p>";

pub(super) async fn welcome() -> HttpResponse {
    html(StatusCode::OK, WELCOME)
}

pub(super) fn refused(reason: &str) -> HttpResponse {
    html(StatusCode::BAD_REQUEST, &format!("<h1>That login cannot go on</h1><p class=\"lead\">{}</p>", escaped(reason)))
}

/// `mistake` says what was wrong with the name typed before.
pub(super) fn login(request: &LoginRequest, destination: &Url, mistake: Option<&str>) -> HttpResponse {
    let host = destination.host_str().unwrap_or("the application");
    let hidden: String = [
        ("client_id", &*request.client_id),
        ("redirect_uri", &request.redirect_uri),
        ("scope", &request.scope),
        ("state", &request.state),
        ("code_challenge", request.code_challenge.as_deref().unwrap_or_default()),
        ("code_challenge_method", request.code_challenge_method.as_deref().unwrap_or_default()),
    ]
    .iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value)))
    .collect();
    let mistake = mistake.map(|text| format!("<p class=\"mistake\" role=\"alert\">{text}</p>")).unwrap_or_default();
    let body = format!(
        "<h1>Sign in</h1><p class=\"lead\"><strong>{host}</strong> wants to know who you are. Any name will do; \
         the same name is always the same person.</p>{mistake}\
         <form method=\"post\" action=\"/login/oauth/authorize\">{hidden}\
         <label for=\"login\">User name</label>\
         <input id=\"login\" name=\"login\" value=\"{login}\" autocomplete=\"username\" autofocus spellcheck=\"false\" \
         autocapitalize=\"none\" placeholder=\"octocat\">\
         <button class=\"approve\" name=\"decision\" value=\"approve\">Sign in and continue</button>\
         <button name=\"decision\" value=\"deny\" formnovalidate>Cancel</button></form>",
        host = escaped(host),
        login = escaped(&request.login),
    );
    html(StatusCode::OK, &body)
}

fn html(status: StatusCode, main: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(("cache-control", "no-store"))
        .insert_header(("x-frame-options", "DENY"))
        .body(FRAME.replace("{{main}}", main))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
