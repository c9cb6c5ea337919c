//! What goes wrong, one enum per wire format: variants are reasons, the code that a client sees is a method.
//!
//! [`TokenError`]: RFC 6749 §5.2. [`RegistrationError`]: RFC 7591 §3.2.2. [`ErrorCode`]: RFC 6749 §4.1.2.1, RFC 8707 §2.
//! The bearer challenge's reasons are in `verify`. Descriptions hold nothing that was sent, so they are safe in a
//! header, a page and a log.

use super::{
    client_assertion::AssertionError, client_id_metadata::DocumentError, id::FamilyId, params::ParamError,
    redirect_uri::RedirectUriError, resource::InvalidTarget, scope::InvalidScope,
};

/// `error` of an authorization response, sent by redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    InvalidRequest,
    UnauthorizedClient,
    AccessDenied,
    UnsupportedResponseType,
    InvalidScope,
    InvalidTarget,
    ServerError,
    TemporarilyUnavailable,
}

impl ErrorCode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

/// Why `/token`, `/revoke` or `/introspect` refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("{0}")]
    Params(#[from] ParamError),
    #[error("grant_type is not supported")]
    UnsupportedGrantType,
    #[error("client_id is missing or malformed")]
    ClientIdMissing,
    #[error("the Authorization header is not valid Basic authentication")]
    MalformedBasic,
    #[error("a client authenticates in one way only, as one client")]
    TwoAuthentications,
    #[error("the client is not known")]
    UnknownClient,
    #[error("the client must send its secret")]
    ClientSecretMissing,
    #[error("the client secret is wrong")]
    ClientSecretWrong,
    #[error("the client secret has expired")]
    ClientSecretExpired,
    #[error("the client must send an assertion signed with its key (private_key_jwt)")]
    AssertionMissing,
    #[error("{0}")]
    Assertion(#[from] AssertionError),
    #[error("{0}")]
    ClientDocument(#[from] DocumentError),
    #[error("the client is not registered for this grant type")]
    GrantTypeNotRegistered,
    #[error("the authorization code is not known")]
    CodeUnknown,
    #[error("the authorization code was used before")]
    CodeAlreadyUsed { family: FamilyId },
    #[error("the authorization code has expired")]
    CodeExpired,
    #[error("the grant belongs to another client")]
    ClientMismatch,
    #[error("redirect_uri differs from the one of the authorization request")]
    RedirectUriMismatch,
    #[error("code_verifier is missing or does not match")]
    PkceFailed,
    #[error("the refresh token is not known")]
    RefreshUnknown,
    #[error("the person may no longer use this gateway")]
    PersonRemoved,
    #[error("the refresh token was used before")]
    RefreshReused { family: Option<FamilyId> },
    #[error("{0}")]
    InvalidScope(#[from] InvalidScope),
    #[error("scope goes beyond what was granted")]
    ScopeWidened,
    #[error("none of the requested scopes can be had")]
    ScopeUnknown,
    #[error("{0}")]
    InvalidTarget(#[from] InvalidTarget),
    #[error("resource goes beyond what was granted")]
    ResourceWidened,
}

impl TokenError {
    /// `error` (RFC 6749 §5.2).
    pub fn code(&self) -> &'static str {
        match self {
            Self::Params(_) | Self::TwoAuthentications => "invalid_request",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::GrantTypeNotRegistered => "unauthorized_client",
            Self::InvalidScope(_) | Self::ScopeWidened | Self::ScopeUnknown => "invalid_scope",
            Self::InvalidTarget(_) | Self::ResourceWidened => "invalid_target",
            Self::ClientIdMissing
            | Self::MalformedBasic
            | Self::UnknownClient
            | Self::ClientSecretMissing
            | Self::ClientSecretWrong
            | Self::ClientSecretExpired
            | Self::AssertionMissing
            | Self::Assertion(_)
            | Self::ClientDocument(_) => "invalid_client",
            Self::CodeUnknown
            | Self::CodeAlreadyUsed { .. }
            | Self::CodeExpired
            | Self::ClientMismatch
            | Self::RedirectUriMismatch
            | Self::PkceFailed
            | Self::RefreshUnknown
            | Self::PersonRemoved
            | Self::RefreshReused { .. } => "invalid_grant",
        }
    }

    /// 401 comes with `WWW-Authenticate: Basic`.
    pub fn status(&self) -> u16 {
        match self {
            Self::Params(error) => error.status(),
            _ if self.code() == "invalid_client" => 401,
            _ => 400,
        }
    }

    /// `error_description`.
    pub fn description(&self) -> String {
        self.to_string()
    }

    /// The family that this fault proves stolen: revoke it (RFC 6749 §4.1.2, RFC 9700 §4.14.2) and log it.
    pub fn revokes(&self) -> Option<&FamilyId> {
        match self {
            Self::CodeAlreadyUsed { family } => Some(family),
            Self::RefreshReused { family } => family.as_ref(),
            _ => None,
        }
    }
}

/// Why `/register` refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    #[error("the body is larger than 64 KiB")]
    TooLarge,
    #[error("the body did not arrive whole, or not in time")]
    Incomplete,
    #[error("the body is not a JSON object")]
    NotAnObject,
    #[error("{0} has the wrong type or is too long")]
    Field(&'static str),
    #[error("{0} holds a value that is not supported")]
    Unsupported(&'static str),
    #[error("redirect_uris is missing or empty")]
    RedirectUrisMissing,
    #[error("redirect_uris has more than 10 entries")]
    TooManyRedirectUris,
    #[error("{0}")]
    RedirectUri(#[from] RedirectUriError),
    #[error("{0}")]
    Scope(#[from] InvalidScope),
}

impl RegistrationError {
    /// RFC 7591 §3.2.2, but for what HTTP has a word of its own for.
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::Incomplete => 408,
            _ => 400,
        }
    }

    /// `error` (RFC 7591 §3.2.2).
    pub fn code(&self) -> &'static str {
        match self {
            Self::RedirectUri(_) => "invalid_redirect_uri",
            _ => "invalid_client_metadata",
        }
    }

    /// `error_description`.
    pub fn description(&self) -> String {
        self.to_string()
    }
}

/// Why a client may not read or change its registration (RFC 7592 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagementError {
    #[error("a registration access token is required")]
    TokenMissing,
    #[error("the registration access token is wrong")]
    TokenWrong,
    #[error("the client is not known")]
    UnknownClient,
}

impl ManagementError {
    /// The Python service's statuses, which its clients know.
    pub fn status(self) -> u16 {
        match self {
            Self::TokenMissing => 401,
            Self::TokenWrong => 403,
            Self::UnknownClient => 404,
        }
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::TokenMissing | Self::TokenWrong => "invalid_token",
            Self::UnknownClient => "invalid_client",
        }
    }
}
