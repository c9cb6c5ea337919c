//! Labels are enums, never ids: the number of series is known before anybody asks.

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// One value of each variant; a series exists, at 0, before its first event.
pub(crate) trait Label: Copy + 'static {
    const ALL: &'static [Self];
    fn name(self) -> &'static str;
    fn index(self) -> usize;
}

macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$what])* $variant),+ }

        impl Label for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

labels! {
    /// `grant_type` of a token request.
    GrantType {
        AuthorizationCode = "authorization_code",
        RefreshToken = "refresh_token",
        ClientCredentials = "client_credentials",
        /// Absent, unreadable or not supported.
        Other = "other",
    }
}

labels! {
    /// How a token request ended.
    TokenOutcome { Granted = "granted", Refused = "refused", Failed = "failed" }
}

labels! {
    /// What `/verify` said.
    VerifyOutcome {
        Permitted = "permitted",
        NoToken = "no_token",
        InvalidToken = "invalid_token",
        /// Scope, policy or origin.
        Forbidden = "forbidden",
        /// Not what Traefik sends.
        Malformed = "malformed",
        Failed = "failed",
    }
}

labels! {
    /// How an authorization ended, or where it stopped.
    AuthorizationOutcome {
        Granted = "granted",
        /// The person said no, or is not on the list.
        Denied = "denied",
        /// The request was faulty.
        Refused = "refused",
        Failed = "failed",
    }
}

labels! {
    /// What became of a registration (RFC 7591, RFC 7592).
    RegistrationOutcome {
        Created = "created",
        /// Answered with the client that was registered with the same metadata before.
        Shared = "shared",
        Updated = "updated",
        Deleted = "deleted",
        Refused = "refused",
    }
}

impl GrantType {
    pub(crate) fn named(text: Option<&str>) -> Self {
        let same = |grant: &&Self| Some(grant.name()) == text;
        Self::ALL.iter().find(same).copied().unwrap_or(Self::Other)
    }
}

/// A counter with one label. Counting is one relaxed addition: no lock, no look-up.
#[derive(Debug)]
pub(crate) struct Counts<L> {
    counters: Vec<Counter>,
    label: std::marker::PhantomData<L>,
}

impl<L: Label> Counts<L> {
    pub(super) fn register(registry: &mut Registry, name: &str, help: &str) -> Self {
        let family = Family::<[(&str, &str); 1], Counter>::default();
        let counters = L::ALL.iter().map(|label| family.get_or_create_owned(&[("outcome", label.name())])).collect();
        registry.register(name, help, family);
        Self { counters, label: std::marker::PhantomData }
    }

    pub(crate) fn add(&self, label: L) {
        if let Some(counter) = self.counters.get(label.index()) {
            counter.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_type_that_is_not_known_is_other_whatever_it_says() {
        assert_eq!(GrantType::named(Some("refresh_token")), GrantType::RefreshToken);
        assert_eq!(GrantType::named(Some("\"} 1\nforged 2")), GrantType::Other);
        assert_eq!(GrantType::named(None), GrantType::Other);
    }
}
