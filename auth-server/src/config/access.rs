//! Who may come in: people by GitHub login, browser pages by origin.

use std::collections::BTreeSet;

use super::vars::Vars;
use crate::oauth::people::{AllowList, NotAName, People};

const USERS: &str = "ALLOWED_GITHUB_USERS";

/// `ALLOWED_GITHUB_USERS`, `ALLOWED_GITHUB_ORGS`, `ALLOWED_GITHUB_TEAMS`: to be on one of them is enough.
pub(super) fn people(vars: &mut Vars) -> People {
    let mut list = AllowList::default();
    let mut anyone = false;
    let mut add = |vars: &mut Vars, name, add: fn(&mut AllowList, &str) -> Result<(), NotAName>| {
        for entry in vars.list(name) {
            if entry == "*" && name == USERS {
                anyone = true;
            } else if let Err(fault) = add(&mut list, &entry) {
                vars.fault(name, format_args!("«{entry}» is {fault}"));
            }
        }
    };
    add(vars, USERS, AllowList::add_login);
    add(vars, "ALLOWED_GITHUB_ORGS", AllowList::add_org);
    add(vars, "ALLOWED_GITHUB_TEAMS", AllowList::add_team);
    if anyone {
        return People::Anyone;
    }
    if list.is_empty() {
        // Unset used to mean anyone; a forgotten line must not open the gateway to the world.
        vars.fault(
            USERS,
            "is not set: name the GitHub logins that may use this gateway, or say * for every GitHub account; \
             ALLOWED_GITHUB_ORGS and ALLOWED_GITHUB_TEAMS will do too",
        );
    }
    People::Only(list)
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
    use crate::oauth::people::Groups;

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

    fn listed(vars: &[(&str, &str)]) -> Result<People, super::super::ConfigFaults> {
        let mut vars = Vars::new(vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let people = people(&mut vars);
        vars.finish().map(|()| people)
    }

    #[test]
    fn any_of_the_three_lists_is_enough_and_each_admits() {
        let acme: Groups = ["acme".to_owned(), "initech/devs".to_owned()].into_iter().collect();
        let nobody = Groups::default();
        assert!(listed(&[(USERS, "octocat")]).unwrap().admits("OctoCat", &nobody));
        assert!(!listed(&[(USERS, "octocat")]).unwrap().admits("octocat2", &acme));
        assert!(listed(&[("ALLOWED_GITHUB_ORGS", "Acme, x")]).unwrap().admits("mona", &acme));
        assert!(listed(&[("ALLOWED_GITHUB_TEAMS", "initech/devs")]).unwrap().admits("mona", &acme));
        assert!(!listed(&[("ALLOWED_GITHUB_TEAMS", "initech/devs")]).unwrap().admits("mona", &nobody));
        assert_eq!(listed(&[(USERS, "*"), ("ALLOWED_GITHUB_ORGS", "acme")]), Ok(People::Anyone));
    }

    #[test]
    fn a_name_that_github_cannot_have_is_a_fault_and_the_star_is_for_users_only() {
        for (name, value) in [
            (USERS, "@octocat"),
            ("ALLOWED_GITHUB_ORGS", "*"),
            ("ALLOWED_GITHUB_ORGS", "acme/devs"),
            ("ALLOWED_GITHUB_TEAMS", "devs"),
        ] {
            let faults = listed(&[(name, value)]).unwrap_err().to_string();
            assert!(faults.contains(name) && faults.contains(value), "{faults}");
        }
    }
}
