//! The cookie that remembers consent: whose it is, and a secret that the store knows the hash of.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};
use log::info;

use super::{AuthServer, browser, error::BrowserFault};
use crate::{
    clock,
    oauth::{
        authorization::AuthorizationRequest,
        consent::{self, LIFETIME},
        grant::User,
        id::Subject,
        params::Params,
        secret::Secret,
    },
    random,
};

const NAME: &str = "__Host-mcp-consent";
/// GitHub's longest login has 39 characters; those of Enterprise Server a suffix besides.
const LONGEST_LOGIN: usize = 64;

/// Who consented to this request in this browser before, so that nobody needs to be asked now.
pub(super) async fn consent(
    server: &AuthServer,
    request: &HttpRequest,
    params: &Params,
    asked: &AuthorizationRequest,
) -> Result<Option<Subject>, BrowserFault> {
    let Some((username, secret)) = read(request).filter(|_| !consent::is_demanded(params)) else { return Ok(None) };
    let Some(memory) = server.store.consent_memory(&username).await? else { return Ok(None) };
    let covered = memory.covers(asked, &secret, clock::unix(clock::now()));
    if covered {
        info!(client_id:% = asked.client_id; "consent remembered");
    }
    Ok(covered.then_some(memory.person))
}

/// Remembers what the person just allowed. `None`: this is asked every time.
pub(super) async fn keep(
    server: &AuthServer,
    request: &HttpRequest,
    allowed: &AuthorizationRequest,
    user: &User,
) -> Result<Option<Cookie<'static>>, BrowserFault> {
    if !consent::may_be_remembered(&allowed.redirect_uri) || !is_login(&user.username) {
        return Ok(None);
    }
    let own = read(request).filter(|(username, _)| *username == user.username);
    let secret = own.map_or_else(random::secret, |(_, secret)| Ok(secret))?;
    server.store.remember_consent(user, allowed, &secret, clock::unix(clock::now())).await?;
    Ok(Some(cookie(&user.username, &secret)))
}

fn cookie(username: &str, secret: &Secret) -> Cookie<'static> {
    Cookie::build(NAME, format!("{username}.{}", secret.expose()))
        .path("/")
        .secure(true)
        .http_only(true)
        // A client's link to us is a navigation from another site.
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(LIFETIME.cast_signed()))
        .finish()
}

fn read(request: &HttpRequest) -> Option<(String, Secret)> {
    let cookie = request.cookie(NAME)?;
    let (username, secret) = cookie.value().rsplit_once('.')?;
    (is_login(username) && browser::is_secret(secret)).then(|| (username.to_owned(), Secret::new(secret)))
}

/// What can stand in a cookie and a key without being taken for anything else.
fn is_login(username: &str) -> bool {
    let plain = username.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    plain && !username.is_empty() && username.len() <= LONGEST_LOGIN
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_cookie_is_for_this_host_alone_and_comes_back_as_it_was() {
        let secret = Secret::from_random(&[7; 32]);
        let cookie = cookie("octo-cat", &secret);
        let text = cookie.to_string();
        for attribute in ["__Host-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
            assert!(text.contains(attribute), "{attribute} missing in {text}");
        }
        let request = TestRequest::default().cookie(cookie).to_http_request();
        assert_eq!(read(&request), Some(("octo-cat".to_owned(), secret)));
    }

    #[test]
    fn a_value_that_is_not_of_our_making_counts_as_none() {
        let secret = "a".repeat(43);
        for value in [secret.clone(), format!(".{secret}"), format!("a:b.{secret}"), "octocat.short".to_owned()] {
            let request = TestRequest::default().cookie(Cookie::new(NAME, value.clone())).to_http_request();
            assert_eq!(read(&request), None, "{value}");
        }
    }
}
