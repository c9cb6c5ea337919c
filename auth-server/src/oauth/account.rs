//! The account page's session: a person who signed in to see what they have allowed, and to take it back.
//!
//! It is no token: it opens nothing but that page, lives an hour, and is worthless at `/verify` and `/token`.

use serde::{Deserialize, Serialize};

use super::{
    authorization::PageError,
    grant::User,
    id::Subject,
    secret::{Secret, SecretHash},
};

/// Seconds from the sign-in, however often the page is used.
pub const SESSION_LIFETIME: u64 = 3600;

/// Somebody on the way to GitHub and back to their account page; stored under `oauth:sign_in:{sha256(state)}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignIn {
    /// Hash of the browser's cookie: nobody is signed in to somebody else's account (login CSRF, RFC 9700 §4.7).
    pub browser: SecretHash,
}

/// Stored under `oauth:session:{sha256(cookie)}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub person: Subject,
    pub username: String,
}

impl SignIn {
    pub fn check_browser(&self, browser: &Secret) -> Result<(), PageError> {
        if self.browser.matches(browser) { Ok(()) } else { Err(PageError::ForeignBrowser) }
    }
}

impl Session {
    pub fn of(user: User) -> Self {
        Self { person: user.id, username: user.username }
    }
}

/// What the account page's forms carry. It follows from the session's secret, which no other site can read, and does not
/// give it away.
pub fn form_token(session: &Secret) -> Secret {
    let text = format!("account form {}", session.expose());
    Secret::new(Secret::new(text).hash().as_str())
}

/// Whether a form was filled in on a page of this session (CSRF).
pub fn is_from_our_page(session: &Secret, presented: &Secret) -> bool {
    form_token(session).hash().matches(presented)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_another_session_or_of_none_is_not_ours() {
        let (mine, other) = (Secret::new("mine"), Secret::new("other"));
        assert!(is_from_our_page(&mine, &form_token(&mine)));
        for foreign in [form_token(&other), mine.clone(), Secret::new("")] {
            assert!(!is_from_our_page(&mine, &foreign));
        }
    }

    #[test]
    fn a_sign_in_is_finished_where_it_began() {
        let sign_in = SignIn { browser: Secret::new("here").hash() };
        assert_eq!(sign_in.check_browser(&Secret::new("here")), Ok(()));
        assert_eq!(sign_in.check_browser(&Secret::new("there")), Err(PageError::ForeignBrowser));
    }
}
