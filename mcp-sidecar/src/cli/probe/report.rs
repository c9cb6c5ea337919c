//! What a probe found, as a table for people or as JSON. The server's own words are shown on one line each, bounded, and
//! cannot move the cursor.

use std::ffi::OsStr;
use std::fmt::Write;

use serde_json::{Value, json};

use super::advice::advice;
use crate::child::Command;
use crate::logging::one_line;
use crate::mcp::introduction::Introduction;
use crate::session::description::{Description, EndedBy};

/// Characters of a name, and of a description.
const NAME: usize = 60;
const WORDS: usize = 100;

pub(super) struct Report<'a> {
    pub(super) command: &'a Command,
    pub(super) outcome: Result<Description, String>,
    pub(super) stderr: Vec<String>,
}

impl Report<'_> {
    pub(super) fn json(&self) -> String {
        let command: Vec<_> = self.words().collect();
        let told = match &self.outcome {
            Ok(description) => {
                let mut told = json!({ "ok": !description.is_silent, "command": command, "eras": eras(description) });
                if let (Value::Object(told), Ok(Value::Object(more))) = (&mut told, serde_json::to_value(description)) {
                    told.extend(more);
                }
                told
            }
            Err(failure) => {
                json!({ "ok": false, "command": command, "error": failure, "advice": self.advice(failure), "stderr": self.stderr })
            }
        };
        format!("{told:#}\n")
    }

    pub(super) fn text(&self) -> String {
        match &self.outcome {
            Ok(description) => self.table(description),
            Err(failure) => self.trouble(failure),
        }
    }

    fn words(&self) -> impl Iterator<Item = String> {
        let words = std::iter::once(&self.command.program).chain(&self.command.args);
        words.map(|word| word.to_string_lossy().into_owned())
    }

    fn advice(&self, failure: &str) -> Option<String> {
        advice(&OsStr::to_string_lossy(&self.command.program), failure, &self.stderr)
    }

    fn trouble(&self, failure: &str) -> String {
        let mut text = format!("{}\n", shown(failure, 4 * WORDS));
        if let Some(advice) = self.advice(failure) {
            text += &format!("{advice}\n");
        }
        text + &self.last_words()
    }

    fn last_words(&self) -> String {
        let mut text = String::new();
        if !self.stderr.is_empty() {
            text += "\nits last words on stderr:\n";
            self.stderr.iter().for_each(|line| text += &format!("  {}\n", shown(line, 4 * WORDS)));
        }
        text
    }

    fn table(&self, found: &Description) -> String {
        let mut text = String::new();
        let both = [&found.modern, &found.legacy];
        let said = || both.into_iter().flatten();
        row(&mut text, "server", &said().map(name).find(|name| !name.is_empty()).unwrap_or_default());
        row(&mut text, "eras", &eras(found).join(", "));
        let mut versions: Vec<_> = said().flat_map(|said| &said.versions).map(|version| shown(version, NAME)).collect();
        versions.dedup();
        row(&mut text, "versions", &versions.join(", "));
        row(&mut text, "capabilities", &said().next().map(capabilities).unwrap_or_default());
        row(&mut text, "starts in", &format!("{:.2} s", found.start_seconds));
        row(&mut text, "stdout", &stdout(found));
        row(&mut text, "ends", &ending(found));
        list(&mut text, "tools", &found.tools, |tool| (field(tool, "name"), arguments(tool)));
        list(&mut text, "prompts", &found.prompts, |prompt| (field(prompt, "name"), prompt_arguments(prompt)));
        list(&mut text, "resources", &found.resources, |one| (field(one, "uri"), field(one, "name")));
        list(&mut text, "resource templates", &found.resource_templates, |one| {
            (field(one, "uriTemplate"), field(one, "name"))
        });
        for fault in &found.faults {
            let _ = writeln!(text, "\nWARNING: {}", shown(fault, 2 * WORDS));
        }
        if found.is_silent {
            text += &self.last_words();
        }
        let command: Vec<_> = self.words().map(|word| one_line(&word)).collect();
        let _ = write!(text, "\nserve it:  mcp-sidecar {}\n", command.join(" "));
        text
    }
}

fn eras(found: &Description) -> Vec<&'static str> {
    let modern = found.modern.as_ref().map(|_| "modern");
    modern.into_iter().chain(found.legacy.as_ref().map(|_| "legacy")).collect()
}

fn row(text: &mut String, key: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{key:<14}{value}");
}

fn list(text: &mut String, title: &str, members: &[Value], columns: impl Fn(&Value) -> (String, String)) {
    if members.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title} ({})", members.len());
    let rows: Vec<_> = members.iter().map(|member| (columns(member), description(member))).collect();
    let width = rows.iter().map(|((name, _), _)| name.chars().count()).max().unwrap_or(0);
    for ((name, detail), description) in rows {
        let _ = writeln!(text, "{}", format!("  {name:<width$}  {detail}").trim_end());
        if !description.is_empty() {
            let _ = writeln!(text, "      {description}");
        }
    }
}

fn name(said: &Introduction) -> String {
    let title = field(&said.server_info, "title");
    let title = if title.is_empty() { title } else { format!(" ({title})") };
    let named = format!("{} {}", field(&said.server_info, "name"), field(&said.server_info, "version"));
    format!("{}{title}", named.trim())
}

/// `resources (subscribe), tools (listChanged)`
fn capabilities(said: &Introduction) -> String {
    let Some(all) = said.capabilities.as_object() else { return String::new() };
    let shown = all.iter().map(|(name, details)| {
        let on = details.as_object().into_iter().flatten().filter(|(_, value)| **value == Value::Bool(true));
        let mut on: Vec<_> = on.map(|(name, _)| shown(name, NAME)).collect();
        on.sort();
        let name = shown(name, NAME);
        if on.is_empty() { name } else { format!("{name} ({})", on.join(", ")) }
    });
    let mut shown: Vec<_> = shown.collect();
    shown.sort();
    shown.join(", ")
}

fn stdout(found: &Description) -> String {
    match &found.junk.first {
        None => "messages only".to_owned(),
        Some(first) => {
            let lines = found.junk.lines;
            format!("WARNING: {lines} lines are no messages and belong on stderr; the first: {}", shown(first, WORDS))
        }
    }
}

fn ending(found: &Description) -> String {
    let end = &found.end;
    let how = match end.by {
        EndedBy::Itself => return format!("WARNING: before its input is closed ({})", end.status),
        EndedBy::EndOfInput => "by itself when its input is closed",
        EndedBy::Sigterm => "WARNING: only when it gets SIGTERM",
        EndedBy::Sigkill => "WARNING: only when it gets SIGKILL",
    };
    format!("{how}, after {:.2} s ({})", end.seconds, end.status)
}

/// Names of arguments; the optional ones, in brackets, go last.
fn arguments(tool: &Value) -> String {
    let schema = &tool["inputSchema"];
    let is_required = |name: &String| schema["required"].as_array().into_iter().flatten().any(|one| one == name);
    let names = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
    let (required, optional): (Vec<_>, Vec<_>) = names.partition(|name| is_required(name));
    let required = required.into_iter().map(|name| bracketed(name, true));
    required.chain(optional.into_iter().map(|name| bracketed(name, false))).collect::<Vec<_>>().join(", ")
}

fn prompt_arguments(prompt: &Value) -> String {
    let all = prompt["arguments"].as_array().into_iter().flatten();
    all.map(|one| bracketed(&field(one, "name"), one["required"] == true)).collect::<Vec<_>>().join(", ")
}

fn bracketed(name: &str, required: bool) -> String {
    let name = shown(name, NAME);
    if required { name } else { format!("[{name}]") }
}

fn description(member: &Value) -> String {
    let text = member["description"].as_str().unwrap_or_default();
    shown(text.trim().lines().next().unwrap_or_default(), WORDS)
}

fn field(value: &Value, name: &str) -> String {
    shown(value[name].as_str().unwrap_or_default(), NAME)
}

fn shown(text: &str, longest: usize) -> String {
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(longest).collect();
    if chars.next().is_some() { format!("{}…", one_line(&start)) } else { one_line(&start) }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
