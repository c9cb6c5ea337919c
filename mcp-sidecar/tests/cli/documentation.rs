//! What docs/sidecar.md and `--help` show is what the program does.

use std::ffi::OsString;
use std::process::Command;

use mcp_sidecar::config::Config;
use serde_json::Value;

use crate::program::{output, sidecar};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const PAGE: &str = include_str!("../../../docs/sidecar.md");

fn help() -> String {
    String::from_utf8(output(&["--help"]).stdout).unwrap()
}

/// What is inside fences of that kind.
fn blocks(kind: &str) -> impl Iterator<Item = &'static str> {
    let fence = format!("```{kind}\n");
    PAGE.match_indices(&fence)
        .map(|(at, fence)| PAGE[at + fence.len()..].split("```").next().unwrap())
        .collect::<Vec<_>>()
        .into_iter()
}

/// The words of a command line as a shell reads it, variables before it apart.
fn words(line: &str) -> (Vec<(OsString, OsString)>, Vec<OsString>) {
    let printed =
        Command::new("sh").args(["-c", &format!("f() {{ printf '%s\\n' \"$@\"; }}; f {line}")]).output().unwrap();
    let words: Vec<String> = String::from_utf8(printed.stdout).unwrap().lines().map(str::to_owned).collect();
    let is_variable =
        |word: &&String| word.split('=').next().unwrap().chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let vars = words.iter().take_while(is_variable).map(|word| word.split_once('=').unwrap());
    let vars: Vec<_> = vars.map(|(name, value)| (name.into(), value.into())).collect();
    let rest = words.iter().skip(vars.len()).map(OsString::from).collect();
    (vars, rest)
}

#[test]
fn every_command_line_that_is_shown_is_understood() {
    let help = help();
    let mut shown: Vec<&str> = blocks("console").flat_map(str::lines).collect();
    shown.extend(help.lines());
    let lines = shown.into_iter().map(|line| line.trim().trim_start_matches("$ "));
    let lines =
        lines.filter(|line| line.contains("mcp-sidecar ") && !line.contains("COMMAND ") && !line.contains("HOST:PORT"));
    let mut served = 0;
    for line in lines.filter(|line| line.starts_with("mcp-sidecar ") || line.starts_with("SERVER_COMMAND=")) {
        let (vars, words) = words(line);
        if words.get(1).is_some_and(|word| word == "probe" || word == "healthcheck") {
            continue;
        }
        let config = Config::from_args(words, vars);
        assert!(config.is_ok(), "{line}: {config:?}");
        served += 1;
    }
    assert!(served > 5, "{served}");
}

#[test]
fn the_commands_of_the_images_are_understood_too() {
    let commands =
        blocks("dockerfile").flat_map(str::lines).filter_map(|line| line.split_once("CMD ").map(|(_, words)| words));
    let mut checked = 0;
    for command in commands {
        let words: Vec<String> = serde_json::from_str(command).unwrap();
        if words[1] != "healthcheck" {
            let config = Config::from_args(words.iter().map(OsString::from), []);
            assert!(config.is_ok(), "{command}: {config:?}");
        }
        checked += 1;
    }
    assert_eq!(checked, 3);
}

#[test]
fn the_probe_that_is_shown_is_what_it_prints() {
    let shown = blocks("console").find_map(|block| block.strip_prefix("$ ")).unwrap();
    let (line, table) = shown.split_once('\n').unwrap();
    let (_, words) = words(line);
    let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
    let printed = || {
        let printed = sidecar(&words[1..]).current_dir(ROOT).output().unwrap();
        untimed(std::str::from_utf8(&printed.stdout).unwrap())
    };
    // On a busy machine the server may take longer to end than the two seconds that it has; hardly each time.
    let ends_late = |table: &[String]| table.iter().any(|line| line.starts_with("ends ") && line.contains("SIG"));
    let in_time = (0..5).map(|_| printed()).find(|table| !ends_late(table));
    assert_eq!(in_time.expect("it ends by itself"), untimed(table));
    let json = sidecar(&[&["probe", "--json"], &words[2..]].concat()).current_dir(ROOT).output().unwrap();
    let told: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(told["tools"][0]["inputSchema"]["required"][1], "b");
}

/// Seconds differ from run to run.
fn untimed(table: &str) -> Vec<String> {
    table.lines().map(|line| line.replace(|c: char| c.is_ascii_digit() && line.contains(" s"), "#")).collect()
}

#[test]
fn every_option_is_explained() {
    let help = help();
    let options =
        help.lines().filter_map(|line| line.trim().strip_prefix("--")).filter_map(|line| line.split(' ').next());
    let options: Vec<_> = options.collect();
    assert!(options.len() > 10, "{help}");
    for option in options {
        assert!(PAGE.contains(&format!("`--{option}")), "--{option} is not in docs/sidecar.md");
    }
}

#[test]
fn the_groups_of_options_are_those_of_the_help() {
    let help = help();
    let groups: Vec<_> = help.lines().filter(|line| line.ends_with(':') && !line.starts_with(' ')).collect();
    for (_, heading) in PAGE
        .match_indices("\n### ")
        .map(|(at, mark)| PAGE[at + mark.len()..].split_once('\n').unwrap())
        .map(|(heading, _)| ((), heading))
    {
        assert!(groups.iter().any(|group| group.starts_with(heading)), "{heading}: {groups:?}");
    }
}
