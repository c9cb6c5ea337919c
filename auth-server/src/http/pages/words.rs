//! Durations, services and scopes in words that a person knows.

use std::time::Duration;

const UNITS: [(u64, &str); 4] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];

/// In the largest unit that leaves no rest: «30 days», «1 hour», «90 minutes».
pub(super) fn duration(length: Duration) -> String {
    let seconds = length.as_secs();
    let (unit, name) =
        UNITS.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit)).unwrap_or((1, "second"));
    let count = seconds / unit;
    if count == 1 { format!("1 {name}") } else { format!("{count} {name}s") }
}

/// What a service of this project's compose files does to the person who lets an application use it.
pub(super) fn service(name: &str) -> &'static str {
    match name {
        "time" => "Tells the time in any time zone",
        "fetch" | "fetchs" => "Reads web pages",
        "filesystem" => "Reads and writes files of the gateway's workspace",
        "memory" => "Keeps notes and finds them again",
        "playwright" => "Drives a web browser",
        "sequentialthinking" => "Thinks a problem through in steps",
        "tmux" => "Runs commands in a terminal of the gateway",
        "everything" => "Shows every feature of the protocol, for trying things out",
        "echo-stateful" | "echo-stateless" => "Repeats what it is told, for trying things out",
        _ => "An MCP server behind this gateway",
    }
}

/// What a scope allows.
pub(super) fn scope(token: &str) -> String {
    match token {
        "openid" => "Know that it is you".to_owned(),
        "profile" => "See your GitHub name and login".to_owned(),
        "email" => "See your e-mail address, if it is public on GitHub".to_owned(),
        "offline_access" => "Stay connected without asking you again".to_owned(),
        other => match other.strip_prefix("mcp:") {
            Some(service) => format!("Use the service {service}"),
            None => "A permission of its own".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_said_in_the_largest_unit_that_fits() {
        for (seconds, words) in [(2_592_000, "30 days"), (3600, "1 hour"), (5400, "90 minutes"), (61, "61 seconds")] {
            assert_eq!(duration(Duration::from_secs(seconds)), words);
        }
    }
}
