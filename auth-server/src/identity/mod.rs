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

/// One trip to the provider's login page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Login<'a> {
    /// Ours, single use (RFC 6749 §10.12).
    pub(crate) state: &'a Secret,
    /// PKCE towards the provider (RFC 7636): only this browser's callback can redeem the provider's code.
    pub(crate) verifier: &'a Secret,
}

impl IdentityProvider {
    /// Where the browser goes to log in.
    pub(crate) fn login_url(&self, login: Login<'_>) -> String {
        match self {
            Self::GitHub(github) => github.login_url(login),
        }
    }

    /// The person behind the code that the provider sent back.
    pub(crate) async fn user(&self, code: String, verifier: &Secret) -> Result<User, IdentityError> {
        match self {
            Self::GitHub(github) => github.user(code, verifier).await,
        }
    }
}
