//! Where descriptions of clients come from that are not registered here (Client ID Metadata Documents).

use std::path::PathBuf;

use super::vars::Vars;

/// Whose documents are accepted, and which the operator keeps.
#[derive(Clone, Debug, Default)]
pub struct ClientDocuments {
    /// `CLIENT_METADATA_DOMAINS`: `example.com` is that host, `*.example.com` all below it. Empty: every domain.
    pub domains: Vec<String>,
    /// `CLIENT_METADATA_DIR`: a folder of documents that are used without asking their URL.
    pub dir: Option<PathBuf>,
}

impl ClientDocuments {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let domains: Vec<_> =
            vars.list("CLIENT_METADATA_DOMAINS").iter().map(|domain| domain.to_ascii_lowercase()).collect();
        for domain in &domains {
            let name = domain.strip_prefix("*.").unwrap_or(domain);
            if name.is_empty() || name.contains(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))) {
                let expected = "is not a domain: no scheme, no path (example.com, *.example.com)";
                vars.fault("CLIENT_METADATA_DOMAINS", format_args!("«{domain}» {expected}"));
            }
        }
        Self { domains, dir: vars.text("CLIENT_METADATA_DIR").map(Into::into) }
    }

    /// `host`: lower case, as in a URL.
    pub fn admits(&self, host: &str) -> bool {
        let matches = |domain: &String| match domain.strip_prefix('*') {
            Some(below) => host.len() > below.len() && host.ends_with(below),
            None => host == domain,
        };
        self.domains.is_empty() || self.domains.iter().any(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_admits_itself_and_a_star_what_is_below_it() {
        let listed = ClientDocuments { domains: vec!["claude.ai".into(), "*.example.com".into()], dir: None };
        for host in ["claude.ai", "a.example.com", "a.b.example.com"] {
            assert!(listed.admits(host), "{host}");
        }
        for host in ["www.claude.ai", "evilclaude.ai", "example.com", ".example.com", "evilexample.com"] {
            assert!(!listed.admits(host), "{host}");
        }
        assert!(ClientDocuments::default().admits("anything.example"));
    }
}
