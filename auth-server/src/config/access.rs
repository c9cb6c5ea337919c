//! Who may come in: people by GitHub login, browser pages by origin.

use std::collections::BTreeSet;

use super::vars::Vars;

/// `ALLOWED_GITHUB_USERS`: logins, compared without case as GitHub does; `*` admits everybody GitHub knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedUsers {
    Anyone,
    Only(BTreeSet<String>),
}

impl AllowedUsers {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let logins = vars.list("ALLOWED_GITHUB_USERS");
        if logins.is_empty() {
            // Unset used to mean anyone; a forgotten line must not open the gateway to the world.
            let what =
                "is not set: name the GitHub logins that may use this gateway, or say * for every GitHub account";
            vars.fault("ALLOWED_GITHUB_USERS", what);
        }
        if logins.iter().any(|login| login == "*") {
            return Self::Anyone;
        }
        Self::Only(logins.iter().map(|login| login.to_lowercase()).collect())
    }

    pub fn admits(&self, login: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Only(logins) => logins.contains(&login.to_lowercase()),
        }
    }
}

/// `MCP_CORS_ORIGINS`: whose pages may call. The gateway's own hosts always may; `*` admits every origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    Any,
    Only { own_suffix: String, listed: BTreeSet<String> },
}

impl AllowedOrigins {
    pub(super) fn read(vars: &Vars, base_domain: &str) -> Self {
        let listed = vars.list("MCP_CORS_ORIGINS");
        if listed.iter().any(|origin| origin == "*") {
            return Self::Any;
        }
        let listed = listed.iter().map(|origin| origin.trim_end_matches('/').to_lowercase()).collect();
        Self::Only { own_suffix: format!(".{base_domain}"), listed }
    }

    /// `origin` as the browser sent it (RFC 6454 §6.2: already lower case).
    pub fn admits(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only { own_suffix, listed } => {
                listed.contains(origin)
                    || origin.strip_prefix("https://").is_some_and(|host| host.ends_with(own_suffix.as_str()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_that_only_looks_like_ours_is_not_admitted() {
        let origins = AllowedOrigins::Only { own_suffix: ".example.com".into(), listed: BTreeSet::new() };
        assert!(origins.admits("https://time.example.com"));
        for foreign in
            ["http://time.example.com", "https://evilexample.com", "https://time.example.com.evil.org", "null"]
        {
            assert!(!origins.admits(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_listed_login_is_admitted_in_any_case_and_no_other() {
        let users = AllowedUsers::Only(["octocat".to_owned()].into());
        assert!(users.admits("OctoCat") && !users.admits("octocat2"));
    }
}
