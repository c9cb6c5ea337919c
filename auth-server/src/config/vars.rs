//! Variables by name, with every fault kept: an operator mends a configuration in one round, not in ten.

use std::{collections::HashMap, str::FromStr, time::Duration};

use url::Url;

use super::ConfigFaults;

/// The variables that are set and not empty. `NAME=` in an `.env` means unset.
pub(super) struct Vars {
    values: HashMap<String, String>,
    faults: Vec<String>,
}

impl Vars {
    pub(super) fn new(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        let trimmed = vars.into_iter().map(|(name, value)| (name, value.trim().to_owned()));
        Self { values: trimmed.filter(|(_, value)| !value.is_empty()).collect(), faults: Vec::new() }
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    /// A variable without a default: its absence is a fault that says what it is for.
    pub(super) fn required(&mut self, name: &str, purpose: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.fault(name, format_args!("is not set: {purpose}"));
            String::new()
        })
    }

    pub(super) fn parsed<T: FromStr>(&mut self, name: &str, expected: &str, default: T) -> T {
        let Some(text) = self.text(name) else { return default };
        text.parse().unwrap_or_else(|_| {
            self.fault(name, format_args!("«{text}» is not {expected}"));
            default
        })
    }

    /// A whole number of seconds.
    pub(super) fn seconds(&mut self, name: &str, default: u64) -> Duration {
        Duration::from_secs(self.parsed(name, "a whole number of seconds", default))
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.text(name).map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("false" | "0" | "no" | "off") => false,
            Some("true" | "1" | "yes" | "on") => true,
            Some(other) => {
                self.fault(name, format_args!("«{other}» is neither true nor false"));
                false
            }
        }
    }

    /// An http or https URL; returned without a trailing slash.
    pub(super) fn base_url(&mut self, name: &str, default: &str) -> String {
        let text = self.text(name).unwrap_or_else(|| default.to_owned());
        if !Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            self.fault(name, format_args!("«{text}» is not an http or https URL"));
        }
        text.trim_end_matches('/').to_owned()
    }

    /// Comma separated, blanks dropped.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    pub(super) fn fault(&mut self, name: &str, what: impl std::fmt::Display) {
        self.faults.push(format!("{name} {what}"));
    }

    pub(super) fn finish(self) -> Result<(), ConfigFaults> {
        if self.faults.is_empty() { Ok(()) } else { Err(ConfigFaults(self.faults)) }
    }
}
