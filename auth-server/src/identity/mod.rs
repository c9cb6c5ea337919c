//! Who the person is. One provider today; another is another variant.

mod bounded;
mod github;

pub(crate) use github::GitHub;

use crate::oauth::{grant::User, secret::Secret};

#[derive(Debug)]
pub(crate) enum IdentityProvider {
    GitHub(GitHub),
}

/// Why no person came back. The causes are for the log; they never hold a token or a body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    /// The provider refused the code: used, expired, or never its own.
    #[error("the identity provider refused the code: {0}")]
    CodeRefused(String),
    /// Down, slow, rate-limited or not speaking its own protocol.
    #[error("the identity provider failed: {0}")]
    ProviderFailed(String),
}

/// One trip to the provider's login page and back.
#[derive(Debug)]
pub(crate) struct Login {
    /// Ours, single use (RFC 6749 §10.12).
    state: Secret,
    /// PKCE towards the provider (RFC 7636): only this browser's callback can redeem the provider's code.
    verifier: Secret,
}

impl Login {
    /// The verifier follows from two secrets that only the browser holds together, so nothing stores it.
    pub(crate) fn new(browser: &Secret, state: Secret) -> Self {
        let both = Secret::new(format!("identity provider PKCE {} {}", browser.expose(), state.expose()));
        Self { verifier: Secret::new(both.hash().as_str()), state }
    }
}

impl IdentityProvider {
    /// Where the browser goes to log in.
    pub(crate) fn login_url(&self, login: &Login) -> String {
        match self {
            Self::GitHub(github) => github.login_url(login),
        }
    }

    /// The person behind the code that the provider sent back.
    pub(crate) async fn user(&self, code: String, login: &Login) -> Result<User, IdentityError> {
        match self {
            Self::GitHub(github) => github.user(code, &login.verifier).await,
        }
    }
}
