//! Who exists: everybody. A person is made from the name that was typed, always the same one from the same name.

use std::{collections::HashMap, sync::Mutex};

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::records::Records;

/// A GitHub account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: u64,
    pub login: String,
    pub email: String,
    pub name: String,
}

/// Where a person belongs; nowhere unless said.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Membership {
    /// Organisations by login.
    pub orgs: Vec<String>,
    /// `org/slug`
    pub teams: Vec<String>,
}

/// The numeric id that GitHub has given to `login`. Logins are case-insensitive.
pub fn github_id(login: &str) -> u64 {
    // FNV-1a: any stable spread will do; nine digits like today's new accounts.
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = login.to_ascii_lowercase().bytes().fold(0xcbf2_9ce4_8422_2325, step);
    100_000_000 + hash % 900_000_000
}

impl Person {
    /// GitHub's rule: letters, digits and single hyphens, 39 characters at most.
    pub(super) fn parse(login: &str) -> Option<Self> {
        let login = login.trim();
        let plain = login.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if login.is_empty() || login.len() > 39 || !plain || login.starts_with('-') || login.ends_with('-') {
            return None;
        }
        let name = login.split('-').map(capitalised).collect::<Vec<_>>().join(" ");
        Some(Self { id: github_id(login), login: login.to_owned(), email: format!("{login}@users.example"), name })
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[derive(Debug, Default)]
pub(super) struct People {
    memberships: Mutex<HashMap<String, Membership>>,
}

impl People {
    pub(super) fn join(&self, login: &str, membership: Membership) {
        self.memberships.lock().expect("no holder panics").insert(login.to_ascii_lowercase(), membership);
    }

    pub(super) fn membership(&self, login: &str) -> Membership {
        let memberships = self.memberships.lock().expect("no holder panics");
        memberships.get(&login.to_ascii_lowercase()).cloned().unwrap_or_default()
    }
}

/// `PUT /_people/{login}` with a [`Membership`].
pub(super) async fn put(
    records: web::Data<Records>,
    login: web::Path<String>,
    membership: web::Json<Membership>,
) -> HttpResponse {
    records.people.join(&login, membership.into_inner());
    HttpResponse::NoContent().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_is_always_the_same_person() {
        assert_eq!(github_id("octocat"), github_id("OctoCat"));
        assert_ne!(github_id("octocat"), github_id("octodog"));
        assert_eq!(Person::parse(" mona-lisa ").unwrap().name, "Mona Lisa");
    }

    #[test]
    fn a_name_github_would_not_give_is_refused() {
        for login in ["", "-x", "x-", "a b", "ä", "<script>", &"x".repeat(40)] {
            assert_eq!(Person::parse(login), None, "{login}");
        }
    }
}
