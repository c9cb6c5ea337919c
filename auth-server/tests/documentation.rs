//! docs/configuration.md names every variable that the code reads, and none that it does not.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::{collections::BTreeSet, fs, path::Path};

use auth_server::cli::Cli;
use clap::CommandFactory;

/// What the page explains although auth-server itself does not read it.
const OTHERS: [&str; 3] = ["SSL_CERT_FILE", "SESSION_TIMEOUT", "MCP_PROTOCOL_VERSION"];

/// What a container needs no setting for: it has a Redis, a volume for keys, a log folder; a folder must be mounted.
const NOT_IN_COMPOSE: [&str; 4] = ["DATA_DIR", "JWT_PRIVATE_KEY_FILE", "GATEWAY_JWT_SECRET", "CLIENT_METADATA_DIR"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Pieces of `text` between two `quote`s that look like the name of a variable.
fn names(text: &str, quote: char) -> BTreeSet<String> {
    let is_name = |piece: &&str| {
        piece.len() > 3
            && piece.contains('_')
            && piece.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())
    };
    text.split(quote).filter(is_name).map(str::to_owned).collect()
}

fn read_by_the_code() -> BTreeSet<String> {
    let files = fs::read_dir(root().join("src/config")).unwrap().map(|entry| entry.unwrap().path());
    let code = files.filter(|file| !file.ends_with("tests.rs") && !file.ends_with("environment.rs"));
    code.flat_map(|file| names(fs::read_to_string(file).unwrap().split("#[cfg(test)]").next().unwrap(), '"')).collect()
}

#[test]
fn every_variable_is_documented_and_every_documented_variable_is_read() {
    let page = fs::read_to_string(root().join("../docs/configuration.md")).unwrap();
    let mut documented = names(&page, '`');
    for other in OTHERS {
        assert!(documented.remove(other), "{other}");
    }
    assert_eq!(documented, read_by_the_code());
}

#[test]
fn every_variable_reaches_the_container() {
    let compose = fs::read_to_string(root().join("../compose/docker-compose.yml")).unwrap();
    let set = |name: &String| compose.contains(&format!("      - {name}="));
    let missing: Vec<_> = read_by_the_code().into_iter().filter(|name| !set(name)).collect();
    assert_eq!(missing.iter().map(String::as_str).collect::<BTreeSet<_>>(), NOT_IN_COMPOSE.into());
}

#[test]
fn every_command_and_option_is_documented() {
    let pages =
        ["admin.md", "keys.md"].map(|page| fs::read_to_string(root().join("../docs").join(page)).unwrap()).concat();
    let mut missing = Vec::new();
    let cli = <Cli as CommandFactory>::command();
    for noun in cli.get_subcommands().filter(|command| command.get_name() != "serve") {
        let verbs: Vec<_> = noun.get_subcommands().collect();
        for command in if verbs.is_empty() { vec![noun] } else { verbs.clone() } {
            let name = if verbs.is_empty() {
                noun.get_name().to_owned()
            } else {
                format!("{} {}", noun.get_name(), command.get_name())
            };
            let options = command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?)));
            missing.extend([name].into_iter().chain(options).filter(|text| !pages.contains(text.as_str())));
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_test_that_a_page_names_exists() {
    let mut code = String::new();
    for folder in ["src", "tests", "../mcp-sidecar/src", "../mcp-sidecar/tests", "../tests"] {
        read_rust(&root().join(folder), &mut code);
    }
    for (page, at_least) in [("security.md", 60), ("known-troubles.md", 18), ("migration.md", 10), ("clients.md", 8)] {
        let text = fs::read_to_string(root().join("../docs").join(page)).unwrap();
        let quoted = text.split('`').skip(1).step_by(2);
        let named: BTreeSet<_> = quoted.filter(|text| is_a_sentence(text)).collect();
        assert!(named.len() >= at_least, "{page} names too few: {named:?}");
        let missing: Vec<_> = named.iter().filter(|name| !code.contains(&format!("fn {name}("))).collect();
        assert!(missing.is_empty(), "{page}: {missing:#?}");
    }
}

/// `code_replay_revokes_what_the_code_gave`, and no `X_User_Id`.
fn is_a_sentence(text: &str) -> bool {
    text.matches('_').count() >= 2 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn read_rust(path: &Path, code: &mut String) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            read_rust(&entry.unwrap().path(), code);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        code.push_str(&fs::read_to_string(path).unwrap());
    }
}
