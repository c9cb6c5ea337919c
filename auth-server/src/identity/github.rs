//! GitHub (and GitHub Enterprise Server) as the identity provider; the only file that names the crate `oauth2`.

mod api;

use std::time::Duration;

use oauth2::{
    AsyncHttpClient, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    TokenResponse, TokenUrl, basic::BasicClient,
};
use reqwest::{Client, redirect};
use serde::Deserialize;

use self::api::Api;
use super::{IdentityError, Login, bounded};
use crate::{
    config::GitHubConfig,
    oauth::{grant::User, secret::Secret},
    outgoing::Outgoing,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

type OAuthApp = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// The gateway's OAuth App at GitHub.
#[derive(Debug)]
pub(crate) struct GitHub {
    app: OAuthApp,
    api: Api,
}

/// What cannot be built from the configuration.
#[derive(Debug, thiserror::Error)]
#[error("GitHub client: {0}")]
pub(crate) struct GitHubUnusable(String);

impl GitHub {
    pub(crate) fn new(config: &GitHubConfig, callback: String) -> Result<Self, GitHubUnusable> {
        let unusable = |error: &dyn std::fmt::Display| GitHubUnusable(error.to_string());
        let base = &config.base_url;
        let app = BasicClient::new(ClientId::new(config.client_id.clone()))
            .set_client_secret(ClientSecret::new(config.client_secret.expose().to_owned()))
            .set_auth_uri(AuthUrl::new(format!("{base}/login/oauth/authorize")).map_err(|e| unusable(&e))?)
            .set_token_uri(TokenUrl::new(format!("{base}/login/oauth/access_token")).map_err(|e| unusable(&e))?)
            .set_auth_type(oauth2::AuthType::RequestBody)
            .set_redirect_uri(RedirectUrl::new(callback).map_err(|e| unusable(&e))?);
        let http = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("mcp-oauth-gateway/", env!("CARGO_PKG_VERSION")));
        let http = Outgoing::new(http).map_err(|e| unusable(&e))?;
        let base = config.api_url.parse().map_err(|e: url::ParseError| unusable(&e))?;
        Ok(Self { app, api: Api { http, base, read_orgs: config.read_orgs } })
    }

    pub(super) fn login_url(&self, login: &Login) -> String {
        let state = login.state.expose().to_owned();
        let verifier = PkceCodeVerifier::new(login.verifier.expose().to_owned());
        let (url, _state) = self
            .app
            .authorize_url(|| CsrfToken::new(state))
            .add_scope(Scope::new("user:email".to_owned()))
            .add_scopes(self.api.read_orgs.then(|| Scope::new("read:org".to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        url.into()
    }

    pub(super) async fn user(&self, code: String, verifier: &Secret) -> Result<User, IdentityError> {
        let token = self.token(code, verifier).await?;
        self.api.user(&token).await
    }

    async fn token(&self, code: String, verifier: &Secret) -> Result<Secret, IdentityError> {
        let exchange = self
            .app
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        match exchange.request_async(&BoundedHttp(&self.api.http)).await {
            Ok(token) => Ok(Secret::new(token.access_token().secret().as_str())),
            Err(RequestTokenError::ServerResponse(refusal)) => {
                Err(IdentityError::CodeRefused(refusal.error().to_string()))
            }
            Err(RequestTokenError::Request(error)) => Err(error),
            // GitHub refuses with status 200 and {"error": …}; oauth2 reads that as a token without its fields.
            Err(RequestTokenError::Parse(_, body)) => Err(refusal(&body)),
            Err(RequestTokenError::Other(what)) => Err(IdentityError::ProviderFailed(what)),
        }
    }
}

fn refusal(body: &[u8]) -> IdentityError {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => IdentityError::CodeRefused(refusal.error),
        Err(_) => IdentityError::ProviderFailed("the token endpoint's answer is not an OAuth answer".to_owned()),
    }
}

/// [`bounded::send`] in the shape that `oauth2` calls.
struct BoundedHttp<'a>(&'a Outgoing);

impl<'c> AsyncHttpClient<'c> for BoundedHttp<'_> {
    type Error = IdentityError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<HttpResponse, IdentityError>> + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let request =
                request.try_into().map_err(|_| IdentityError::ProviderFailed("request not sent".to_owned()))?;
            let (response, body) = bounded::send(self.0, request).await?;
            let mut answer = HttpResponse::new(body);
            *answer.status_mut() = response.status();
            *answer.headers_mut() = response.headers().clone();
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn githubs_refusal_with_status_200_is_a_refusal() {
        let refused = refusal(br#"{"error":"bad_verification_code"}"#);
        assert!(matches!(refused, IdentityError::CodeRefused(code) if code == "bad_verification_code"));
    }
}
