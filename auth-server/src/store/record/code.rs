//! `oauth:code:{sha256(code)}`, and the Python service's `oauth:code:{code}`.

use serde::{Deserialize, Serialize};

use super::{super::StoreUnavailable, Origin};
use crate::oauth::{
    authorization::AuthorizationRequest,
    grant::{CodeGrant, User},
    id::{ClientId, FamilyId, Subject},
    people::Groups,
    redirect_uri::RedirectUri,
    resource::Resource,
    scope::Scope,
};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum CodeRecord {
    Exchanged(Exchanged),
    Approved(Box<Approved>),
}

#[derive(Serialize, Deserialize)]
struct Exchanged {
    exchanged: FamilyId,
}

#[derive(Serialize, Deserialize)]
struct Approved {
    client_id: ClientId,
    redirect_uri: String,
    scope: Scope,
    state: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    user_id: Subject,
    username: String,
    email: Option<String>,
    name: Option<String>,
    #[serde(default)]
    resource: Vec<Resource>,
    #[serde(default)]
    issued_at: u64,
    #[serde(default)]
    hashed: bool,
    #[serde(default, skip_serializing_if = "Groups::is_empty")]
    groups: Groups,
}

pub(in crate::store) fn encode(grant: &CodeGrant) -> Result<Vec<u8>, StoreUnavailable> {
    super::encode(&match grant {
        CodeGrant::Exchanged { family } => CodeRecord::Exchanged(Exchanged { exchanged: family.clone() }),
        CodeGrant::Approved { request, user, issued_at } => CodeRecord::Approved(Box::new(Approved {
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect_uri.as_str().to_owned(),
            scope: request.scope.clone(),
            state: request.state.clone(),
            code_challenge: Some(request.code_challenge.clone()),
            code_challenge_method: Some("S256".to_owned()),
            user_id: user.id.clone(),
            username: user.username.clone(),
            email: user.email.clone(),
            name: user.name.clone(),
            resource: request.resource.clone(),
            issued_at: *issued_at,
            hashed: true,
            groups: user.groups.clone(),
        })),
    })
}

/// `None`: the other service's record, or one without S256 (RFC 9700 §2.1.1) or with a URI that is refused today.
pub(in crate::store) fn decode(bytes: &[u8], origin: Origin) -> Result<Option<CodeGrant>, StoreUnavailable> {
    let approved = match super::decode(bytes)? {
        CodeRecord::Exchanged(record) if origin == Origin::Ours => {
            return Ok(Some(CodeGrant::Exchanged { family: record.exchanged }));
        }
        CodeRecord::Exchanged(_) => return Ok(None),
        CodeRecord::Approved(record) => *record,
    };
    if approved.hashed != (origin == Origin::Ours) || approved.code_challenge_method.as_deref() != Some("S256") {
        return Ok(None);
    }
    let Ok(redirect_uri) = RedirectUri::parse(&approved.redirect_uri) else { return Ok(None) };
    let Some(code_challenge) = approved.code_challenge else { return Ok(None) };
    let Approved { client_id, scope, state, resource, issued_at, .. } = approved;
    let user = User {
        id: approved.user_id,
        username: approved.username,
        email: approved.email,
        name: approved.name,
        groups: approved.groups,
    };
    let request = AuthorizationRequest { client_id, redirect_uri, scope, state, code_challenge, resource };
    Ok(Some(CodeGrant::Approved { request, user, issued_at }))
}
