//! Which people may come in: by GitHub login, by organisation, by team. All three are compared without case, as
//! GitHub does.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The organisations (`acme`) and teams (`acme/devs`) that GitHub counted a person to when they signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeSet<String>", into = "BTreeSet<String>")]
pub struct Groups(BTreeSet<String>);

/// Who is admitted. To be on one of the lists is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum People {
    /// Everybody GitHub knows.
    Anyone,
    Only(AllowList),
}

/// In lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    logins: BTreeSet<String>,
    groups: BTreeSet<String>,
}

/// What no account, organisation or team of GitHub is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAName {
    #[error("not a GitHub login (octocat)")]
    Login,
    #[error("not a GitHub organisation (acme)")]
    Org,
    #[error("not a GitHub team (acme/devs)")]
    Team,
}

impl Groups {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Organisations as `acme`, teams as `acme/devs`.
impl FromIterator<String> for Groups {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self(names.into_iter().map(|name| name.to_lowercase()).collect())
    }
}

impl From<BTreeSet<String>> for Groups {
    fn from(names: BTreeSet<String>) -> Self {
        names.into_iter().collect()
    }
}

impl From<Groups> for BTreeSet<String> {
    fn from(groups: Groups) -> Self {
        groups.0
    }
}

impl AllowList {
    pub fn add_login(&mut self, login: &str) -> Result<(), NotAName> {
        is_name(login).then(|| self.logins.insert(login.to_lowercase())).map(drop).ok_or(NotAName::Login)
    }

    pub fn add_org(&mut self, org: &str) -> Result<(), NotAName> {
        is_name(org).then(|| self.groups.insert(org.to_lowercase())).map(drop).ok_or(NotAName::Org)
    }

    /// `team`: `acme/devs`, where `devs` is what GitHub calls the slug.
    pub fn add_team(&mut self, team: &str) -> Result<(), NotAName> {
        let (org, slug) = team.split_once('/').ok_or(NotAName::Team)?;
        let is_team = is_name(org) && is_name(slug);
        is_team.then(|| self.groups.insert(team.to_lowercase())).map(drop).ok_or(NotAName::Team)
    }

    pub fn is_empty(&self) -> bool {
        self.logins.is_empty() && self.groups.is_empty()
    }
}

impl People {
    pub fn admits(&self, login: &str, groups: &Groups) -> bool {
        match self {
            Self::Anyone => true,
            Self::Only(list) => {
                list.logins.contains(&login.to_lowercase()) || groups.0.iter().any(|group| list.groups.contains(group))
            }
        }
    }

    /// Whether a person's organisations and teams have to be known to decide.
    pub fn asks_for_groups(&self) -> bool {
        matches!(self, Self::Only(list) if !list.groups.is_empty())
    }
}

/// Letters and digits joined by hyphens; accounts of an enterprise have an underscore too, bots have brackets.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.[]".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(names: &[&str]) -> Groups {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn people() -> People {
        let mut list = AllowList::default();
        list.add_login("OctoCat").unwrap();
        list.add_org("Acme").unwrap();
        list.add_team("Initech/Dev-Ops").unwrap();
        People::Only(list)
    }

    #[test]
    fn any_one_of_login_organisation_and_team_admits_whatever_the_case() {
        for (login, of) in [("octocat", &[][..]), ("OCTOCAT", &[]), ("x", &["ACME"]), ("x", &["b", "initech/dev-ops"])]
        {
            assert!(people().admits(login, &groups(of)), "{login} {of:?}");
        }
    }

    #[test]
    fn what_only_looks_alike_does_not_admit() {
        for (login, of) in [
            ("octocat2", &[][..]),
            ("acme", &[]),
            ("x", &["octocat"]),
            ("x", &["acme/devs"]),
            ("x", &["initech"]),
            ("initech/dev-ops", &["initech/devs", "dev-ops"]),
            ("", &[""]),
        ] {
            assert!(!people().admits(login, &groups(of)), "{login} {of:?}");
        }
        assert!(!People::Only(AllowList::default()).admits("octocat", &groups(&["acme"])));
        assert!(People::Anyone.admits("", &Groups::default()));
    }

    #[test]
    fn a_name_that_github_has_not_is_refused_rather_than_never_met() {
        let mut list = AllowList::default();
        assert_eq!(list.add_login("@octocat"), Err(NotAName::Login));
        assert_eq!(list.add_org("acme/devs"), Err(NotAName::Org));
        for team in ["acme", "acme/", "/devs", "acme/devs/x", "acme devs"] {
            assert_eq!(list.add_team(team), Err(NotAName::Team), "{team}");
        }
        assert!(list.is_empty() && !People::Only(list).asks_for_groups());
    }

    #[test]
    fn groups_are_stored_as_a_list() {
        let stored = serde_json::to_string(&groups(&["acme/devs", "Acme"])).unwrap();
        assert_eq!(stored, r#"["acme","acme/devs"]"#);
        assert_eq!(serde_json::from_str::<Groups>(&stored).unwrap(), groups(&["acme", "acme/devs"]));
    }
}
