//! `mcp/` stays pure: it names no I/O crate, clock, randomness, environment or logger, and nothing else of this crate.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::fs;
use std::path::{Path, PathBuf};

const FORBIDDEN: &[&str] = &[
    "actix",
    "tokio",
    "reqwest",
    "futures",
    "nix::",
    "getrandom",
    "rand::",
    "log::",
    "info!",
    "warn!",
    "error!",
    "debug!",
    "println!",
    "std::io",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "crate::child",
    "crate::session",
    "crate::http",
    "crate::config",
    "crate::app",
];

#[test]
fn the_protocol_rules_name_no_edge() {
    let offences: Vec<String> = rust_files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/mcp")))
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let found = FORBIDDEN.iter().filter(move |name| code.iter().any(|line| line.contains(**name)));
            found.map(|name| format!("{}: {name}", file.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<String> = rust_files(Path::new(env!("CARGO_MANIFEST_DIR")))
        .into_iter()
        .filter(|file| fs::read_to_string(file).unwrap().lines().count() > 300)
        .map(|file| file.display().to_string())
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.extension() {
            _ if path.is_dir() => rust_files(&path),
            Some(extension) if extension == "rs" => vec![path],
            _ => vec![],
        })
        .collect()
}
