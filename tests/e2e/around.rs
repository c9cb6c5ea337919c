//! Around Traefik: what compose must not open. Read from the files that people run.

use std::{collections::BTreeSet, fs};

use gateway_tests::harness::repository;

/// Each service of a file, with its lines.
fn services(text: &str) -> Vec<(String, Vec<String>)> {
    let inside = text.split_once("\nservices:\n").unwrap_or(("", text.trim_start_matches("services:\n"))).1;
    let mut services: Vec<(String, Vec<String>)> = Vec::new();
    for line in inside.lines().take_while(|line| line.is_empty() || line.starts_with([' ', '#'])) {
        match line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#'])) {
            Some(name) => services.push((name.trim_end_matches(':').to_owned(), Vec::new())),
            None => services.last_mut().map_or_else(Default::default, |(_, lines)| lines.push(line.trim().to_owned())),
        }
    }
    services
}

fn networks(lines: &[String]) -> BTreeSet<String> {
    let listed = lines.iter().find_map(|line| line.strip_prefix("networks: [")).unwrap_or_default();
    listed.trim_end_matches(']').split(", ").map(str::to_owned).collect()
}

#[test]
fn no_mcp_server_can_be_reached_around_traefik() {
    let mut mcp_servers = 0;
    for entry in fs::read_dir(repository().join("compose")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yml") {
            continue;
        }
        for (name, lines) in services(&fs::read_to_string(&path).unwrap()) {
            let publishes = lines.iter().any(|line| line.starts_with("ports:") || line.starts_with("network_mode:"));
            assert!(!publishes || name == "traefik", "{name} publishes a port");
            if let Some(service) = name.strip_prefix("mcp-") {
                mcp_servers += 1;
                assert_eq!(networks(&lines), [format!("mcp-{service}")].into(), "{name} shares a network");
            }
        }
    }
    assert_eq!(mcp_servers, 11, "every service of the Python gateway was looked at");
}

#[test]
fn redis_is_reached_by_the_auth_server_alone() {
    let text = fs::read_to_string(repository().join("compose/docker-compose.yml")).unwrap();
    let on_store = |(_, lines): &(String, Vec<String>)| networks(lines).contains("store");
    let names: BTreeSet<_> = services(&text).into_iter().filter(on_store).map(|(name, _)| name).collect();
    assert_eq!(names, ["auth".to_owned(), "redis".to_owned()].into());
    assert!(text.contains("store:\n    internal: true"));
}
