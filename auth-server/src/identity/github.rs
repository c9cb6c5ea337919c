//! GitHub (and GitHub Enterprise Server) as the identity provider; the only file that names the crate `oauth2`.

use std::time::Duration;

use oauth2::{
    AsyncHttpClient, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    TokenResponse, TokenUrl, basic::BasicClient,
};
use reqwest::{Client, Method, Request, header, redirect};
use serde::Deserialize;

use super::{IdentityError, Login, bounded};
use crate::{
    config::GitHubConfig,
    oauth::{grant::User, id::Subject, secret::Secret},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

type OAuthApp = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// The gateway's OAuth App at GitHub.
#[derive(Debug)]
pub(crate) struct GitHub {
    app: OAuthApp,
    user_url: url::Url,
    http: Client,
}

/// What `/user` says (GitHub REST API, «Get the authenticated user»); the rest is ignored.
#[derive(Deserialize)]
struct GitHubUser {
    id: u64,
    login: String,
    email: Option<String>,
    name: Option<String>,
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
            .user_agent(concat!("mcp-oauth-gateway/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| unusable(&e))?;
        let user_url = format!("{}/user", config.api_url).parse().map_err(|e: url::ParseError| unusable(&e))?;
        Ok(Self { app, user_url, http })
    }

    pub(super) fn login_url(&self, login: &Login) -> String {
        let state = login.state.expose().to_owned();
        let verifier = PkceCodeVerifier::new(login.verifier.expose().to_owned());
        let (url, _state) = self
            .app
            .authorize_url(|| CsrfToken::new(state))
            .add_scope(Scope::new("user:email".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        url.into()
    }

    pub(super) async fn user(&self, code: String, verifier: &Secret) -> Result<User, IdentityError> {
        let token = self.token(code, verifier).await?;
        let mut request = Request::new(Method::GET, self.user_url.clone());
        let bearer = header::HeaderValue::from_str(&format!("Bearer {}", token.expose()));
        let bearer =
            bearer.map_err(|_| IdentityError::ProviderFailed("token with unprintable characters".to_owned()))?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let accept = header::HeaderValue::from_static("application/vnd.github+json");
        request.headers_mut().insert(header::ACCEPT, accept);
        let (response, body) = bounded::send(&self.http, request).await?;
        if !response.status().is_success() {
            return Err(IdentityError::ProviderFailed(format!("/user answered {}", response.status())));
        }
        parse_user(&body)
    }

    async fn token(&self, code: String, verifier: &Secret) -> Result<Secret, IdentityError> {
        let exchange = self
            .app
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        match exchange.request_async(&BoundedHttp(&self.http)).await {
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

fn parse_user(body: &[u8]) -> Result<User, IdentityError> {
    let malformed = || IdentityError::ProviderFailed("/user answered something that is not a GitHub user".to_owned());
    let user: GitHubUser = serde_json::from_slice(body).map_err(|_| malformed())?;
    // The login becomes a request header and a key; GitHub's own alphabet is alphanumeric and hyphen.
    let printable = !user.login.is_empty() && user.login.bytes().all(|b| b.is_ascii_graphic());
    let id = Subject::parse(&user.id.to_string()).filter(|_| printable).ok_or_else(malformed)?;
    Ok(User { id, username: user.login, email: user.email, name: user.name })
}

/// [`bounded::send`] in the shape that `oauth2` calls.
struct BoundedHttp<'a>(&'a Client);

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
    fn githubs_number_becomes_the_subject_and_absent_fields_stay_absent() {
        let user = parse_user(br#"{"id":583231,"login":"octocat","email":null,"plan":{}}"#).unwrap();
        assert_eq!((user.id.as_str(), user.username.as_str(), user.email), ("583231", "octocat", None));
    }

    #[test]
    fn a_login_that_could_split_a_header_is_refused() {
        assert!(parse_user(b"{\"id\":1,\"login\":\"a\\r\\nX-User-Id: 2\"}").is_err());
        assert!(parse_user(b"{\"id\":1,\"login\":\"\"}").is_err());
    }

    #[test]
    fn githubs_refusal_with_status_200_is_a_refusal() {
        let refused = refusal(br#"{"error":"bad_verification_code"}"#);
        assert!(matches!(refused, IdentityError::CodeRefused(code) if code == "bad_verification_code"));
    }
}
