//! What the program does besides serving: `probe` and `healthcheck`, when that is the very first word. A wrapped command
//! of that name goes after `--`, as any may.

mod healthcheck;
mod probe;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// `EX_USAGE` of sysexits.
const USAGE: u8 = 64;

/// Runs the subcommand that the arguments name, if they name one.
pub fn main_if_requested(
    arguments: impl IntoIterator<Item = OsString>,
    vars: impl IntoIterator<Item = (OsString, OsString)>,
) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter();
    let (_program, name) = (arguments.next(), arguments.next()?);
    let words = std::iter::once(OsString::from(format!("mcp-sidecar {}", name.to_string_lossy()))).chain(arguments);
    match name.to_str() {
        Some("probe") => Some(probe::main(words, vars)),
        Some("healthcheck") => Some(healthcheck::main(words, vars)),
        _ => None,
    }
}

/// Help and version go to stdout and are no fault; a command line that cannot be read is.
pub fn explain(usage: &clap::Error) -> ExitCode {
    let printed = usage.print();
    if usage.use_stderr() || printed.is_err() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}

fn misused(why: &str) -> ExitCode {
    tell(&mut io::stderr(), &format!("mcp-sidecar: {why}\n"));
    ExitCode::from(USAGE)
}

/// Whoever no longer reads what we print has seen enough of it.
fn tell(to: &mut impl Write, text: &str) {
    to.write_all(text.as_bytes()).and_then(|()| to.flush()).ok();
}
