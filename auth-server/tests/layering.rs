//! `oauth/` is pure: no I/O crate, clock, randomness, environment or logger (ARCHITECTURE.md, «layers»).

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each a name that I/O, time, randomness or another layer cannot do without.
const FORBIDDEN: [&str; 34] = [
    "actix",
    "actix_web",
    "actix_rt",
    "tokio",
    "tokio_util",
    "futures_util",
    "redis",
    "deadpool",
    "deadpool_redis",
    "redb",
    "log",
    "env_logger",
    "reqwest",
    "josekit",
    "oauth2",
    "askama",
    "dotenvy",
    "getrandom",
    "rand",
    "SystemTime",
    "Instant",
    "env",
    "fs",
    "process",
    "thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "println",
    "eprintln",
    "async",
    "crate::http",
    "crate::store",
];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("and readable").path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// A line without its comment and its texts: `"a"` → `""`.
fn code(line: &str) -> String {
    let outside_texts = line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    outside_texts.split("//").next().unwrap_or_default().to_owned()
}

/// Whether `name` stands in `code` as a whole path segment.
fn names(code: &str, name: &str) -> bool {
    let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + name.len()..].chars().next();
        !before.is_some_and(part_of_a_word) && !after.is_some_and(part_of_a_word)
    })
}

fn faults(text: &str) -> Vec<(usize, &'static str)> {
    let lines = text.lines().map(code).enumerate();
    lines
        .flat_map(|(i, line)| FORBIDDEN.into_iter().filter(move |name| names(&line, name)).map(move |n| (i + 1, n)))
        .collect()
}

#[test]
fn the_rules_of_oauth_touch_nothing_outside() {
    let files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/oauth"));
    assert!(files.len() > 20, "the folder moved: {files:?}");
    let found: Vec<_> = files
        .iter()
        .flat_map(|path| faults(&fs::read_to_string(path).unwrap()).into_iter().map(move |fault| (path, fault)))
        .collect();
    assert!(found.is_empty(), "oauth/ must stay pure: {found:#?}");
}

#[test]
fn only_the_jwt_folder_names_josekit() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let naming = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().any(|line| names(&code(line), "josekit"));
    let naming: Vec<_> = rust_files(&src).into_iter().filter(naming).collect();
    assert!(!naming.is_empty() && naming.iter().all(|path| path.starts_with(src.join("jwt"))), "{naming:#?}");
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    assert_eq!(faults("use log::warn;\nlet now = SystemTime::now();"), [(1, "log"), (2, "SystemTime")]);
    assert_eq!(faults("use actix_web::web; // fine"), [(1, "actix_web")]);
    assert_eq!(faults("std::env::var(\"X\")"), [(1, "env")]);
    assert!(faults("// log it\nlet login = \"tokio\"; let operand = dialog;").is_empty());
}
