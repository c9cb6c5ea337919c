//! Durations, services and scopes in words that a person knows.

use std::time::Duration;

use actix_web::cookie::time::OffsetDateTime;

const UNITS: [(u64, &str); 4] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];

/// In the largest unit that leaves no rest: «30 days», «1 hour», «90 minutes».
pub(super) fn duration(length: Duration) -> String {
    let seconds = length.as_secs();
    let (unit, name) =
        UNITS.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit)).unwrap_or((1, "second"));
    let count = seconds / unit;
    if count == 1 { format!("1 {name}") } else { format!("{count} {name}s") }
}

/// A day as people write it, in UTC: «21 November 2026». `at`: seconds since the epoch.
pub(super) fn day(at: u64) -> String {
    match i64::try_from(at).ok().filter(|at| *at > 0).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()) {
        Some(at) => format!("{} {} {}", at.day(), at.month(), at.year()),
        None => "Not known".to_owned(),
    }
}

/// How long ago, for as long as that says more than a date. Both: seconds since the epoch.
pub(super) fn ago(then: u64, now: u64) -> String {
    let passed = now.saturating_sub(then);
    let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| passed >= *unit && *unit > 1) else {
        return "A moment ago".to_owned();
    };
    match (passed / unit, name) {
        (8.., "day") => day(then),
        (1, name) => format!("1 {name} ago"),
        (count, name) => format!("{count} {name}s ago"),
    }
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
        "email" => "See your email address, if it is public on GitHub".to_owned(),
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
    fn a_time_is_said_as_people_say_it() {
        let now = 1_795_219_200; // 2026-11-21 00:00 UTC
        for (passed, words) in [
            (0, "A moment ago"),
            (60, "1 minute ago"),
            (7_300, "2 hours ago"),
            (3 * 86_400, "3 days ago"),
            (10 * 86_400, "11 November 2026"),
            (now, "Not known"),
        ] {
            assert_eq!(ago(now - passed, now), words);
        }
        assert_eq!(ago(now + 30, now), "A moment ago", "clocks differ");
    }

    #[test]
    fn a_duration_is_said_in_the_largest_unit_that_fits() {
        for (seconds, words) in [(2_592_000, "30 days"), (3600, "1 hour"), (5400, "90 minutes"), (61, "61 seconds")] {
            assert_eq!(duration(Duration::from_secs(seconds)), words);
        }
    }
}
