//! Consent that is remembered, so that a person is not asked the same thing twice (MCP authorization, «Confused Deputy
//! Problem»: consent is stored per user and client, and looked up before anybody is sent to the identity provider).
//!
//! What is remembered holds for one person, client, redirect URI and browser, for as much as was allowed or less, for
//! 30 days. Never for programs on the person's own computer: whoever listens there or opens such links may be anybody,
//! so nothing assures who asks (RFC 8252 §8.6, RFC 6749 §10.2). Which person it is, only the identity provider knows:
//! a remembered consent is checked once more when it has said so.

use serde::{Deserialize, Serialize};

use super::{
    authorization::AuthorizationRequest,
    id::{ClientId, Subject},
    params::Params,
    redirect_uri::RedirectUri,
    resource::Resource,
    scope::Scope,
    secret::{Secret, SecretHash},
};

/// How long a decision is remembered, in seconds: 30 days, whether it is used or not.
pub const LIFETIME: u64 = 30 * 86_400;
/// Decisions that are kept of one person; the oldest goes first.
const MOST: usize = 64;

/// How a login on its way stands with consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// The person sees our page.
    Asked,
    /// The person approved on it.
    Given,
    /// This person approved earlier, in the same browser. Somebody else has not.
    Remembered(Subject),
}

/// A request that somebody consented to.
#[derive(Clone, Debug, PartialEq)]
pub struct Consented {
    pub request: AuthorizationRequest,
    /// `None`: whoever was at the browser a moment ago.
    pub(super) remembered: Option<Subject>,
}

impl Consented {
    /// Whether it is this person who consented.
    pub fn is_by(&self, person: &Subject) -> bool {
        self.remembered.as_ref().is_none_or(|consented| consented == person)
    }

    /// Whether the person was asked this time.
    pub fn is_fresh(&self) -> bool {
        self.remembered.is_none()
    }
}

/// What one person decided in all of their browsers; stored under `oauth:consent:{username}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// GitHub gives a login to somebody else once it is free, but never a number.
    pub person: Subject,
    decisions: Vec<Decision>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Decision {
    client_id: ClientId,
    redirect_uri: RedirectUri,
    scope: Scope,
    resource: Vec<Resource>,
    /// Hash of the cookie that the browser got for it.
    browser: SecretHash,
    /// Seconds since the epoch.
    at: u64,
}

/// Only an https URL is its owner's alone: a domain, and not whichever program on this computer is quickest.
pub fn may_be_remembered(uri: &RedirectUri) -> bool {
    uri.as_str().get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

/// Whether the client wants the person to be asked in any case (OpenID Connect Core §3.1.2.1, `prompt`).
pub fn is_demanded(params: &Params) -> bool {
    let prompt = params.get("prompt").unwrap_or_default();
    prompt.split(' ').any(|word| matches!(word, "consent" | "login" | "select_account"))
}

impl Memory {
    pub fn of(person: Subject) -> Self {
        Self { person, decisions: Vec::new() }
    }

    /// Whether this was allowed before, as much or more of it, in the browser that holds this secret.
    pub fn covers(&self, request: &AuthorizationRequest, browser: &Secret, now: u64) -> bool {
        let lives = |decision: &&Decision| now < decision.at.saturating_add(LIFETIME);
        may_be_remembered(&request.redirect_uri)
            && self
                .decisions
                .iter()
                .filter(lives)
                .any(|decision| decision.allows(request) && decision.browser.matches(browser))
    }

    /// The same with one more decision; what it makes superfluous is dropped.
    pub fn with(mut self, request: &AuthorizationRequest, browser: &Secret, now: u64) -> Self {
        if !may_be_remembered(&request.redirect_uri) {
            return self;
        }
        let new = Decision {
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            scope: request.scope.clone(),
            resource: request.resource.clone(),
            browser: browser.hash(),
            at: now,
        };
        self.decisions.retain(|old| now < old.at.saturating_add(LIFETIME) && !new.replaces(old));
        self.decisions.push(new);
        let surplus = self.decisions.len().saturating_sub(MOST);
        self.decisions.drain(..surplus);
        self
    }

    /// The same without what was decided about one client: its access was taken back, so the person is asked again.
    pub fn without(mut self, client: &ClientId) -> Self {
        self.decisions.retain(|decision| decision.client_id != *client);
        self
    }

    pub fn is_empty(&self) -> bool {
        self.decisions.is_empty()
    }
}

impl Decision {
    fn allows(&self, request: &AuthorizationRequest) -> bool {
        self.client_id == request.client_id
            && self.redirect_uri == request.redirect_uri
            && request.scope.is_subset(&self.scope)
            && is_within(&request.resource, &self.resource)
    }

    fn replaces(&self, old: &Self) -> bool {
        self.client_id == old.client_id
            && self.redirect_uri == old.redirect_uri
            && self.browser == old.browser
            && old.scope.is_subset(&self.scope)
            && is_within(&old.resource, &self.resource)
    }
}

/// No resource at all stands for every service of the gateway.
fn is_within(asked: &[Resource], allowed: &[Resource]) -> bool {
    allowed.is_empty() || !asked.is_empty() && asked.iter().all(|resource| allowed.contains(resource))
}

#[cfg(test)]
mod tests;
