//! The OAuth App at GitHub.

use super::vars::Vars;
use crate::oauth::{people::People, secret::Secret};

/// The upstream OAuth application.
#[derive(Clone, Debug)]
pub struct GitHubConfig {
    /// `GITHUB_CLIENT_ID`
    pub client_id: String,
    /// `GITHUB_CLIENT_SECRET`
    pub client_secret: Secret,
    /// `GITHUB_BASE_URL`: where people log in; another one for GitHub Enterprise Server.
    pub base_url: String,
    /// `GITHUB_API_URL`: where `/user` is.
    pub api_url: String,
    /// Ask for the person's organisations and teams: when `ALLOWED_GITHUB_ORGS` or `ALLOWED_GITHUB_TEAMS` need them, or
    /// the policy of a service does, which `GITHUB_READ_ORGS` says.
    pub read_orgs: bool,
}

impl GitHubConfig {
    pub(super) fn read(vars: &mut Vars, people: &People) -> Self {
        let whence = "make an OAuth App under GitHub → Settings → Developer settings";
        Self {
            client_id: vars.required("GITHUB_CLIENT_ID", whence),
            client_secret: Secret::new(vars.required("GITHUB_CLIENT_SECRET", whence)),
            base_url: vars.base_url("GITHUB_BASE_URL", "https://github.com"),
            api_url: vars.base_url("GITHUB_API_URL", "https://api.github.com"),
            read_orgs: vars.flag("GITHUB_READ_ORGS") || people.asks_for_groups(),
        }
    }
}
