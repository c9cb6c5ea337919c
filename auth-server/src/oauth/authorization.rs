//! The authorization request (OAuth 2.1 §4.1.1), its answer (§4.1.2, RFC 9207), and what waits for the person.
//!
//! A wrong client or redirect URI shows a page; every other fault goes back to the client, which is known by then.

use serde::{Deserialize, Serialize};

use super::{
    client::Client,
    client_id_metadata::DocumentError,
    consent::{Consent, Consented},
    error::ErrorCode,
    gateway::Gateway,
    id::ClientId,
    params::{ParamError, Params},
    pkce,
    redirect_uri::RedirectUri,
    resource::Resource,
    scope::Scope,
    secret::{Secret, SecretHash},
    service::ScopesSupported,
};

/// A checked authorization request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub client_id: ClientId,
    pub redirect_uri: RedirectUri,
    pub scope: Scope,
    /// The client's own `state`, returned untouched.
    pub state: Option<String>,
    /// PKCE S256 challenge (RFC 7636 §4.2): 43 base64url characters.
    pub code_challenge: String,
    pub resource: Vec<Resource>,
}

/// A request on its way through consent and GitHub; stored under `oauth:state:{state}` for 300 s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingAuthorization {
    pub request: AuthorizationRequest,
    /// Hash of the browser's cookie: another browser cannot finish this login (login CSRF).
    pub browser: SecretHash,
    /// Before anybody is sent to GitHub.
    pub consent: Consent,
}

/// What this gateway grants.
#[derive(Clone, Debug)]
pub struct AuthorizationPolicy {
    pub gateway: Gateway,
    /// Scopes that exist here; others that are asked for are left out of the grant (RFC 6749 §3.3).
    pub scopes_supported: ScopesSupported,
    /// Granted when neither the request nor the registration names a scope.
    pub default_scope: Scope,
    /// `REQUIRE_RESOURCE`: refuse requests without a resource indicator.
    pub require_resource: bool,
}

/// A fault that must be shown to the person: where it would be sent is not to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    #[error("{0}")]
    Params(#[from] ParamError),
    #[error("client_id is malformed")]
    MalformedClientId,
    #[error("the client is not known")]
    UnknownClient,
    #[error("{0}")]
    ClientDocument(#[from] DocumentError),
    #[error("the document at client_id cannot be had at the moment")]
    ClientUnreachable,
    #[error("redirect_uri is missing")]
    RedirectUriMissing,
    #[error("redirect_uri is not registered for this client")]
    RedirectUriNotRegistered,
    #[error("this login is not known, has expired, or was already finished")]
    UnknownState,
    #[error("this login was started in another browser")]
    ForeignBrowser,
    #[error("this login was not approved on our own page")]
    ConsentMissing,
}

impl PageError {
    /// `error` as shown on the page and in its JSON form.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownClient | Self::MalformedClientId | Self::ClientDocument(_) | Self::ClientUnreachable => {
                "invalid_client"
            }
            Self::RedirectUriMissing | Self::RedirectUriNotRegistered => "invalid_redirect_uri",
            _ => "invalid_request",
        }
    }
}

/// Why an authorization request is refused. `to` is a checked type, so an open redirect cannot be written down.
#[derive(Clone, Debug, PartialEq)]
pub enum AuthorizeError {
    ShowPage(PageError),
    Redirect(Refusal),
}

/// A refusal that the client is told (RFC 6749 §4.1.2.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub to: RedirectUri,
    pub state: Option<String>,
    pub code: ErrorCode,
    pub description: &'static str,
}

impl Refusal {
    /// Where to send the browser, with `iss` (RFC 9207 §2).
    pub fn location(&self, gateway: &Gateway) -> String {
        let mut pairs = vec![("error", self.code.as_str()), ("error_description", self.description)];
        pairs.extend(self.state.as_deref().map(|state| ("state", state)));
        pairs.push(("iss", gateway.issuer()));
        gateway.response_url(&self.to, &pairs)
    }
}

impl From<Refusal> for AuthorizeError {
    fn from(refusal: Refusal) -> Self {
        Self::Redirect(refusal)
    }
}

impl From<PageError> for AuthorizeError {
    fn from(error: PageError) -> Self {
        Self::ShowPage(error)
    }
}

/// The client that a request names: load it, then call [`AuthorizationRequest::validate`].
pub fn client_id(params: &Params) -> Result<ClientId, PageError> {
    ClientId::parse(params.require("client_id")?).ok_or(PageError::MalformedClientId)
}

impl AuthorizationRequest {
    /// Checks a whole request against its registered client (`None`: unknown).
    pub fn validate(
        params: &Params,
        client: Option<&Client>,
        policy: &AuthorizationPolicy,
    ) -> Result<Self, AuthorizeError> {
        let client = client.ok_or(PageError::UnknownClient)?;
        let redirect_uri = redirect_uri(params, client)?;
        let state = params.get("state").map(str::to_owned);
        // From here on the redirect URI is the client's own: faults go back to it (RFC 6749 §4.1.2.1).
        match Rest::read(params, client, policy) {
            Ok(Rest { scope, code_challenge, resource }) => {
                Ok(Self { client_id: client.id.clone(), redirect_uri, scope, state, code_challenge, resource })
            }
            Err(Fault(code, description)) => Err(Refusal { to: redirect_uri, state, code, description }.into()),
        }
    }

    /// Where the browser goes with the code (RFC 6749 §4.1.2, RFC 9207 §2).
    pub fn success_location(&self, code: &Secret, gateway: &Gateway) -> String {
        let mut pairs = vec![("code", code.expose())];
        pairs.extend(self.state.as_deref().map(|state| ("state", state)));
        pairs.push(("iss", gateway.issuer()));
        gateway.response_url(&self.redirect_uri, &pairs)
    }

    /// The refusal of this request after it was accepted: the person denied, GitHub failed, the user is not allowed.
    pub fn refuse(&self, code: ErrorCode, description: &'static str) -> Refusal {
        Refusal { to: self.redirect_uri.clone(), state: self.state.clone(), code, description }
    }
}

impl PendingAuthorization {
    /// Consent given, in the browser that started (login CSRF; RFC 9700 §4.7).
    pub fn approve(self, browser: &Secret) -> Result<Self, PageError> {
        self.check_browser(browser)?;
        Ok(Self { consent: Consent::Given, ..self })
    }

    /// The request, once GitHub has answered: same browser, and our own page was not bypassed (confused deputy).
    pub fn complete(self, browser: &Secret) -> Result<Consented, PageError> {
        self.check_browser(browser)?;
        let remembered = match self.consent {
            Consent::Asked => return Err(PageError::ConsentMissing),
            Consent::Given => None,
            Consent::Remembered(person) => Some(person),
        };
        Ok(Consented { request: self.request, remembered })
    }

    pub fn check_browser(&self, browser: &Secret) -> Result<(), PageError> {
        if self.browser.matches(browser) { Ok(()) } else { Err(PageError::ForeignBrowser) }
    }
}

fn redirect_uri(params: &Params, client: &Client) -> Result<RedirectUri, PageError> {
    let Some(text) = params.get("redirect_uri") else {
        // RFC 6749 §3.1.2.3: may be left out when exactly one is registered.
        return match client.redirect_uris.as_slice() {
            [only] => Ok(only.clone()),
            _ => Err(PageError::RedirectUriMissing),
        };
    };
    let requested = RedirectUri::parse(text).map_err(|_| PageError::RedirectUriNotRegistered)?;
    let registered = client.redirect_uris.iter().any(|uri| uri.matches(&requested));
    if registered { Ok(requested) } else { Err(PageError::RedirectUriNotRegistered) }
}

/// The part of a request whose faults are reported by redirect.
struct Rest {
    scope: Scope,
    code_challenge: String,
    resource: Vec<Resource>,
}

struct Fault(ErrorCode, &'static str);

impl Rest {
    fn read(params: &Params, client: &Client, policy: &AuthorizationPolicy) -> Result<Self, Fault> {
        check_response_type(params, client)?;
        let code_challenge = code_challenge(params)?;
        let scope = scope(params, client, policy)?;
        let resource = Resource::parse_all(params.all("resource"), &policy.gateway)
            .map_err(|_| Fault(ErrorCode::InvalidTarget, "the resource is not an MCP server of this gateway"))?;
        if resource.is_empty() && policy.require_resource {
            return Err(Fault(ErrorCode::InvalidTarget, "resource is required"));
        }
        Ok(Self { scope, code_challenge, resource })
    }
}

fn check_response_type(params: &Params, client: &Client) -> Result<(), Fault> {
    match params.get("response_type") {
        None => return Err(Fault(ErrorCode::InvalidRequest, "response_type is missing")),
        Some("code") => {}
        Some(_) => return Err(Fault(ErrorCode::UnsupportedResponseType, "only response_type=code is supported")),
    }
    if !client.may_use("authorization_code") {
        return Err(Fault(ErrorCode::UnauthorizedClient, "the client is not registered for authorization_code"));
    }
    match params.get("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(Fault(ErrorCode::InvalidRequest, "only response_mode=query is supported")),
    }
}

/// OAuth 2.1 §4.1.1: PKCE always; RFC 9700 §2.1.1: S256, and an absent method means «plain» (RFC 7636 §4.3).
fn code_challenge(params: &Params) -> Result<String, Fault> {
    let challenge = params
        .get("code_challenge")
        .ok_or(Fault(ErrorCode::InvalidRequest, "code_challenge is required (PKCE, S256)"))?;
    if params.get("code_challenge_method") != Some("S256") {
        return Err(Fault(ErrorCode::InvalidRequest, "code_challenge_method must be S256"));
    }
    if !pkce::is_challenge(challenge) {
        return Err(Fault(ErrorCode::InvalidRequest, "code_challenge must be 43 base64url characters"));
    }
    Ok(challenge.to_owned())
}

fn scope(params: &Params, client: &Client, policy: &AuthorizationPolicy) -> Result<Scope, Fault> {
    let Some(text) = params.get("scope") else {
        let registered = policy.scopes_supported.existing(&client.scope);
        return Ok(if registered.is_empty() { policy.default_scope.clone() } else { registered });
    };
    let requested = Scope::parse(text).map_err(|_| Fault(ErrorCode::InvalidScope, "scope is malformed"))?;
    let granted = policy.scopes_supported.existing(&requested);
    if granted.is_empty() && !requested.is_empty() {
        return Err(Fault(ErrorCode::InvalidScope, "none of the requested scopes exists here"));
    }
    Ok(granted)
}

#[cfg(test)]
mod tests;
