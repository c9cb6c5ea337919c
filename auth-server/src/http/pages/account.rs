//! The account page: which applications a person has let in, as they can recognise them, and how to end that.

use askama::Template;

use super::words;
use crate::{
    oauth::{client_id_metadata, gateway::Gateway, id::ClientId, resource::Resource},
    store::Connection,
};

/// What just happened. The page's URL names it, so it can say nothing but these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Revoked,
    AllRevoked,
    SignedOut,
    NotSignedIn,
}

#[derive(Template)]
#[template(path = "sign-in.html")]
pub(crate) struct SignInPage<'a> {
    style: &'static str,
    domain: &'a str,
    notice: Option<Notice>,
}

#[derive(Template)]
#[template(path = "account.html")]
pub(crate) struct AccountPage<'a> {
    style: &'static str,
    domain: &'a str,
    username: &'a str,
    applications: Vec<Application<'a>>,
    token: &'a str,
    notice: Option<Notice>,
}

/// Everything that one client was given.
struct Application<'a> {
    client_id: &'a ClientId,
    name: String,
    /// Who vouches for it: the site that a client is described by.
    domain: Option<String>,
    /// Empty: every service.
    services: Vec<String>,
    scopes: Vec<String>,
    since: u64,
    last_used: u64,
    now: u64,
}

impl Notice {
    const ALL: [Self; 4] = [Self::Revoked, Self::AllRevoked, Self::SignedOut, Self::NotSignedIn];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::AllRevoked => "all-revoked",
            Self::SignedOut => "signed-out",
            Self::NotSignedIn => "not-signed-in",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.as_str() == text)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Revoked => "Done. That application is refused from now on.",
            Self::AllRevoked => "Done. Every application is refused from now on.",
            Self::SignedOut => "You are signed out.",
            Self::NotSignedIn => "GitHub did not sign you in. Try again.",
        }
    }

    fn is_failure(self) -> bool {
        self == Self::NotSignedIn
    }
}

impl<'a> SignInPage<'a> {
    pub(crate) fn new(domain: &'a str, notice: Option<Notice>) -> Self {
        Self { style: super::STYLE, domain, notice }
    }
}

impl<'a> AccountPage<'a> {
    /// `connections`: the latest first. `now`: seconds since the epoch.
    pub(crate) fn new(gateway: &'a Gateway, username: &'a str, connections: &'a [Connection], now: u64) -> Self {
        let mut applications: Vec<Application<'a>> = Vec::new();
        for connection in connections {
            match applications.iter_mut().find(|known| *known.client_id == connection.client_id) {
                Some(known) => known.add(connection, gateway),
                None => applications.push(Application::new(connection, gateway, now)),
            }
        }
        Self { style: super::STYLE, domain: gateway.base_domain(), username, applications, token: "", notice: None }
    }

    pub(crate) fn with_forms(self, token: &'a str, notice: Option<Notice>) -> Self {
        Self { token, notice, ..self }
    }
}

impl<'a> Application<'a> {
    fn new(connection: &'a Connection, gateway: &Gateway, now: u64) -> Self {
        let domain = client_id_metadata::domain(&connection.client_id);
        let nameless = || match &domain {
            Some(site) => format!("An application of {site}"),
            None => "An application without a name".to_owned(),
        };
        let mut new = Self {
            client_id: &connection.client_id,
            name: connection.client_name.clone().unwrap_or_else(nameless),
            domain: domain.filter(|_| connection.client_name.is_some()),
            services: services(connection, gateway),
            scopes: Vec::new(),
            since: connection.created_at,
            last_used: connection.last_seen_at(),
            now,
        };
        new.add_scopes(connection);
        new
    }

    /// Another login of the same client.
    fn add(&mut self, connection: &Connection, gateway: &Gateway) {
        let more = services(connection, gateway);
        if self.services.is_empty() || more.is_empty() {
            self.services.clear();
        } else {
            self.services.extend(more);
            self.services.sort();
            self.services.dedup();
        }
        self.add_scopes(connection);
        self.since = self.since.min(connection.created_at);
        self.last_used = self.last_used.max(connection.last_seen_at());
    }

    fn add_scopes(&mut self, connection: &Connection) {
        for token in connection.scope.in_order_of("openid profile email offline_access") {
            let meaning = words::scope(token);
            if !self.scopes.contains(&meaning) {
                self.scopes.push(meaning);
            }
        }
    }

    fn since(&self) -> String {
        words::day(self.since)
    }

    fn last_used(&self) -> String {
        words::ago(self.last_used, self.now)
    }
}

fn services(connection: &Connection, gateway: &Gateway) -> Vec<String> {
    let name = |resource: &Resource| resource.service(gateway).unwrap_or_else(|| resource.as_str()).to_owned();
    connection.resource.iter().map(name).collect()
}
