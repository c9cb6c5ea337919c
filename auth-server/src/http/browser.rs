//! The cookie that ties a login to the browser that began it (login CSRF, RFC 9700 §4.7).

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite},
};

use crate::oauth::secret::Secret;

/// `__Host-`: no sibling host can plant it, and the MCP servers live on sibling hosts (RFC 6265bis §4.1.3.2).
const NAME: &str = "__Host-mcp-browser";
const LENGTH: usize = 43;

/// The secret this browser was given, if it has one of our making.
pub(super) fn secret_of(request: &HttpRequest) -> Option<Secret> {
    let cookie = request.cookie(NAME)?;
    is_secret(cookie.value()).then(|| Secret::new(cookie.value()))
}

/// Whether it can be one of our making: 256 bits in base64url.
pub(super) fn is_secret(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// Lax: GitHub's redirect back is a navigation from another site and must bring it along.
pub(super) fn cookie(secret: &Secret) -> Cookie<'static> {
    Cookie::build(NAME, secret.expose().to_owned())
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .finish()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts() {
        let text = cookie(&Secret::new("x")).to_string();
        for attribute in ["__Host-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(text.contains(attribute), "{attribute} missing in {text}");
        }
        assert!(!text.contains("Domain"));
    }

    #[test]
    fn a_value_that_is_not_of_our_making_counts_as_none() {
        let request =
            |value: &str| TestRequest::default().cookie(Cookie::new(NAME, value.to_owned())).to_http_request();
        assert!(secret_of(&request(&"a".repeat(43))).is_some());
        assert!(secret_of(&request("short")).is_none());
    }
}
