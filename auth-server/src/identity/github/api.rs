//! GitHub's REST API, with a person's own token: who they are, and which organisations and teams they belong to.

use log::warn;
use reqwest::{Method, Request, Url, header};
use serde::{Deserialize, de::DeserializeOwned};

use super::super::{IdentityError, bounded};
use crate::{
    oauth::{grant::User, id::Subject, people::Groups, secret::Secret},
    outgoing::Outgoing,
};

/// GitHub's own default; a page of teams at 4 kB each stays far below the limit on answers.
const PER_PAGE: usize = 30;
/// Nobody works in 900 teams. Whoever belongs to more is counted to the first ones.
const MOST_PAGES: usize = 30;

#[derive(Debug)]
pub(super) struct Api {
    pub(super) http: Outgoing,
    /// `GITHUB_API_URL`
    pub(super) base: Url,
    pub(super) read_orgs: bool,
}

/// What `/user` says (GitHub REST API, «Get the authenticated user»); the rest is ignored.
#[derive(Deserialize)]
struct GitHubUser {
    id: u64,
    login: String,
    email: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Org {
    login: String,
}

#[derive(Deserialize)]
struct Team {
    slug: String,
    organization: Org,
}

impl Api {
    pub(super) async fn user(&self, token: &Secret) -> Result<User, IdentityError> {
        let user = parse_user(&self.get("/user", "", token).await?)?;
        let groups = if self.read_orgs { self.groups(token).await? } else { Groups::default() };
        Ok(User { groups, ..user })
    }

    /// «List organizations for the authenticated user», «List teams for the authenticated user»: scope `read:org`.
    async fn groups(&self, token: &Secret) -> Result<Groups, IdentityError> {
        let (orgs, teams) =
            tokio::try_join!(self.pages::<Org>("/user/orgs", token), self.pages::<Team>("/user/teams", token))?;
        let orgs = orgs.into_iter().map(|org| org.login);
        Ok(orgs.chain(teams.into_iter().map(|team| format!("{}/{}", team.organization.login, team.slug))).collect())
    }

    async fn pages<T: DeserializeOwned>(&self, path: &'static str, token: &Secret) -> Result<Vec<T>, IdentityError> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let body = self.get(path, &format!("per_page={PER_PAGE}&page={page}"), token).await?;
            let items: Vec<T> = serde_json::from_slice(&body).map_err(|_| malformed(path))?;
            let is_last = items.len() < PER_PAGE;
            all.extend(items);
            if is_last {
                return Ok(all);
            }
        }
        warn!(path; "a person belongs to more than is read; the rest is not counted");
        Ok(all)
    }

    async fn get(&self, path: &'static str, query: &str, token: &Secret) -> Result<Vec<u8>, IdentityError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query((!query.is_empty()).then_some(query));
        let mut request = Request::new(Method::GET, url);
        let bearer = header::HeaderValue::from_str(&format!("Bearer {}", token.expose()));
        let bearer =
            bearer.map_err(|_| IdentityError::ProviderFailed("token with unprintable characters".to_owned()))?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let accept = header::HeaderValue::from_static("application/vnd.github+json");
        request.headers_mut().insert(header::ACCEPT, accept);
        let (response, body) = bounded::send(&self.http, request).await?;
        if !response.status().is_success() {
            return Err(IdentityError::ProviderFailed(format!("{path} answered {}", response.status())));
        }
        Ok(body)
    }
}

fn malformed(path: &str) -> IdentityError {
    IdentityError::ProviderFailed(format!("{path} answered something that GitHub's API does not"))
}

fn parse_user(body: &[u8]) -> Result<User, IdentityError> {
    let user: GitHubUser = serde_json::from_slice(body).map_err(|_| malformed("/user"))?;
    // The login becomes a request header and a key; GitHub's own alphabet is alphanumeric and hyphen.
    let printable = !user.login.is_empty() && user.login.bytes().all(|b| b.is_ascii_graphic());
    let id = Subject::parse(&user.id.to_string()).filter(|_| printable).ok_or_else(|| malformed("/user"))?;
    Ok(User { id, username: user.login, email: user.email, name: user.name, groups: Groups::default() })
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
}
