//! Authorization codes (OAuth 2.1 §4.1.2–4.1.3): stored as a state, changed only by consuming transitions.

use serde::{Deserialize, Serialize};

use super::{
    authorization::AuthorizationRequest,
    id::{FamilyId, Subject},
};

/// The person who approved, as GitHub describes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: Subject,
    /// GitHub `login`.
    pub username: String,
    pub email: Option<String>,
    pub name: Option<String>,
}

/// Stored under `oauth:code:{sha256(code)}`.
#[derive(Clone, Debug, PartialEq)]
pub enum CodeGrant {
    /// Issued; waits for the client. `issued_at`: seconds since the epoch.
    Approved { request: AuthorizationRequest, user: User, issued_at: u64 },
    /// Spent: seeing it again means theft, and `family` is revoked (RFC 6749 §4.1.2).
    Exchanged { family: FamilyId },
}
