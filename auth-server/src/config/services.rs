//! The MCP services that people are told about.

use super::vars::Vars;

/// `MCP_SERVICES`: names of the hosts below the domain. Traefik's own list (`time=http://127.0.0.1:3001`) will do too.
pub(super) fn read(vars: &mut Vars) -> Vec<String> {
    let listed = vars.list("MCP_SERVICES");
    let names = listed.iter().map(|item| item.split('=').next().unwrap_or_default().trim().to_lowercase());
    let mut services = Vec::new();
    for name in names {
        if !is_label(&name) {
            vars.fault("MCP_SERVICES", format_args!("«{name}» is not the name of a host below the domain (time)"));
        } else if !services.contains(&name) {
            services.push(name);
        }
    }
    services
}

/// RFC 1123 §2.1.
fn is_label(name: &str) -> bool {
    let clean = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    clean && !name.is_empty() && name.len() <= 63 && !name.starts_with('-') && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(text: &str) -> Result<Vec<String>, super::super::ConfigFaults> {
        let mut vars = Vars::new([("MCP_SERVICES".to_owned(), text.to_owned())]);
        let services = read(&mut vars);
        vars.finish().map(|()| services)
    }

    #[test]
    fn names_and_traefiks_own_list_say_the_same() {
        let names = services("time=http://127.0.0.1:3001, Fetch=http://[::1]:3002,time").unwrap();
        assert_eq!(names, ["time", "fetch"]);
        assert_eq!(services("time,fetch").unwrap(), names);
        assert!(services("").unwrap().is_empty());
    }

    #[test]
    fn what_could_be_no_host_is_a_fault() {
        for text in ["a b", "<script>", "-x", "a.b", "=http://x"] {
            assert!(services(text).is_err(), "{text}");
        }
    }
}
